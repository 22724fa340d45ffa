"""Finding the passive in a short Dutch sentence ("wordt gelezen", "is opgeslagen"): it hides who does it."""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORDEN = frozenset({"word", "wordt", "worden", "werd", "werden"})
_ZIJN = frozenset({"ben", "bent", "is", "zijn", "was", "waren"})

_PREFIX = r"(?:aan|achter|af|binnen|bij|door|in|mee|na|om|onder|op|over|samen|tegen|terug|toe|uit|vast|voor|weg)?"
_GE = re.compile(_PREFIX + r"ge[^\W\d_]+(?:d|t|en)")
_OTHER = re.compile(_PREFIX + r"(?:be|ver|ont|her|er)[^\W\d_]+(?:d|t|en)")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NO_PARTICIPLE = _words("""
    geld geduld gebied geluid gezond geweld gezicht gedicht gewicht gebed geest gebit gerust gegrond gezicht gehecht gezinnen
    gevoelens gesprekken geheimen gevaren gedachten gelijken getallen gebouwen geven geloven gebeuren genieten gebruiken gelden
    bericht berichten verdriet bekend beeld beelden bed bedden bent best beest beesten verkeerd vertrouwd verliefd bereid verten
    bezet bezoeken beloven bewaren begrijpen beginnen betekent vertellen verstaan verstoppen verwachten verlaten ervaren
    vergeten ontmoeten ontvangen herinneren bellen beter beste verder hert herten eren erft verschillend verbaasd""")
_HAPPENED = _words("""
    gekomen gegaan geweest gebleven gebeurd geworden gelukt gevallen geboren gestopt geschrokken gestorven getrouwd gescheiden
    gewend gegroeid geland gezakt geslaagd gesloten gewond geopend binnengekomen teruggekomen weggegaan meegekomen
    aangekomen weggelopen opgestaan begonnen verdwenen vertrokken verhuisd bevallen ontstaan overleden""")
"""With `is` these say what somebody did or how something is; that is not passive."""


def passive(words: Sequence[str]) -> bool:
    """Whether the words of one sentence hold a passive."""
    folded = [word.casefold() for word in words]
    done = [word for word in folded if _is_participle(word)]
    if any(word in _WORDEN for word in folded):
        return bool(done)
    if any(word in _ZIJN for word in folded):
        return any(word not in _HAPPENED for word in done)
    return "geworden" in folded and len(done) > 1


def _is_participle(word: str) -> bool:
    if word in _NO_PARTICIPLE or len(word) < 5:
        return False
    return bool(_GE.fullmatch(word) or _OTHER.fullmatch(word))
