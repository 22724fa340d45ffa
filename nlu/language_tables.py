"""Words and letter groups that tell languages in Latin script apart. Written for this bot: what a child types first.

A word may stand in several languages; it then counts less for each. Dutch holds chat and child spelling on purpose, since a
Dutch child that spells by ear must never be answered in another language.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

WORDS: Mapping[str, str] = MappingProxyType(
    {
        "nl": """
            hey yes yo thanks ty merci sus robot moi ai salut danke selam salam fuck dom stomme chill ist mich
            mit neet geit ich rös loat kalle help ik jij je jou jouw u hij zij ze wij we jullie hun hen mij me
            mijn mn mun m'n zijn zn haar dr het t een n de den die dat dit deze er hier daar waar wie wat
            wanneer waarom hoe welke en of maar want omdat als dan toen nu nou niet nie niks niets geen nooit
            altijd soms vaak weer nog al ook wel heel erg veel te zo van voor met op in uit aan bij naar om over
            onder door tegen na tot sinds ben bent is was waren heb hebt heeft had hadden kan kunnen kun wil
            willen moet moeten mag mogen zal zou gaat ga gaan doe doet doen deed komt kom komen kwam zegt zeg
            zeggen zei praat praten weet weten slaat slaan slaad slaag sloeg geslagen schopt schopte schreeuwt
            thuis huis school papa mama mam pap vader moeder broer broertje zus zusje zusjes opa oma oom tante
            stiefvader stiefmoeder juf meester vriend vriendin vriendje iemand niemand iedereen mens mensen kind
            kinderen bang boos verdrietig alleen dood leven pijn hulp helpen helpt gemeente burgemeester
            gemeentehuis kindertelefoon hallo hoi heey hoii doei dag ja nee jaa neej oke okee goed slecht gewoon
            echt best denk dacht durf durft durven snap begrijp vind vinden voel voelt elke nacht avond vanavond
            gisteren morgen vandaag straks meteen snel alsjeblieft aub bedankt dankje dankjewel sorry stop laat
            weg klaar anders mischien misschien egt eg nyt nietmeer wnr wrm omdta ff ffjes gwn gwoon kweet
            weetniet ofzo enzo zegmaar eigelijk eigenlijk tis kheb kwil kben hebbe zegge moete gaane gade gij ge
            nen ons onze onsz bende zedde amai allez fatoe wollah ewa faka bro kanker kut tering slapen eten
            drinken spelen kamer deur slot wc mes geld telefoon mobiel foto fotos filmpje klas pesten gepest
            sturen gestuurd blijven bellen bel wachten wacht zitten zit liggen lig staan sta lopen loop rennen
            verstopt opgesloten vluchten weglopen huilen huil haat meer minder eerst laatste keer keren jaar
            jaren maand week weken uur
        """,
        "en": """
            help i im i'm you your he she they we my me mine his her their our it its the a an this that these
            those there here what who when where why how which and or but because if then now not no never
            always sometimes often again still also very much too so of for with on in out at to from about am
            are is was were be been have has had can could want wants wanna will would should must may do does
            did doing don't dont didn't didnt can't cant won't wont isn't isnt doesn't doesnt go goes going went
            come comes coming say says said tell tells told talk talking know knows hit hits hitting beat beats
            beating hurt hurts kick kicks yell yells scream screams home house school dad mom mum daddy mommy
            father mother brother sister stepdad stepmom uncle aunt grandpa grandma teacher friend friends
            boyfriend girlfriend someone somebody nobody everyone anyone person people kid kids child children
            scared afraid sad alone dead die kill killing live life pain helping please thanks thank hello hey
            yes yeah okay good bad just really think thought feel feels feeling every day night today tomorrow
            yesterday right away quick sleep eat room door locked knife gun money phone picture pictures send
            sent stay call wait hiding hide run crying cry hate more need needs real human robot speak english
            dutch mayor understand anything something nothing myself touch touches touching anymore
        """,
        "de": """
            ich du er sie wir ihr mein meine meinen meinem dein deine sein seine unser mich dich uns euch mir
            dir ihm ihnen der das dem des ein eine einen einem einer dieser diese dieses hier dort wo wer was
            wann warum wie welche und oder aber weil wenn dann jetzt nicht nie niemals immer manchmal oft wieder
            noch auch sehr viel zu von für fur fuer mit auf aus bei nach um über uber ueber unter durch gegen
            bin bist ist war waren sind habe hast hat hatte haben kann kannst können konnen will willst wollen
            muss musst müssen mussen darf soll geht gehe gehen macht mache machen kommt komme kommen sagt sage
            sagen weiß weiss schlägt schlagt schlaegt schlagen geschlagen tritt schreit zuhause hause haus
            schule papa mama vater mutter bruder schwester opa oma onkel tante lehrer freund freundin jemand
            niemand mensch menschen kind kinder angst böse traurig allein tot sterben leben schmerzen hilfe
            helfen hallo guten tag ja nein bitte danke gut schlecht einfach wirklich nacht heute morgen gestern
            schlafen essen zimmer tür messer geld handy bild kein keine mehr deutsch verstehe sprechen sprichst
            bürgermeister rathaus
        """,
        "fr": """
            je j'ai jai tu il elle on nous vous ils elles mon ma mes ton ta tes son sa ses notre votre leur moi
            toi lui le la les un une des du de ce cet cette ces ici là où ou qui que quoi quand pourquoi comment
            quel quelle et mais parce si alors maintenant ne pas n'est jamais toujours parfois souvent encore
            aussi très tres beaucoup trop pour avec sur dans chez vers sans sous par contre suis es est sont
            était etait c'est cest ai as a ont avoir être etre peux peut veux veut dois doit vais va vont fais
            fait faire viens vient dit dire parler sais sait frappe frappé bat tape crie maison école ecole papa
            maman père pere mère mere frère frere soeur sœur oncle tante professeur ami amie copain copine
            quelqu'un quelquun personne enfant enfants peur triste seul seule mort mourir vivre vie mal aide
            aider aidez bonjour salut oui non merci bien mauvais vraiment chaque jour nuit aujourd'hui demain
            hier dormir manger chambre porte couteau argent téléphone photo plus rien français francais
            comprends parle parles stp svp maire mairie m'aider m'a qu'il besoin
        """,
        "es": """
            yo tú tu él ella nosotros ustedes ellos ellas mi mis su sus nuestro me te se nos le les lo la los
            las un una unos unas el de del al este esta esto ese esa aquí aqui allí quién quien qué que cuándo
            cuando dónde donde por porque cómo como cuál y o pero si entonces ahora no nunca siempre veces otra
            vez también tambien muy mucho mucha demasiado para con en sin sobre desde hasta soy eres es era son
            estoy está están tengo tienes tiene tener puedo puede quiero quiere debo debe voy va vamos hago hace
            hacer vengo viene digo dice decir hablar sé sabe pega pegan pegó golpea grita casa escuela colegio
            papá papa mamá mama padre madre hermano hermana abuelo abuela tío tio tía tia profesor maestra amigo
            amiga novio alguien nadie persona niño nino niña nina miedo triste solo sola muerto morir vivir vida
            dolor ayuda ayudar ayúdame ayudame hola buenos días buenas sí gracias favor bien mal verdad cada día
            dia noche hoy mañana ayer dormir comer cuarto puerta cuchillo dinero teléfono telefono foto más mas
            nada español espanol entiendo hablo hablas necesito alcalde ayuntamiento quieren
        """,
        "tr": """
            ben sen o biz siz onlar benim senin onun bizim sizin bana sana ona bize beni seni onu bizi bu şu su
            burada orada nerede kim ne zaman neden niye nasıl nasil hangi ve veya ama çünkü cunku eğer eger
            şimdi simdi değil degil hiç hic her hep bazen yine hala çok cok az için icin ile gibi kadar sonra
            önce once var yok vardı oldu olur oluyor istiyorum istemiyorum korkuyorum biliyorum bilmiyorum
            seviyorum ediyor ediyorum yapıyor yapiyor geliyor gidiyor vuruyor dövüyor dovuyor dövdü bağırıyor
            söyledi konuşmak konusmak ev evde eve okul okulda baba babam babamı anne annem abim abi kardeşim
            kardesim abla ablam dede dedem nine amca amcam dayı teyze öğretmen arkadaş arkadaşım biri birisi
            kimse insan çocuk cocuk çocuğum korku üzgün uzgun yalnız yalniz ölmek olmek öldürecek oldurecek ölü
            yaşamak hayat acı yardım yardim edin et lütfen lutfen merhaba selam evet hayır hayir teşekkür
            tesekkur ederim iyi kötü kotu gerçekten gün gece bugün yarın dün uyumak yemek oda kapı kapi bıçak
            bicak para telefon türkçe turkce anlamıyorum konuşuyorum belediye başkan mı mi mu mü
        """,
        "pl": """
            ja ty on ona ono my wy oni mój moj moja moje mojego mojej twój twoj twoja jego jej nasz wasz mnie
            ciebie mi tobie go mu nas was ich to ten ta te tutaj tu tam gdzie kto co kiedy dlaczego jak który
            ktory i lub albo ale bo jeśli jesli teraz nie nigdy zawsze czasem często czesto znowu jeszcze też
            tez bardzo dużo duzo za dla z ze na w we do od po pod przez przed jestem jesteś jest był byl była są
            sa mam masz ma mają mogę moge może moze chcę chce muszę musze musi idę ide idzie robi robię
            przychodzi mówi mowi powiedział rozmawiać rozmawiac wiem wie bije bił uderzył krzyczy dom domu
            szkoła szkole tata tato mama ojciec ojca matka brat siostra dziadek babcia wujek ciocia nauczyciel
            kolega przyjaciel ktoś ktos nikt człowiek dziecko dzieci boję boje się sie smutno smutny sam sama
            martwy umrzeć umrzec zabić zabic żyć zyc życie boli pomoc pomocy pomóż pomoz pomóc cześć czesc dzień
            dzien dobry tak proszę prosze dziękuję dziekuje dobrze źle zle naprawdę każdy noc dzisiaj jutro
            wczoraj spać jeść pokój drzwi nóż noz pieniądze telefon zdjęcie więcej nic polski polsku rozumiem
            mówię potrzebuję potrzebuje burmistrz
        """,
        "fy": """
            ik do jo hy sy wy jimme har harren myn dyn syn ús us it in de dy dat dit dizze der hjir dêr wêr wa
            wat wannear wêrom hoe en of mar want omdat as dan doe no net nea altyd soms faak wer noch ek wol
            hiel tige folle te sa fan foar mei op út oan by nei om oer ûnder troch tsjin bin bist is wie wienen
            binne haw hast hat hie hawwe kin kinst kinne wolle moat moatte meie sil soe giet gean dogge docht
            dwaan komt kom komme seit sis sizze sei prate wit witte slacht slaan sloech thús hûs skoalle heit
            mem mim broer bruorke suster suske pake beppe omke muoike juf master freon freondinne immen nimmen
            elkenien minsk minsken bern bang lilk fertrietlik allinne dea libje pine help helpe hoi goeie moarn
            goemiddei ja nee tankewol asjeblyft altiten jûn nacht juster hjoed sliepe ite keamer doar mes jild
            frysk gemeentehûs boargemaster praat my him hja sjoch sjen
        """,
        "pap": """
            mi bo el e nos boso nan su mi'n un esaki esei aki akí einan unda ken kiko ki ora pakiko kon kua i òf
            of pero pasombra si anto awor awó no nunka semper tin biaha atrobe ainda tambe també hopi masha
            muchu pa ku na di den riba bou for fo'i ta tabata tawata lo a por ke kier mester mag bai bini hasi
            bisa papia konta sa dal bati grita kas skol papa mama tata mai ruman homber muhé tio tia wela welo
            yaya maestro yùfrou amigu amiga hende niun persona mucha muchanan miedu tristu so morto muri biba
            bida doló dolor yuda yudami bon dia tardi nochi ayo danki fabor malu berdat kada anochi awe mañan
            ayera drumi kome kamber porta kuchú sèn telefòn mas nada papiamentu papiamento komprondé kompronde
            alkalde hala hasimi dalmi mishi
        """,
        "so": """
            aniga anigu adiga isaga iyada annaga innaga idinka iyaga waxaan waxan waxaad waxay waxuu wuxuu waa
            waan wuu way maxaa maxay maya haa ma aan aad aabe aabahay aabo hooyo hooyaday walaalkay walaashay
            walaal awoowe ayeeyo adeer abti macallin saaxiib qof qofna qofka dadka carruur ilmo ilmaha guriga
            gurigeena iskuul iskuulka dugsiga i iga igu ii ku ka u la soo garaacaa garaacay garacaa dilayaa
            dilaa dili dhintay dhiman dhimasho cabsi cabsanayaa baqayaa baqaya murugo murugsanahay keligay caawi
            caawin caawimaad caawimo fadlan mahadsanid salaan iska warran subax wanaagsan hadda goorma halkee
            sidee sababta laakiin iyo ama haddii had jeer mar walba mararka habeen maalin maanta berri shalay
            hurdo cunto qol albaab mindi lacag telefoon rabaa rabo doonayaa karaa kartaa hadlaa hadal soomaali
            somali af garanayo fahmin magaalada baan ayaa aniguna noolaan jiro jirin
        """,
        "ary": """
            ana nta nti howa hiya hna ntoma homa dyali dialy diali dyalk dyalo baba mama mmi yemma khoya khouya
            khti ba jeddi jedda 3ami khali khalti ostad sa7bi sahbi sahbti wahed chi ta7ed hta wahd nas weld
            bent drari dar skoul lmadrasa daba dima ba3d lmerrat bzaf bezzaf bezaf chwiya walo walou makaynch
            kayn machi mashi ma3ndich 3ndi 3andi bghit bghito mabghitch khayf khayfa khaif khefana kheft khft
            kaydrebni kaydrabni kaydreb tay drebni kaydrbni darbni kaygouli kayghewet kaybki kanbki kanbghi
            nmout nmot mout baghi nhder nhdar nahdar 3awnni 3awnouni 3awni 3awnoni chkoun chkon chnou chno fin
            fayn kifach kifash 3lach 3lash imta waqtach labas bikhir wakha la iyeh safi choukran chokran afak
            3afak smeh li salam salamo alaykoum 3alaykoum rani rah raha kolchi kolchay lil nhar lyoum ghedda
            lbareh mouss l7it lbab flous tilifoun hchouma 7chouma wallah wellah ma3reftch ma3rftch fhemt
            mafhemtch hder bihom wslt
        """,
    }
)
"""Per language its words, apart by spaces."""

LETTERS: Mapping[str, str] = MappingProxyType(
    {
        "tr": "ğşıİ",
        "pl": "łąęśćżźń",
        "es": "ñ¿¡",
        "de": "ßä",
        "fr": "çœàùî",
        "fy": "ûâ",
        "pap": "òùè",
    }
)
"""Letters that Dutch does not use: each distinct one in a message counts for its language."""

SHAPES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "nl": ("ij", "sch", "aa", "oe", "ui", "cht", "eeuw", "uw", "oo", "tje", "lijk", "ee", "nge", "gge", "zz", "vr", "euk"),
        "en": ("th", "wh", "ight", "ough", "ing", "'s", "ould", "ck", "ness", "tion", "n't", "ful", "sh"),
        "de": ("sch", "ei", "ung", "cht", "ich", "tz", "pf", "eu", "ü", "ö"),
        "fr": ("eau", "eux", "que", "oi", "qu'", "j'", "l'", "d'", "é", "ê", "aux", "ez"),
        "es": ("ció", "ado", "ando", "iendo", "ita", "ito", "á", "í", "ó", "os", "as", "que"),
        "tr": ("yor", "lar", "ler", "mak", "mek", "dım", "dim", "üm", "ım", "ıyor", "iyor", "ö", "ü", "ç", "acak", "ecek"),
        "pl": ("sz", "cz", "rz", "dz", "szy", "ski", "ego", "emu", "ch", "wi", "owa", "ó"),
        "fy": ("ske", "oa", "ea", "ie", "tsj", "sj", "hj", "nk", "ûn", "ên", "wêr", "uo"),
        "pap": ("nan", "mentu", "shon", "kè", "á", "ki", "hende", "ami"),
        "so": ("aa", "ax", "xa", "dh", "uu", "ay", "cab", "iyo", "oo", "qof", "ahay", "yaa"),
        "ary": ("3", "7", "9", "kay", "kan", "tch", "ouni", "gh", "kh", "ch", "dyal"),
    }
)
"""Letter groups that are common in a language: a weak sign, counted only for words that stand in no table."""

PERSIAN = """
    آن از است او این با بابام برادرم برای تو خانه خواهرم خوب دارد دارم را سلام شما لطفا ما مادر
    مادرم مامانم مرا ممنون من می میترسم میزند می‌ترسم می‌زند نمی نیست هست پدر پدرم چرا چه کجا کمک که
"""
ARABIC = """
    أبي أختي أخي أريد أمي أنا أنت أين إلى ابي اختي اخي اريد البيت السلام المدرسة الى امي انا انت اين
    بابا خائف خائفة ساعدني ساعدوني شكرا على عليكم في كيف لا لماذا ماذا ماما مرحبا مساعدة من نحن نعم
    هو هي يضربني
"""
"""First words that tell the two apart, which share most letters."""
