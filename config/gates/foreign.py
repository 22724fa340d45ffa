"""The short word list for the languages that the rules of `rules` cannot read: promises, pity, advice, and 'now'.

A native speaker reads each text before a gemeente goes live; this list keeps out what no reader should have to find.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from config.faults import Finding
from config.gates.sentences import folded, split
from config.schema import Condition

_FORBIDDEN: Mapping[str, str] = {
    "en": (
        r"promise|secret|confidential|anonymous|will be (?:ok|okay|fine|alright)|safe now|you(?:'re| are) safe|"
        r"you (?:must|should|need to)|i (?:understand|feel|know how)|sorry|tell (?:me|your|us)|what happened|"
        r"i am (?:a|your) (?:human|person|friend)|abuse|illegal|i believe"
    ),
    "tr": (
        r"söz ver\w*|gizli\w*|sır|her şey (?:düzelecek|iyi olacak)|güvendesin|\w*malısın|\w*melisin|seni anlıyorum|"
        r"üzgünüm|anlat\w*|ne oldu|ben (?:bir )?insanım"
    ),
    "ar": (
        r"أعدك|وعد|سر|سري|ستكون بخير|سيكون كل شيء|أنت بأمان|يجب عليك|عليك أن|أفهمك|أشعر|آسف|أخبرني|احك لي|ماذا حدث|"
        r"أنا إنسان"
    ),
    "pl": (
        r"obiecuj\w*|sekret\w*|tajemnic\w*|poufn\w*|będzie dobrze|jesteś bezpieczn\w*|musisz|powinn\w*|rozumiem|przykro|"
        r"opowiedz|powiedz|co się stało|jestem człowiekiem"
    ),
    "uk": (
        r"обіця\w*|секрет\w*|таємниц\w*|все буде добре|ти в безпеці|мусиш|повин\w*|розумію|шкода|розкажи|скажи|"
        r"що сталося|я людина"
    ),
    "fa": (r"قول می‌?دهم|راز|محرمانه|درست می‌?شود|در امانی|باید|درکت می‌?کنم|متاسفم|متأسفم|تعریف کن|بگو|چه شد|من انسانم"),
    "ti": r"ቃል እኣቱ|ምስጢር|ኩሉ ጽቡቕ ክኸውን|ውሑስ ኢኻ|ኣለካ|ኣለኪ|ይርድኣኒ|ይቕሬታ|ንገረኒ|ንገርኒ|እንታይ ኣጋጢሙ|ኣነ ሰብ እየ",
    "es": (
        r"promet\w*|secreto|confidencial|todo (?:irá|va a ir|estará) bien|estás a salvo|debes|tienes que|deberías|"
        r"te entiendo|lo siento|cuéntame|dime|qué pasó|soy una persona|soy humano"
    ),
    "fr": (
        r"promets?|secret|confidentiel\w*|tout ira bien|tu es en sécurité|tu dois|il faut|tu devrais|je comprends|"
        r"désolée?|raconte|dis-moi|que s'est-il passé|je suis (?:un humain|une personne)"
    ),
    "de": (
        r"versprech\w*|geheim\w*|vertraulich\w*|alles (?:wird|wieder) gut|in sicherheit|du (?:musst|solltest|sollst)|"
        r"ich verstehe|tut mir leid|erzähl\w*|sag mir|was (?:ist )?passiert|ich bin ein mensch"
    ),
}
_NOW: Mapping[str, str] = {
    "en": r"now|right away",
    "tr": r"şimdi|şu anda|hemen",
    "ar": r"الآن|حالا",
    "pl": r"teraz|zaraz",
    "uk": r"зараз|тепер",
    "fa": r"الان|اکنون|همین حالا",
    "ti": r"ሕጂ",
    "es": r"ahora|ya mismo",
    "fr": r"maintenant|tout de suite",
    "de": r"jetzt|sofort|gerade",
}
_NEGATED = re.compile(r"\b(?:cannot promise|can't promise|no puedo prometer|ne peux pas promettre|kann nicht versprechen)\b")


def judge_foreign(language: str, text: str, when: Mapping[Condition, bool]) -> Iterator[Finding]:
    """What a text in another language than Dutch may not hold."""
    if language not in _FORBIDDEN:
        yield Finding("language", "there is no word list for this language yet; add one to config/gates/foreign.py")
        return
    plain = folded(text)
    if re.search(rf"(?<!\w)(?:{_FORBIDDEN[language]})(?!\w)", _NEGATED.sub("", plain)):
        instead = "say only who you are, the numbers, what is next"
        yield Finding("foreign", f"holds a promise, a question, pity, advice or a judgement; {instead}")
    claims = [s for s in split(plain) if re.search(rf"(?<!\w)(?:{_NOW[language]})(?!\w)", s) and "{noodnummer}" not in s]
    if claims and when.get(Condition.ON_DUTY) is not True and when.get(Condition.CLAIMED) is not True:
        yield Finding("presence", "says what people do now; leave 'now' out, or give the text on_duty: true or claimed: true")
