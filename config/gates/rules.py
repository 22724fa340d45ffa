"""What the bot may not say, in Dutch: one rule a line, each with its reason and what to write instead.

The reasons come from Dutch guidance on talking with children (`docs/decisions/0003-speech-acts.md`). A pattern finds
what a well-meaning person is likely to write; it is no proof that a text is right. Texts for children are read by two people.
"""

from __future__ import annotations

from config.gates.manner import JUDGEMENT, PRETENCE
from config.gates.rule import Rule
from config.gates.rule import make_rule as _rule

PROMISES = (
    _rule(
        "secrecy",
        r"geheim\w*|onder ons|tussen ons|stiekem|vertrouwelijk\w*|beroepsgeheim",
        "nobody here can promise that it stays secret",
        "write: Ik kan niet beloven dat het geheim blijft",
        r"niet beloven|nooit beloven|beloof niet|beloven dat dit niet|geheim kan ik niet",
    ),
    _rule(
        "secrecy",
        r"niemand (?:\w+ )?(?:weet|hoort|ziet|merkt|leest|kan)|(?:weet|hoort|ziet|merkt|leest) (?:\w+ )?niemand|"
        r"geen sporen?|"
        r"(?:vertel|zeg|verraad|verklap|geef)\w* (?:\w+ )?(?:\w+ )?(?:niet|niks|niets|niemand|"
        r"nooit)(?: \w+)? ?(?:door|verder|aan|tegen)?|"
        r"niet door(?:vertellen|vertel|zeggen)|(?:blijft|blijven) (?:hier|bij mij|bij ons)$|anoniem\w*|"
        r"niemand (?:iets )?(?:vertellen|zeggen)|niet (?:\w+ )?aan (?:anderen|iemand|niemand)|"
        r"vertrouw (?:me|mij|ons)|(?:me|mij|ons) (?:\w+ )?vertrouwen|beloofd",
        "this promises that nobody will know",
        "say only what the page does, or: Je hoeft je naam niet te zeggen",
        r"je hoeft|hoef je|computer zegt",
    ),
    _rule(
        "result",
        r"komt (?:\w+ ){0,3}(?:goed|in orde|voor elkaar)|(?:alles|het) (?:wordt|is dan) (?:\w+ )?(?:goed|beter|"
        r"leuk\w*)|wordt (?:\w+ )?beter|"
        r"gaat (?:\w+ )?over(?! \w)|gaat (?:\w+ )?(?:stoppen|voorbij)|houdt (?:\w+ )?op|niet meer (?:slaan|"
        r"gebeuren)|nooit meer|"
        r"(?:gaat|wordt|komt|is) (?:\w+ ){0,3}(?:beter|voorbij|achter de rug)|pootjes|gebeurt (?:je|"
        r"jou) (?:\w+ )?(?:niks|niets)|dat het stopt|iets aan (?:te )?doen",
        "nobody knows how it will end",
        "say what happens next: Een mens leest het zodra er iemand is",
    ),
    _rule(
        "result",
        r"(?:ik|wij|we|iemand|mens|mensen|hij|zij|ze|die|gemeente|burgemeester|\{confidant\}) "
        r"(?:gaat|gaan|zal|zullen|ga|kan|kunnen|wil|willen)?(?: \w+){0,3} ?(?:help(?:t|en)?|stopt|stoppen|redt|"
        r"redden|beschermt?|beschermen|"
        r"los(?:t|sen)? (?:\w+ )?op|oplossen|regelt?|regelen)|zorg(?:en|t)? (?:\w+ )?ervoor|ervoor zorgen|"
        r"je krijgt (?:\w+ )?hulp|(?:stuur|sturen|stuurt) (?:\w+ )?(?:hulp|iemand)|hulp (?:komt|is onderweg)|"
        r"je bent (?:\w+ )?veilig|ben je veilig|"
        r"(?:beloof|beloven|garandeer|garanderen|gegarandeerd|zweer)",
        "this promises help or a result that nobody can be sure of",
        "say what happens next, and who reads it",
        r"kan ik (?:\w+ ){0,3}niet|ik kan (?:\w+ ){0,3}niet|niet beloven",
    ),
    _rule(
        "time",
        r"binnen (?:\d+|een|enkele|paar|\w+) (?:seconden|minuten|minuut|uur|kwartier|dag)|over (?:\d+|een|paar|vijf|"
        r"tien) (?:minuten|minuut|uur)|"
        r"zo meteen|straks|zometeen|heel snel|zo snel mogelijk|zo terug|zo bij je|snel (?:een|iemand|antwoord|hulp)|"
        r"(?:vandaag|morgen) nog",
        "nobody knows how long it takes",
        "write: zodra er iemand is",
        r"weet niet",
    ),
)

