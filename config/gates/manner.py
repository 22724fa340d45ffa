"""Rules on judging, on knowing better than the child, and on playing a human. See `rules`."""

from __future__ import annotations

from config.gates.rule import make_rule as _rule

FAMILY = (
    r"(?:stief)?(?:vader|moeder|pa|ma|papa|mama|pap|mam|ouders?|broers?|zus|zussen|ooms?|tantes?|opa|oma|neef|nicht)|"
    r"mams|paps|familie|gezin"
)
EVENT = (
    r"ge(?:slagen|schopt|pest|duwd|knepen|beten|kust|streeld|tongd)|aangeraakt|misbruikt?|mishandel\w*|verkracht\w*|"
    r"slaa[nt]|sloeg|"
    r"slaag|klappen|schopp?en|schopt|geweld|seks|seksueel|blote?|naakt\w*|aanranding|aangerand|zelfmoord|dood|"
    r"doodgaan|drugs|dronken|"
    r"ruzie"
)

JUDGEMENT = (
    _rule(
        "judgement",
        r"strafbaar|verboden|niemand mag|mag niemand|had (?:hij|zij|ze|niemand)|niet mogen|zo ga je niet|dader\w*|"
        r"slachtoffer\w*|schuldig|tegen de wet|niet normaal|abnormaal|niet oké|niet ok|mishandeling|misbruik|"
        r"(?:dat|dit|het) (?:is|was|klinkt) (?:\w+ )?(?:fout|slecht|gemeen|verkeerd|erg|gek|niet goed|niet normaal|"
        r"oneerlijk|gevaarlijk|ernstig)|"
        r"(?:mag|mogen) (?:dat|dit|het) niet (?:doen|\w+)|(?:dat|dit) mag niet|(?:hij|zij|ze|die man|"
        r"die vrouw) (?:had|mag|moet|hoort|is|was)(?! \{)",
        "judging is for others, and one word can later count against the child",
        "say nothing about what happened; name what happens next",
    ),
    _rule(
        "truth",
        r"(?:ik|we|wij) gelo(?:of|ven)|geloof (?:ik|je)|lieg\w*|leugen\w*|overdrij\w*|verzin\w*|verzonnen|"
        r"is dat waar|echt gebeurd|weet je (?:het )?zeker",
        "the bot does not weigh whether it is true",
        "write: We nemen je serieus",
    ),
    _rule(
        "family",
        FAMILY,
        "a text about the child's family is an opinion, a suggestion or a contact with them",
        "leave them out; the child names them itself when it wants",
    ),
    _rule(
        "names-it",
        EVENT,
        "the bot does not name, repeat or fill in what happened",
        "write 'dit': Goed dat je dit vertelt",
    ),
    _rule(
        "sums-up",
        r"(?:je|jij) (?:zegt|zei|schrijft|schreef|vertelt|vertelde|bedoelt|typt) dat|dus (?:je|jij|jouw)|ik (?:lees|"
        r"hoor|zie|merk|denk) (?:dat|aan)|"
        r"(?:als|begrijp) ik (?:je|het) goed|met andere woorden|kort gezegd|blijkbaar|lijkt (?:me|erop|of)",
        "summing up puts words in the child's mouth; the human reads the child's own words",
        "leave it out",
    ),
)

