"""Which language is this short message in? Pure, small tables, no model: one sentence of a child is all there is.

When unsure between Dutch and another language the answer is Dutch, because the sticker hangs on a Dutch door and a Dutch child
that spells by ear must not be answered in Frisian.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from config.languages import DUTCH
from nlu.language_tables import ARABIC, LETTERS, PERSIAN, SHAPES, WORDS

_LONGEST = 400  # characters looked at: the language shows in the first sentences
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_ARABIC_DIGITS = re.compile(r"[a-z][379][a-z]|\b[379][a-z]{2,}|[a-z]{2,}[379]\b")
_PERSIAN_LETTERS = frozenset("پچژگکی")
_PERSIAN_WORDS = frozenset(PERSIAN.split())
_ARABIC_WORDS = frozenset(ARABIC.split())

_OTHER_SCRIPTS: tuple[tuple[str, str, str], ...] = (
    ("\u0400", "\u052f", "uk"),  # Cyrillic: of the languages the bot has, Ukrainian
    ("\u1200", "\u139f", "ti"),  # Ethiopic
    ("\u2d80", "\u2ddf", "ti"),
    ("\u0600", "\u06ff", "ar"),
    ("\u0750", "\u077f", "ar"),
    ("\ufb50", "\ufdff", "ar"),
    ("\ufe70", "\ufeff", "ar"),
)
_UNSERVED = "en"  # a script the bot has no text for: English is then the better guess than Dutch

_MARGIN = 0.9  # by how much another language must beat Dutch
_SHAPE_WEIGHT = 0.22
_LETTER_WEIGHT = 0.8
_ARABIC_DIGIT_WEIGHT = 1.2


def _weights() -> Mapping[str, tuple[tuple[str, float], ...]]:
    """Word to its weight per language: a word of many languages says little about each."""
    found: dict[str, list[str]] = {}
    for language, words in WORDS.items():
        for word in sorted(set(words.split())):
            found.setdefault(word, []).append(language)
    return MappingProxyType({word: tuple(_share(word, tongues).items()) for word, tongues in found.items()})


def _share(word: str, languages: list[str]) -> dict[str, float]:
    strength = 0.6 if len(word) == 1 else 1.0
    return {language: strength * (1.0 if len(languages) == 1 else 0.6) for language in languages}


_WEIGHTS = _weights()


def detect(text: str) -> str:
    """Guess the language of a message; one of `config.languages.LANGUAGES`, and Dutch when unsure. Never raises."""
    lowered = text[:_LONGEST].replace("İ", "i").lower()
    if lowered.isascii():
        return _latin(lowered)
    return _by_script(lowered) or _latin(lowered)


def _by_script(text: str) -> str | None:
    """The language when most letters are not Latin; None otherwise."""
    latin = 0
    counts: dict[str, int] = {}
    for char in text:
        if not char.isalpha():
            continue
        if char < "\u0250" or "\u1e00" <= char <= "\u1eff":
            latin += 1
            continue
        language = next((code for low, high, code in _OTHER_SCRIPTS if low <= char <= high), _UNSERVED)
        counts[language] = counts.get(language, 0) + 1
    if not counts or sum(counts.values()) <= latin:
        return None
    language = max(counts, key=lambda code: counts[code])
    return _arabic_or_persian(text) if language == "ar" else language


def _arabic_or_persian(text: str) -> str:
    words = text.split()
    persian = sum(1 for char in text if char in _PERSIAN_LETTERS) + 2 * sum(1 for word in words if word in _PERSIAN_WORDS)
    arabic = 2 * sum(1 for char in text if char in "ةىيك") + 2 * sum(1 for word in words if word in _ARABIC_WORDS)
    return "fa" if persian > arabic else "ar"


def _latin(text: str) -> str:
    scores = dict.fromkeys(WORDS, 0.0)
    for word in _WORD.findall(text):
        known = _WEIGHTS.get(word)
        if known is None:
            _add_shapes(scores, word)
            continue
        for language, weight in known:
            scores[language] += weight
    if not text.isascii():
        for language, letters in LETTERS.items():
            scores[language] += _LETTER_WEIGHT * sum(1 for letter in letters if letter in text)
    scores["ary"] += _ARABIC_DIGIT_WEIGHT * min(3, len(_ARABIC_DIGITS.findall(text)))
    best = max(scores, key=lambda code: scores[code])
    return best if scores[best] - scores[DUTCH] >= _MARGIN else _short(text, scores)


def _short(text: str, scores: dict[str, float]) -> str:
    """One or two words: another language only when every known word is its own and none is Dutch."""
    words = _WORD.findall(text)
    if len(words) > 2 or scores[DUTCH] > 0:
        return DUTCH
    best = max(scores, key=lambda code: scores[code])
    own = all(best in dict(_WEIGHTS.get(word, ())) for word in words)
    second = max((score for code, score in scores.items() if code != best), default=0.0)
    return best if own and scores[best] - second >= 0.5 else DUTCH


_ANY_SHAPE = re.compile("|".join(sorted({re.escape(shape) for shapes in SHAPES.values() for shape in shapes})))


def _add_shapes(scores: dict[str, float], word: str) -> None:
    if not _ANY_SHAPE.search(word):
        return
    for language, shapes in SHAPES.items():
        for shape in shapes:
            if shape in word:
                scores[language] += _SHAPE_WEIGHT
