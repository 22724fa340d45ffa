# ruff: noqa: E501 - tables
"""Words that mean the same to a first reader get one name, so that few examples teach much: "opa mept me" is like "papa slaat mij".

Used as a featurizer of its own beside the plain words, in Rasa (`nlu/rasa/concept_featurizer.py`) and in the carried model. Runs on
Python 3.10 and later, standard library alone. A change here needs a new training.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from nlu.text import sound

_SHORTEST_BY_EAR = 4  # letters; shorter words sound like too many others
_NEAR = 3  # how many concepts further a pair may reach

_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "OUDER": """papa pap pa paps papi vader vaders mama mam ma mams mami moeder moeders moe moeke ouders ouder stiefvader stiefpapa
            stiefpa stiefmoeder stiefmama stiefma pleegvader pleegmoeder pleegmama pleegpapa pleegouders pleegmama baba oudes vadder""",
        "FAMILIE": "oom ome oma opa tante neef nicht nonkel broer broers zus stiefbroer stiefzus familie bompa bomma abi",
        "KLEINTJE": "broertje zusje broertjes zusjes babytje baby neefje nichtje kindje",
        "VRIEND": """vriendin vriend vriendje vriendinnen vrienden klasgenoot klasgenootje klasgenoten klas meisje jongen jongens meisjes
            meiden kinderen leerlingen groepje buurmeisje buurjongen bff bestie""",
        "SCHOOLMENS": "juf meester leraar lerares mentor leerkracht docent conrector intern",
        "BEROEP": "coach trainer trainster begeleider begeleiding groepsleider voogd gezinsvoogd oppas pastoor imam dominee",
        "EIGENKIND": "zoon zoontje dochter dochtertje kleinkind kleindochter kleinzoon leerling pupil",
        "MAN": "man mannen vent kerel gast gozer vreemde meneer gasten",
        "SLAAN": """slaat slaan slaad sla slaa sloeg sloegen geslagen geslage mept mep meppen schopt schop schoppen geschopt trapt trappen
            getrapt stompt stompen gestompt knijpt knijpen duwt duwen krabt bijt wurgt wurgen gooit smijt klappen klap mishandelt
            mishandeld mishandelen mishandeling tik tikken ranselt riem""",
        "SCHREEUW": "schreeuwt schreeuwen schreeuw schelden scheldt scheld gilt gescheld uitgescholden kleineert vernedert vernederd scheldwoorden",
        "RUZIE": "ruzie ruzies ruzien vechten vecht vechtpartij gevecht scheiding gescheiden scheiden",
        "PEST": "pest pesten gepest pesters uitgelachen uitlachen buitengesloten roddelen gepeste pestkop",
        "IK": "ik",
        "MIJ": "mij me my mich",
        "MIJN": "mijn",
        "WIJ": "wij we ons onze",
        "HIJ": "hij hem zij ze haar hun",
        "NIET": "niet geen nooit niks niets niemand",
        "NU": "nu nou vannacht vanavond straks meteen zometeen direct momenteel",
        "VROEGER": "gisteren vroeger toen vorige eergisteren laatst geleden",
        "VAAK": "altijd soms vaak elke iedere steeds meestal regelmatig dagelijks",
        "WAPEN": "mes messen pistool geweer bijl hamer stok wapen machete gun keukenmes",
        "DOOD": "dood doodgaan doot sterven zelfmoord doodmaken vermoorden vermoord doden suicide",
        "LEVEN": "leven leef bestaan wereld",
        "SNIJDEN": "snij snijd snijden snijdt gesneden kras krassen gekrast mezelf zelf polsen pols",
        "PILLEN": "pil pillen paracetamol tabletten medicijnen geslikt slikken ingenomen overdosis",
        "BLOED": "bloed bloedt bloeden wond ambulance bewusteloos ademt ademen",
        "LIJF": "piemel billen borsten kruis lichaam aanraken aangeraakt aanraakt seks sex bloot blote naakt onderbroek strelen zoenen kussen tongen",
        "BED": "bed slaapkamer douche douchen badkamer slapen logeren",
        "FOTO": "foto fotos naaktfoto naaktfotos nude nudes filmpje video snap snapchat insta instagram tiktok whatsapp discord online app appje",
        "STUUR": "stuur sturen stuurt gestuurd doorsturen gedeeld delen verspreid posten",
        "ETEN": "eten honger koelkast brood boterham boodschappen avondeten",
        "DRANK": "drinkt drank dronken alcohol bier wijn drugs wiet verslaafd zuipt blowen coke",
        "ALLEEN": "alleen eenzaam weg weggelopen",
        "BANG": "bang angst eng durf durven schrik bange paniek",
        "VERDRIET": "verdrietig huil huilen huilt verdriet tranen kut rot",
        "KOMT": "komt kom komen boven eraan binnen",
        "DEUR": "deur deuren slot kamer kast kelder wc zolder opgesloten verstopt verstop",
        "POLITIE": "politie 112 ambulance brandweer agent",
        "HULP": "help hulp helpen helpt red",
        "PRATEN": "praten praat vertellen vertel zeggen zeg zegt typen typ schrijven bellen bel chatten",
        "MENS": "mens iemand vertrouwenspersoon medewerker persoon",
        "KIJKT": "kijkt meekijkt mee leest lezen ziet telefoon mobiel",
        "GEHEIM": "geheim anoniem privacy beloof beloven doorvertellen",
        "WISSEN": "wis wissen verwijder verwijderen delete weghalen stop stoppen",
        "GEMEENTE": "gemeentehuis gemeente stadhuis balie raadhuis",
        "BURGEMEESTER": "burgemeester burgervader",
        "LACH": "lach lachen lachte gelachen 😂 🤣 😆 😹 haha hahaha hahah lol lmao xd grapje grap hihi",
        "SCHOOL": "school klas toets huiswerk rapport cijfer les pauze gym wiskunde",
        "SPEL": "fortnite minecraft roblox game games gamen fifa spelen spel playstation",
        "DING": """mobiel mobieltje oplader accu batterij laptop ipad tablet pc controller internet wifi plant planten bloem scooter step fatbike
            fiets oortjes koptelefoon tv televisie lader scherm knuffel lego""",
        "DIER": "hamster cavia konijn kat poes hond vogel parkiet muis goudvis vis kip paard schildpad hondje katje puppy poesje wesp mug spin",
        "KLEINIGHEID": """hitte warmte verveling schaamte nieuwsgierigheid zenuwen spierpijn hooikoorts slaap stress saai saaie spannend
            conditie gym sporten training wedstrijd finale team voetbal hockey trein bus""",
        "LEKKERS": "chips frikandel pizza ijsje snoep cola patat friet koek taart mcdonalds mcdo kapsalon burger chocola",
        "VERHAAL": "film serie boek verhaal toneelstuk musical youtube netflix filmavond horror spannende stripboek liedje rap",
        "BOT": "bot robot computer chatbot ai chatgpt",
    }
)

_NAMES: Mapping[str, str] = MappingProxyType({word: name for name, words in _WORDS.items() for word in words.split()})
_HEARD: Mapping[str, str] = MappingProxyType(
    {sound(word): name for name, words in reversed(list(_WORDS.items())) for word in words.split() if len(word) >= _SHORTEST_BY_EAR}
)


def concept_of(word: str) -> str:
    """The concept that a word stands for, as written or as heard; the word itself when it stands for none."""
    named = _NAMES.get(word)
    if named is None and len(word) >= _SHORTEST_BY_EAR:
        named = _HEARD.get(sound(word))
    return named or word


def concept_tokens(words: Sequence[str], name: Callable[[str], str] = concept_of) -> list[str]:
    """The words with known ones replaced by their concept, then every pair of concepts that stand near each other."""
    tokens = [name(word) for word in words]
    named = [token for token in tokens if token.isupper()]
    pairs = [f"{first}_{second}" for place, first in enumerate(named) for second in named[place + 1 : place + 1 + _NEAR]]
    return [*tokens, *pairs]
