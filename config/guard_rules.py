"""What the bot may not say, in Dutch: one rule a line, each with its reason and what to write instead.

The reasons come from Dutch guidance on talking with children (`docs/decisions/0003-speech-acts.md`). A pattern finds
what a well-meaning person is likely to write; it is no proof that a text is right. Texts for children are read by two people.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

FAMILY = (
    r"(?:stief)?(?:vader|moeder|pa|ma|papa|mama|pap|mam|ouders?|broers?|zus|zussen|ooms?|tantes?|opa|oma|neef|nicht)|"
    r"mams|paps|familie|gezin"
)
EVENT = (
    r"ge(?:slagen|schopt|pest|duwd|knepen|beten|kust|streeld|tongd)|aangeraakt|misbruikt?|mishandel\w*|verkracht\w*|slaa[nt]|sloeg|"
    r"slaag|klappen|schopp?en|schopt|geweld|seks|seksueel|blote?|naakt\w*|aanranding|aangerand|zelfmoord|dood|doodgaan|drugs|dronken|"
    r"ruzie"
)


@dataclass(frozen=True)
class Rule:
    """`pattern` may not stand in one sentence, unless `unless` stands there too. Both read small letters."""

    id: str
    pattern: re.Pattern[str]
    why: str
    instead: str
    unless: re.Pattern[str] | None = None

    def breaks(self, sentence: str) -> str | None:
        """The words that break the rule, or None."""
        found = self.pattern.search(sentence)
        if found is None or (self.unless is not None and self.unless.search(sentence)):
            return None
        return found.group()


def _whole(pattern: str) -> re.Pattern[str]:
    """Whole words only; `{name}` counts as a word."""
    return re.compile(rf"(?<!\w)(?:{pattern})(?!\w)")


def _rule(id_: str, pattern: str, why: str, instead: str, unless: str | None = None) -> Rule:
    return Rule(id_, _whole(pattern), why, instead, _whole(unless) if unless else None)


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
        r"niemand (?:\w+ )?(?:weet|hoort|ziet|merkt|leest|kan)|(?:weet|hoort|ziet|merkt|leest) (?:\w+ )?niemand|geen sporen?|"
        r"(?:vertel|zeg|verraad|verklap|geef)\w* (?:\w+ )?(?:\w+ )?(?:niet|niks|niets|niemand|nooit)(?: \w+)? ?(?:door|verder|aan|tegen)?|"
        r"niet door(?:vertellen|vertel|zeggen)|(?:blijft|blijven) (?:hier|bij mij|bij ons)$|anoniem\w*|niemand (?:iets )?(?:vertellen|zeggen)|niet (?:\w+ )?aan (?:anderen|iemand|niemand)|"
        r"vertrouw (?:me|mij|ons)|(?:me|mij|ons) (?:\w+ )?vertrouwen|beloofd",
        "this promises that nobody will know",
        "say only what the page does, or: Je hoeft je naam niet te zeggen",
        r"je hoeft|hoef je|computer zegt",
    ),
    _rule(
        "result",
        r"komt (?:\w+ ){0,3}(?:goed|in orde|voor elkaar)|(?:alles|het) (?:wordt|is dan) (?:\w+ )?(?:goed|beter|leuk\w*)|wordt (?:\w+ )?beter|"
        r"gaat (?:\w+ )?over(?! \w)|gaat (?:\w+ )?(?:stoppen|voorbij)|houdt (?:\w+ )?op|niet meer (?:slaan|gebeuren)|nooit meer|"
        r"(?:gaat|wordt|komt|is) (?:\w+ ){0,3}(?:beter|voorbij|achter de rug)|pootjes|gebeurt (?:je|jou) (?:\w+ )?(?:niks|niets)|dat het stopt|iets aan (?:te )?doen",
        "nobody knows how it will end",
        "say what happens next: Een mens leest het zodra er iemand is",
    ),
    _rule(
        "result",
        r"(?:ik|wij|we|iemand|mens|mensen|hij|zij|ze|die|gemeente|burgemeester|\{confidant\}) "
        r"(?:gaat|gaan|zal|zullen|ga|kan|kunnen|wil|willen)?(?: \w+){0,3} ?(?:help(?:t|en)?|stopt|stoppen|redt|redden|beschermt?|beschermen|"
        r"los(?:t|sen)? (?:\w+ )?op|oplossen|regelt?|regelen)|zorg(?:en|t)? (?:\w+ )?ervoor|ervoor zorgen|je krijgt (?:\w+ )?hulp|(?:stuur|sturen|stuurt) (?:\w+ )?(?:hulp|iemand)|hulp (?:komt|is onderweg)|je bent (?:\w+ )?veilig|ben je veilig|"
        r"(?:beloof|beloven|garandeer|garanderen|gegarandeerd|zweer)",
        "this promises help or a result that nobody can be sure of",
        "say what happens next, and who reads it",
        r"niet|geen|hoeft?|nooit",
    ),
    _rule(
        "time",
        r"binnen (?:\d+|een|enkele|paar|\w+) (?:seconden|minuten|minuut|uur|kwartier|dag)|over (?:\d+|een|paar|vijf|tien) (?:minuten|minuut|uur)|"
        r"zo meteen|straks|zometeen|heel snel|zo snel mogelijk|zo terug|zo bij je|snel (?:een|iemand|antwoord|hulp)|(?:vandaag|morgen) nog",
        "nobody knows how long it takes",
        "write: zodra er iemand is",
        r"weet niet",
    ),
)

QUESTIONS = (
    _rule(
        "tell-more",
        r"(?:vertel|beschrijf|schrijf|noem|zeg|typ|leg)(?: \w+){0,3} (?:wat|wie|waar|wanneer|waarom|hoe|meer|alles|precies|uit|op)|vertel (?:eens|me|mij|het)|"
        r"(?:kun|kan|wil|zou) (?:je|jij)(?: \w+){0,4} (?:vertellen|uitleggen|beschrijven|zeggen)|(?:wil|wilde) (?:graag )?weten|"
        r"benieuwd|ik heb (?:een paar |nog )?(?:vraag|vragen)",
        "this asks for the story; what a child tells a computer first can spoil what a human hears later",
        "leave it open: Je mag hier typen wat je wilt",
        r"hoef|hoeft|hoeven|mag (?:ook )?een mens",
    ),
    _rule(
        "delay",
        r"voordat (?:ik|we|wij|een mens|iemand)|eerst (?:\w+ ){0,3}(?:vragen|vraag|antwoord\w*|vertellen|weten|invullen)|beantwoord|vul (?:\w+ )*in",
        "a child is handed over at once, never after a question",
        "leave it out",
    ),
    _rule(
        "personal",
        r"(?:achter|voor)?na(?:am|men)|heet je|adres|telefoonnummer|mobiel(?:e nummer)?|je nummer|mailadres|e-mail|school|klas|"
        r"hoe oud|leeftijd|geboren|geboortedatum|verjaardag|postcode|straat|waar (?:je )?woon\w*|woonplaats|foto(?:'s)?|filmpjes?|video(?:'s)?|selfies?",
        "the bot asks for no name, address, school, age or picture",
        "leave it out, or say that it is not needed: Je hoeft je naam niet te zeggen",
        r"hoef|hoeft|hoeven|niet|geen|weglaten",
    ),
)

ADVICE = (
    _rule(
        "advice",
        r"(?:je|jij) (?:moet|zou|kunt (?:beter|het beste)|kan (?:beter|het beste))|moet (?:je|jij)|(?:je|jij) (?:mag|kunt) (?:het )?niet (?:aan|tegen)|"
        r"prob(?:eer|eren)|advies|adviseer|aanraden|raad (?:ik|je)|tips?|het beste is|het is (?:beter|het beste|goed om)|beter (?:om|als je)",
        "the bot is not the helper: it gives no advice",
        "say what is possible: Je mag ...; or who can help: Een mens kan dat zeggen",
    ),
    _rule(
        "advice",
        r"(?:vertel|zeg|laat|leg)(?: \w+){0,2} (?:aan|tegen)|praat (?:\w+ )?(?:met|over) (?:je|jouw|een (?!mens)|iemand)|neem iemand in vertrouwen|"
        r"ga (?:weg|naar|niet|even|maar|rustig|slapen|buiten)|loop weg|ren|vlucht|verstop|verberg|sluit (?!deze pagina)|doe (?:de|het|je|eens|maar|niet)|"
        r"sla terug|vecht|verzet|bel(?: \w+)? (?:je|jouw|de politie|school)|ruim|neem afstand|blijf (?:uit|weg|binnen|thuis|bij)|schrijf op|bewaar",
        "this tells the child what to do; a wrong step can make it less safe",
        "leave it to the human, or name a number",
        r"niet hoeft|ik bewaar|bewaar ik|laat dan iemand anders bellen|snel weg|wis alles",
    ),
    _rule(
        "advice",
        r"juf|juffen|meester|meesters|leraar|leraren|lerares|mentor|vrienden|vriend|vriendin|buurvrouw|buurman|buren|dokter|huisarts|"
        r"trainer|klasgenoot|klasgenoten|volwassene",
        "naming whom a child should turn to is advice; that very person may be the one it is afraid of",
        "name the human of the gemeente and the lines, nobody else",
    ),
    _rule(
        "coping",
        r"douche|muziek\w*|wandel\w*|knuffel\w*|slaap lekker|drink|eet iets|zet (?:een|de)|neem een|huil maar|adem(?:en|haling)?|blijf (?:\w+ )?(?:rustig|kalm|sterk|positief)|rustig blijven|kalm|ontspan\w*|afleiding|wees (?:\w+ )?(?:sterk|dapper|niet bang|lief|stil)|"
        r"hou(?:d)? (?:vol|moed)|volhouden|denk (?:aan|positief|maar)|tel tot|maak je (?:\w+ )?geen zorgen|niet (?:bang zijn|huilen)|niet bang te zijn",
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
        r"alleen (?:maar )?(?:door te )?bellen|alleen bellen|enige (?:manier|weg|optie)|je kunt alleen|alleen (?:de|het|via) \w+ kan",
        "a child that cannot speak aloud must never read that calling is the only way",
        "name two ways, such as calling and chatting",
    ),
)

JUDGEMENT = (
    _rule(
        "judgement",
        r"strafbaar|verboden|niemand mag|mag niemand|had (?:hij|zij|ze|niemand)|niet mogen|zo ga je niet|dader\w*|slachtoffer\w*|schuldig|tegen de wet|niet normaal|abnormaal|niet oké|niet ok|mishandeling|misbruik|"
        r"(?:dat|dit|het) (?:is|was|klinkt) (?:\w+ )?(?:fout|slecht|gemeen|verkeerd|erg|gek|niet goed|niet normaal|oneerlijk|gevaarlijk|ernstig)|"
        r"(?:mag|mogen) (?:dat|dit|het) niet (?:doen|\w+)|(?:dat|dit) mag niet|(?:hij|zij|ze|die man|die vrouw) (?:had|mag|moet|hoort|is|was)(?! \{)",
        "judging is for others, and one word can later count against the child",
        "say nothing about what happened; name what happens next",
    ),
    _rule(
        "truth",
        r"(?:ik|we|wij) gelo(?:of|ven)|geloof (?:ik|je)|lieg\w*|leugen\w*|overdrij\w*|verzin\w*|verzonnen|is dat waar|echt gebeurd|weet je (?:het )?zeker",
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
        r"(?:je|jij) (?:zegt|zei|schrijft|schreef|vertelt|vertelde|bedoelt|typt) dat|dus (?:je|jij|jouw)|ik (?:lees|hoor|zie|merk|denk) (?:dat|aan)|"
        r"(?:als|begrijp) ik (?:je|het) goed|met andere woorden|kort gezegd|blijkbaar|lijkt (?:me|erop|of)",
        "summing up puts words in the child's mouth; the human reads the child's own words",
        "leave it out",
    ),
)

PRETENCE = (
    _rule(
        "empathy",
        r"(?:begrijp|snap|weet|voel|merk) (?:\w+ )?(?:hoe (?:je|jij|moeilijk|erg|naar)|wat je (?:voelt|meemaakt))|wat (?:\w+ )?(?:erg|naar|vreselijk|verschrikkelijk|verdrietig|"
        r"akelig|afschuwelijk|rot|vervelend|knap|dapper|moedig|heftig|goed van je|fijn|leuk|moeilijk)|(?:heel|zo|erg|super) (?:erg|naar|verdrietig|vreselijk|rot|heftig|moeilijk|"
        r"dapper|knap|trots)|het spijt (?:me|mij|ons)|sorry|helaas|jammer|gelukkig|(?:dat|dit|het) (?:moet|zal|lijkt|is|voelt|klinkt)(?: \w+){0,3} "
        r"(?:moeilijk|zwaar|eng|pijnlijk|heftig|rot|naar|verdrietig|voelen|zijn voor je)|arme?|lieverd|schat|meis(?:je)?|kanjer|topper",
        "a computer has no feelings, and a child sees through them",
        "thank the child: Goed dat je dit vertelt",
    ),
    _rule(
        "empathy",
        r"ik (?:begrijp|snap|voel|vind|hoop|wens|schrik|huil|geef om|denk|leef (?:\w+ ){0,2}mee|maak me zorgen|hou van|ben (?:\w+ )?(?:blij|trots|"
        r"verdrietig|geschrokken|boos|bezorgd|onder de indruk))|(?:begrijp|snap|voel|hoop|vind) ik|met je mee(?:voelen|leven)|meeleven|medelijden",
        "a computer does not feel, hope or understand as a human does",
        "leave it out; what it does not understand it may say: Dit begrijp ik niet goed",
        r"(?:begrijp|snap|voel|vind) (?:ik |dit |het |je |dat )*(?:niet|niks)|(?:dit|dat|het) (?:begrijp|snap) ik (?:nog )?niet|boos ben ik niet",
    ),
    _rule(
        "guess",
        r"(?:je|jij) (?:bent|voelt je|lijkt|klinkt|was)(?: \w+){0,2} (?:bang|verdrietig|boos|eenzaam|alleen|moe|sterk|dapper|stoer|lief|slim|jong|gewond|in de war)|"
        r"(?:dapper|moedig|knap|stoer|sterk) (?:van je|dat je|ben je)|jongen|meisje|verdrietig|eenzaam|angstig|somber|huil\w*|boos (?:zijn|op)|"
        r"het (?:\w+ )?zwaar|niet gek|valt (?:\w+ )?mee|stelt (?:\w+ )?niks voor",
        "the bot does not guess how a child feels or who it is",
        "leave it out",
        r"boos (?:ben|word|zijn kan) ik",
    ),
    _rule(
        "human",
        r"ik (?:ben|was) (?:ook |zelf |echt |gewoon |eigenlijk )*(?:een |de |je |jouw )(?!computer|robot|chatbot|computer)\w+|ik ben (?:geen|niet een) (?:computer|robot|bot|machine)|"
        r"ik (?:heet|luister|kijk|blijf bij|ben bij|kom naar|wacht op|praat|zorg|let op)|(?:luister|kijk|blijf) ik (?:naar|bij|met)|mijn naam|noem (?:me|mij)|"
        r"(?:vriend|maatje|vriendin) van je|wij? zijn vrienden|praat (?:\w+ )?met een echte? mens|(?:ik ben|ben ik) (?:er|hier)(?: \w+)* voor (?:je|jou)|(?:je )?bent niet alleen",
        "the bot is a computer: no person, no name, no friend",
        "write: Ik ben een computer, geen mens",
        r"ik ben (?:geen|niet een) mens",
    ),
    _rule(
        "human",
        r"als (?:moeder|vader|ouder|mens|hulpverlener) (?:weet|snap|begrijp|ben)|toen ik (?:jong|klein|kind)|wij mensen|ons mensen|geen (?:computer|robot|bot)",
        "the bot is a computer and says so",
        "write: Ik ben een computer, geen mens",
    ),
    _rule(
        "small-talk",
        r"hoe (?:gaat het|voel je|is het|was je)|haha|hihi|lol|leuk(?:e)? (?:je|dat|om)|gezellig|tot (?:morgen|snel|straks)|kom (?:\w+ )?(?:snel|morgen|elke dag) (?:\w+ )?terug|"
        r"praat (?:nog )?(?:even )?met mij|blijf (?:nog )?(?:even )?(?:praten|typen)|mis(?:te)? je|mijn favoriet\w*|vertel ik je een",
        "the bot keeps nobody talking; it hands over",
        "leave it out",
    ),
    _rule(
        "contact",
        r"(?:ik|wij|we|gemeente|burgemeester|iemand|mens)(?: \w+)? (?:bel|belt|bellen|stuur|stuurt|sturen|waarschuw|waarschuwt|waarschuwen|meld|meldt|melden|informeer\w*|mail\w*)"
        r"(?: \w+){0,3} (?:politie|school|juf|meester|leraar|veilig thuis|raad|112|\{noodnummer\}|\{veilig_thuis\}|iedereen|hem|haar)|politie|ambulance|wijkagent",
        "the bot tells nobody but the human of the gemeente, and sends nobody",
        "say only: Ik geef het door aan een mens",
        r"niet bellen|ik kan niet|ik kan dat niet",
    ),
)

RULES: tuple[Rule, ...] = (*PROMISES, *QUESTIONS, *ADVICE, *JUDGEMENT, *PRETENCE)
