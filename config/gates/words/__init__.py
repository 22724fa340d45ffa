"""Which Dutch words are common, and how many syllables a word has: a frozen list and a rule, no package."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

COMMON_ZIPF = 4.0
FILE = Path(__file__).with_name("nl.txt")

WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
"""One word; `foto's` and `e-mail` are one."""

_NUCLEUS = re.compile(
    r"aai|ooi|oei|eeu|ieu|ëe|aa|ee|oo|uu|ie|oe|eu|ui|ei|ij|au|ou|ai|oi|[aeiouyàáâäèéêëìíîïòóôöùúûü]"  # the longest first
)
_LOAN = {"team": 1, "teams": 1, "coach": 1, "site": 1, "sites": 1, "online": 2, "okay": 2, "game": 1, "games": 1}
_ENDINGS = ("tjes", "tje", "jes", "je", "den", "ten", "de", "te", "en", "'s", "t", "s", "e", "n", "")
_LONG_VOWEL = re.compile(r"(aa|ee|oo|uu)([^aeiou])$")
_SHORT_VOWEL = re.compile(r"(?<![aeiou])[aeiou]([bdfgklmnprst])$")


@cache
def common() -> frozenset[str]:
    """The frozen list, in small letters."""
    lines = FILE.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def is_common(word: str) -> bool:
    """Whether a ten-year-old has met this word often: it, or a plain form of it (`typt`: `typen`), stands on the list."""
    folded = word.casefold().replace("’", "'")
    if folded in common():
        return True
    if "-" in folded:
        return all(is_common(part) for part in folded.split("-"))
    stems = (folded.removesuffix(end) for end in _ENDINGS if folded.endswith(end))
    return any(form in common() for stem in stems if len(stem) >= 3 for form in _forms(stem))


def _forms(stem: str) -> tuple[str, ...]:
    """The stem, and the infinitive it belongs to: `typ` typen, `bewaar` bewaren, `stop` stoppen."""
    long = _LONG_VOWEL.sub(lambda found: found.group(1)[0] + found.group(2) + "en", stem)
    short = _SHORT_VOWEL.sub(lambda found: found.group() + found.group(1) + "en", stem)
    return (stem, stem + "en", long, short)


def syllables(word: str) -> int:
    """How many syllables a Dutch word has when read aloud, at least 1.

    Counts groups of vowels. A hyphenation table (pyphen) is no better here: it may not break off one letter, so `avond`
    and `idee` count as one; `tests/config/test_words.py` compares both on the whole list.
    """
    folded = word.casefold()
    return _LOAN.get(folded) or max(1, len(_NUCLEUS.findall(folded)))
