"""The simple-Dutch gate: can a ten-year-old who is afraid read this at once?

No formula proves that; real children do. The limits keep out what certainly fails. Their sources and the choices made
stand in `docs/decisions/0004-simple-dutch-gate.md`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from config.faults import Finding
from config.gates.passive import passive
from config.gates.words import WORD, is_common, syllables
from config.schema import PLACEHOLDER, PLACEHOLDERS

MAX_SENTENCE_WORDS = 10
MAX_MEAN_WORDS = 8.0
MAX_SENTENCES = 3
MAX_WORDS = 25
MAX_COMMAS = 1
MIN_FLESCH_DOUMA = 80.0
LONG_SYLLABLES = 5
MAX_BUTTON_WORDS = 6

STIFF: Mapping[str, str] = {
    "u": "je",
    "uw": "je",
    "uzelf": "jezelf",
    "indien": "als",
    "tevens": "ook",
    "echter": "maar",
    "reeds": "al",
    "middels": "met",
    "teneinde": "om",
    "omtrent": "over",
    "betreffende": "over",
    "alsmede": "en",
    "dient": "moet, or better: leave it out",
    "dienen": "moeten, or better: leave it out",
    "thans": "nu",
    "wellicht": "misschien",
    "alvorens": "voordat",
    "derhalve": "dus",
    "hetgeen": "wat",
    "jegens": "tegen",
}
"""Words of letters from an office, each with the word a child uses."""

_NUMBER = "0"
_NAME = "Naam"
_WEB = re.compile(r"\b[\w-]+(?:\.[\w-]+)*\.(?:nl|com|org|eu)\b")
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’)]*\s+")
_TOKEN = re.compile(r"(?<!\w)['’]s(?!\w)|\d[\d:.,–-]*|" + WORD.pattern)
_CLITIC = frozenset({"'s", "’s"})


@dataclass(frozen=True, slots=True)
class _Sentence:
    words: tuple[str, ...]  # numbers, names and web addresses included: each is one word to read
    commas: int


def judge_text(text: str, explained: Mapping[str, str]) -> list[Finding]:
    """What is too hard in one bubble. `explained` holds the hard words that are allowed, in small letters."""
    sentences = _sentences(text)
    findings = [*_length(sentences), *_wording(sentences, explained)]
    score = flesch_douma(text, explained)
    if score < MIN_FLESCH_DOUMA:
        needed = f"at least {MIN_FLESCH_DOUMA:.0f}"
        findings.append(Finding("flesch", f"reads hard: Flesch-Douma {score:.0f}, {needed}; use shorter words"))
    return findings


def judge_button(title: str, explained: Mapping[str, str]) -> list[Finding]:
    """What is too hard in the words on a button."""
    sentences = _sentences(title)
    count = sum(len(s.words) for s in sentences)
    findings = list(_wording(sentences, explained))
    if count > MAX_BUTTON_WORDS:
        findings.append(Finding("button", f"has {count} words; a button has at most {MAX_BUTTON_WORDS}"))
    return findings


def flesch_douma(text: str, explained: Mapping[str, str]) -> float:
    """Douma's Dutch form of Flesch's reading ease: 80 and up is easy, 100 easier than most children's books.

    A word that is explained, a name and a number count for the length of the sentence and not for its syllables: a child
    recognises `Kindertelefoon` and dials 0800-0432, it does not spell them.
    """
    sentences = _sentences(text)
    counted = [w for s in sentences for w in s.words if not _is_free(w, explained)]
    if not counted:
        return 100.0
    per_100 = 100 * sum(syllables(w) for w in counted) / len(counted)
    return 206.84 - 0.77 * per_100 - 0.93 * _mean(sentences)


def _length(sentences: list[_Sentence]) -> Iterator[Finding]:
    total = sum(len(s.words) for s in sentences)
    if len(sentences) > MAX_SENTENCES:
        yield Finding("sentences", f"has {len(sentences)} sentences; a bubble has at most {MAX_SENTENCES}")
    if total > MAX_WORDS:
        yield Finding("words", f"has {total} words; a bubble has at most {MAX_WORDS}")
    for i, sentence in enumerate(sentences, start=1):
        count = len(sentence.words)
        if count > MAX_SENTENCE_WORDS:
            yield Finding("sentence", f"sentence {i} has {count} words, at most {MAX_SENTENCE_WORDS}; make two of it")
        if sentence.commas > MAX_COMMAS:
            yield Finding("commas", f"sentence {i} has {sentence.commas} commas, at most {MAX_COMMAS}; make two of it")
    if _mean(sentences) > MAX_MEAN_WORDS:
        mean = f"{_mean(sentences):.1f}"
        yield Finding("mean", f"has {mean} words a sentence on average, at most {MAX_MEAN_WORDS:.0f}")


def _wording(sentences: list[_Sentence], explained: Mapping[str, str]) -> Iterator[Finding]:
    hard: dict[str, str] = {}
    for i, sentence in enumerate(sentences, start=1):
        if passive(sentence.words):
            yield Finding("passive", f"sentence {i} is passive; say who does it: 'een mens leest', not 'wordt gelezen'")
        for word in sentence.words:
            folded = word.casefold()
            if folded in STIFF:
                yield Finding("stiff", f"'{folded}' is a word of the office; write: {STIFF[folded]}")
            elif not _is_free(word, explained) and (why := _hard(word)):
                hard.setdefault(folded, why)
    for word, why in hard.items():
        yield Finding("hard-word", f"'{word[:40]}' is {why}; use an easier word, or explain it in dialogue/explained.yml")


def _hard(word: str) -> str:
    if syllables(word) >= LONG_SYLLABLES:
        return f"long ({syllables(word)} syllables)"
    return "" if is_common(word) else "rare"


def _is_free(word: str, explained: Mapping[str, str]) -> bool:
    return word == _NAME or not word[0].isalpha() or word.casefold() in explained or bool(_WEB.fullmatch(word))


def _mean(sentences: list[_Sentence]) -> float:
    return sum(len(s.words) for s in sentences) / max(1, len(sentences))


def _sentences(text: str) -> list[_Sentence]:
    """The sentences of a bubble as a child reads it: a filled-in number, name or web address is one word."""
    filled = PLACEHOLDER.sub(lambda found: _NAME if found.group(1) in PLACEHOLDERS else _NUMBER, text)
    found = []
    for part in _SENTENCE_END.split(filled.strip()):
        sites = _WEB.findall(part)
        tokens = _TOKEN.findall(_WEB.sub(" ", part))
        words = (*(token for token in tokens if token not in _CLITIC), *sites)
        if words:
            found.append(_Sentence(words, part.count(",") + part.count(";")))
    return found
