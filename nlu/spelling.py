"""Puts a word that the model never saw right: the known word that a child most likely meant.

The known words are those of the training data, the most frequent first. Used in Rasa (`nlu/rasa/spelling_corrector.py`) and in the
carried model. Pure; runs on Python 3.10 and later; keeps nothing of what it reads. A change here needs a new training.

It is a noisy channel: of all known words that sound alike or are one slip of the finger away, the one with the lowest sum of
what the slip costs and how rare the word is (by Zipf's law its frequency is about 1 over its rank). The costs are about
-ln of how often such a slip happens, in steps that were tried on training sentences with typos (docs/decisions/0010).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import log
from types import MappingProxyType

from nlu.text import sound

NEIGHBOURS: Mapping[str, str] = MappingProxyType(
    {
        "a": "qwsz", "b": "vghn", "c": "xdfv", "d": "serfcx", "e": "wsdr", "f": "drtgvc", "g": "ftyhbv", "h": "gyujnb",
        "i": "ujko", "j": "huikmn", "k": "jiolm", "l": "kop", "m": "njk", "n": "bhjm", "o": "iklp", "p": "ol", "q": "wa",
        "r": "edft", "s": "awedxz", "t": "rfgy", "u": "yhji", "v": "cfgb", "w": "qase", "x": "zsdc", "y": "tghu", "z": "asx",
    }
)  # fmt: skip
"""Letters beside each other on the keyboard."""

_HEARD = 1.0  # another spelling of the same sound
_DOUBLED = 1.0  # a letter twice instead of once, or once instead of twice
_SWAPPED = 1.5
_DROPPED = 2.0
_NEAR = 2.2  # the key beside
_EXTRA = 2.8
_OTHER = 4.5  # any other letter
_FIRST = 0.8  # on top, where the slip is in the first letter: that one is seldom wrong

_SHORTEST, _LONGEST = 2, 20  # letters of a word that is put right
_SHORT = 4  # letters: shorter words are near so many others that only the most frequent count, and sound tells nothing
_FREQUENT = 150
_RANK_SHIFT = 100  # the most frequent words are about equally likely
_MOST = 40  # words put right in one message, so that a page of nonsense costs little
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Speller:
    """Knows words in order of frequency. Immutable: many threads may ask at once."""

    def __init__(self, words: Sequence[str], sounds: Sequence[str] | None = None) -> None:
        """`sounds`: how each of the words sounds, where that was worked out before (it is most of the time that this takes)."""
        self._rank = {word: place for place, word in enumerate(words)}
        self._heard: dict[str, list[str]] = {}
        for word, heard in zip(words, sounds or map(sound, words), strict=True):
            if len(word) >= _SHORT:
                self._heard.setdefault(heard, []).append(word)

    def fix(self, words: Sequence[str]) -> list[str]:
        """The words, with unknown ones replaced by the known word they most likely are."""
        fixed, asked = [], 0
        for word in words:
            if word in self._rank or not _SHORTEST <= len(word) <= _LONGEST or asked >= _MOST or not word.isalpha():
                fixed.append(word)
            else:
                asked += 1
                fixed.append(self._likeliest(word))
        return fixed

    def _likeliest(self, word: str) -> str:
        best, least = word, float("inf")
        for known, cost in self._candidates(word):
            total = cost + log(self._rank[known] + _RANK_SHIFT)
            if total < least or (total == least and known < best):
                best, least = known, total
        return best

    def _candidates(self, word: str) -> Iterator[tuple[str, float]]:
        short = len(word) < _SHORT
        if not short:
            yield from ((known, _HEARD) for known in self._heard.get(sound(word), ()))
        for known in self._one_slip_away(word):
            if not short or self._rank[known] < _FREQUENT:
                yield known, _cost(word, known)

    def _one_slip_away(self, word: str) -> list[str]:
        """The known words with a letter less, two swapped, another letter, or one more. One pass: of hundreds few are words."""
        known = self._rank
        found = []
        for place in range(len(word) + 1):
            before, after, rest = word[:place], word[place:], word[place + 1 :]
            found += [slip for letter in _LETTERS if (slip := before + letter + after) in known]
            if after:
                found += [slip for letter in _LETTERS if (slip := before + letter + rest) in known]
                found += [slip for slip in (before + rest, before + rest[:1] + after[:1] + rest[1:]) if slip in known]
        return found


def _cost(typed: str, meant: str) -> float:
    """What it costs that `typed` stands for `meant`, which is one slip away."""
    place = next((i for i, (one, two) in enumerate(zip(typed, meant, strict=False)) if one != two), min(len(typed), len(meant)))
    first = 0.0 if place else _FIRST
    if len(typed) > len(meant):
        return (_DOUBLED if typed[place - 1 : place] == typed[place] else _EXTRA) + first
    if len(typed) < len(meant):
        return (_DOUBLED if meant[place - 1 : place] == meant[place] else _DROPPED) + first
    if typed[place + 1 :] != meant[place + 1 :]:
        return _SWAPPED + first
    return (_NEAR if meant[place] in NEIGHBOURS.get(typed[place], "") else _OTHER) + first