PRETENCE = (
    _rule(
        "empathy",
        r"(?:begrijp|snap|weet|voel|merk) (?:\w+ )?(?:hoe (?:je|jij|moeilijk|erg|naar)|wat je (?:voelt|meemaakt))|"
        r"wat (?:\w+ )?(?:erg|naar|vreselijk|verschrikkelijk|verdrietig|"
        r"akelig|afschuwelijk|rot|vervelend|knap|dapper|moedig|heftig|goed van je|fijn|leuk|moeilijk)|(?:heel|zo|"
        r"erg|super) (?:erg|naar|verdrietig|vreselijk|rot|heftig|moeilijk|"
        r"dapper|knap|trots)|het spijt (?:me|mij|ons)|sorry|helaas|jammer|gelukkig|(?:dat|dit|het) (?:moet|zal|"
        r"lijkt|is|voelt|klinkt)(?: \w+){0,3} "
        r"(?:moeilijk|zwaar|eng|pijnlijk|heftig|rot|naar|verdrietig|voelen|zijn voor je)|arme?|lieverd|schat|"
        r"meis(?:je)?|kanjer|topper",
        "a computer has no feelings, and a child sees through them",
        "thank the child: Goed dat je dit vertelt",
    ),
    _rule(
        "empathy",
        r"ik (?:begrijp|snap|voel|vind|hoop|wens|schrik|huil|geef om|denk|leef (?:\w+ ){0,2}mee|maak me zorgen|"
        r"hou van|ben (?:\w+ )?(?:blij|trots|"
        r"verdrietig|geschrokken|boos|bezorgd|onder de indruk))|(?:begrijp|snap|voel|hoop|vind) ik|"
        r"met je mee(?:voelen|leven)|meeleven|medelijden",
        "a computer does not feel, hope or understand as a human does",
        "leave it out; what it does not understand it may say: Dit begrijp ik niet goed",
        r"(?:begrijp|snap|voel|vind) (?:ik |dit |het |je |dat )*(?:niet|niks)|(?:dit|dat|het) (?:begrijp|"
        r"snap) ik (?:nog )?niet|boos ben ik niet",
    ),
    _rule(
        "guess",
        r"(?:je|jij) (?:bent|voelt je|lijkt|klinkt|was)(?: \w+){0,2} (?:bang|verdrietig|boos|eenzaam|alleen|moe|"
        r"sterk|dapper|stoer|lief|slim|jong|gewond|in de war)|"
        r"(?:dapper|moedig|knap|stoer|sterk) (?:van je|dat je|ben je)|jongen|meisje|verdrietig|eenzaam|angstig|"
        r"somber|huil\w*|boos (?:zijn|op)|"
        r"het (?:\w+ )?zwaar|niet gek|valt (?:\w+ )?mee|stelt (?:\w+ )?niks voor",
        "the bot does not guess how a child feels or who it is",
        "leave it out",
        r"boos (?:ben|word|zijn kan) ik|computer kan niet",
    ),
    _rule(
        "human",
        r"ik (?:ben|was) (?:ook |zelf |echt |gewoon |eigenlijk )*(?:een |de |je |jouw )(?!computer|robot|chatbot|"
        r"computer)\w+|ik ben (?:geen|niet een) (?:computer|robot|bot|machine)|"
        r"ik (?:heet|luister|kijk|blijf bij|ben bij|kom naar|wacht op|praat|zorg|let op)|(?:luister|kijk|"
        r"blijf) ik (?:naar|bij|met)|mijn naam|noem (?:me|mij)|"
        r"(?:vriend|maatje|vriendin) van je|(?:wij|we) zijn vrienden|praat (?:\w+ )?met een echte? mens|(?:ik ben|"
        r"ben ik) (?:er|hier)(?: \w+)* voor (?:je|jou)|(?:je )?bent niet alleen",
        "the bot is a computer: no person, no name, no friend",
        "write: Ik ben een computer, geen mens",
    ),
    _rule(
        "human",
        r"als (?:moeder|vader|ouder|mens|hulpverlener) (?:weet|snap|begrijp|ben)|toen ik (?:jong|klein|kind)|"
        r"wij mensen|ons mensen|geen (?:computer|robot|bot)",
        "the bot is a computer and says so",
        "write: Ik ben een computer, geen mens",
    ),
    _rule(
        "small-talk",
        r"hoe (?:gaat het|voel je|is het|was je)|haha|hihi|lol|leuk(?:e)? (?:je|dat|om)|gezellig|tot (?:morgen|snel|"
        r"straks)|kom (?:\w+ )?(?:snel|morgen|elke dag) (?:\w+ )?terug|"
        r"praat (?:nog )?(?:even )?met mij|blijf (?:nog )?(?:even )?(?:praten|typen)|mis(?:te)? je|mijn favoriet\w*|"
        r"vertel ik je een",
        "the bot keeps nobody talking; it hands over",
        "leave it out",
    ),
    _rule(
        "contact",
        r"(?:ik|wij|we|gemeente|burgemeester|iemand|mens)(?: \w+)? (?:bel|belt|bellen|stuur|stuurt|sturen|waarschuw|"
        r"waarschuwt|waarschuwen|meld|meldt|melden|informeer\w*|mail\w*)"
        r"(?: \w+){0,3} (?:politie|school|juf|meester|leraar|veilig thuis|raad|112|\{noodnummer\}|\{veilig_thuis\}|"
        r"iedereen|hem|haar)|politie|ambulance|wijkagent",
        "the bot tells nobody but the human of the gemeente, and sends nobody",
        "say only: Ik geef het door aan een mens",
    ),
)