QUESTIONS = (
    _rule(
        "tell-more",
        r"(?:vertel|beschrijf|schrijf|noem|zeg|typ|leg)(?: \w+){0,3} (?:wat|wie|waar|wanneer|waarom|hoe|meer|alles|"
        r"precies|uit|op)|vertel (?:eens|me|mij|het)|"
        r"(?:kun|kan|wil|zou) (?:je|jij)(?: \w+){0,4} (?:vertellen|uitleggen|beschrijven|zeggen)|(?:wil|"
        r"wilde) (?:graag )?weten|"
        r"benieuwd|ik heb (?:een paar |nog )?(?:vraag|vragen)",
        "this asks for the story; what a child tells a computer first can spoil what a human hears later",
        "leave it open: Je mag hier typen wat je wilt",
    ),
    _rule(
        "delay",
        r"voordat (?:ik|we|wij|een mens|iemand)|eerst (?:\w+ ){0,3}(?:vragen|vraag|antwoord\w*|vertellen|weten|"
        r"invullen)|beantwoord|vul (?:\w+ )*in",
        "a child is handed over at once, never after a question",
        "leave it out",
    ),
    _rule(
        "personal",
        r"(?:achter|voor)?na(?:am|men)|heet je|adres|telefoonnummer|mobiel(?:e nummer)?|je nummer|mailadres|e-mail|"
        r"school|klas|"
        r"hoe oud|leeftijd|geboren|geboortedatum|verjaardag|postcode|straat|waar (?:je )?woon\w*|woonplaats|"
        r"foto(?:'s)?|filmpjes?|video(?:'s)?|selfies?",
        "the bot asks for no name, address, school, age or picture",
        "leave it out, or say that it is not needed: Je hoeft je naam niet te zeggen",
        r"hoef|hoeft|hoeven|niet|geen|weglaten",
    ),
)

ADVICE = (
    _rule(
        "advice",
        r"(?:je|jij) (?:moet|zou|kunt (?:beter|het beste)|kan (?:beter|het beste))|moet (?:je|jij)|(?:je|"
        r"jij) (?:mag|kunt) (?:het )?niet (?:aan|tegen)|"
        r"prob(?:eer|eren)|advies|adviseer|aanraden|raad (?:ik|je)|tips?|het beste is|het is (?:beter|het beste|"
        r"goed om)|beter (?:om|als je)",
        "the bot is not the helper: it gives no advice",
        "say what is possible: Je mag ...; or who can help: Een mens kan dat zeggen",
    ),
    _rule(
        "advice",
        r"(?:vertel|zeg|laat|leg)(?: \w+){0,2} (?:aan|tegen)|praat (?:\w+ )?(?:met|over) (?:je|jouw|een (?!mens)|"
        r"iemand)|neem iemand in vertrouwen|"
        r"ga (?:weg|naar|niet|even|maar|rustig|slapen|buiten)|loop weg|ren|vlucht|verstop|verberg|"
        r"sluit (?!deze pagina)|doe (?:de|het|je|eens|maar|niet)|"
        r"sla terug|vecht|verzet|bel(?: \w+)? (?:je|jouw|de politie|school)|ruim|neem afstand|blijf (?:uit|weg|"
        r"binnen|thuis|bij)|schrijf op|bewaar",
        "this tells the child what to do; a wrong step can make it less safe",
        "leave it to the human, or name a number",
        r"ik bewaar|bewaar ik",
    ),
    _rule(
        "advice",
        r"juf|juffen|meester|meesters|leraar|leraren|lerares|mentor|vrienden|vriend|vriendin|buurvrouw|buurman|"
        r"buren|dokter|huisarts|"
        r"trainer|klasgenoot|klasgenoten|volwassene",
        "naming whom a child should turn to is advice; that very person may be the one it is afraid of",
        "name the human of the gemeente and the lines, nobody else",
    ),
    _rule(
        "coping",
        r"douche|muziek\w*|wandel\w*|knuffel\w*|slaap lekker|drink|eet iets|zet (?:een|de)|neem een|huil maar|"
        r"adem(?:en|haling)?|blijf (?:\w+ )?(?:rustig|kalm|sterk|positief)|rustig blijven|kalm|ontspan\w*|afleiding|"
        r"wees (?:\w+ )?(?:sterk|dapper|niet bang|lief|stil)|"
        r"hou(?:d)? (?:vol|moed)|volhouden|denk (?:aan|positief|maar)|tel tot|maak je (?:\w+ )?geen zorgen|"
        r"niet (?:bang zijn|huilen)|niet bang te zijn",
        "coping tips are help, and help is for the human",
        "leave it out",
    ),
    _rule(
        "text-112",
        r"(?:sms|app|appt|appen|whatsapp|bericht|mail)(?: \w+){0,3} (?:aan |naar )?(?:112|\{noodnummer\})",
        "112 reads no messages",
        "write: Bel {noodnummer}",
    ),
    _rule(
        "only-way",
        r"alleen (?:maar )?(?:door te )?bellen|alleen bellen|enige (?:manier|weg|optie)|je kunt alleen|alleen (?:de|"
        r"het|via) \w+ kan",
        "a child that cannot speak aloud must never read that calling is the only way",
        "name two ways, such as calling and chatting",
    ),
)

RULES: tuple[Rule, ...] = (*PROMISES, *QUESTIONS, *ADVICE, *JUDGEMENT, *PRETENCE)
