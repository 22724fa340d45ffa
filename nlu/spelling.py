"""Puts a word that the model never saw right, when it sounds like a known one or is one slip away from it.

The known words are those of the training data, the most frequent first. Used in Rasa (`nlu/rasa/spelling_corrector.py`) and in the
carried model. Pure; runs on Python 3.10 and later; keeps nothing of what it reads. A change here needs a new training.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nlu.text import sound

_SHORTEST, _LONGEST = 4, 20  # letters of a word that is put right
_MOST = 40  # words put right in one message, so that a page of nonsense costs little
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Speller:
    """Knows words in order of frequency. Immutable: many threads may ask at once."""

    def __init__(self, words: Sequence[str]) -> None:
        self._rank = {word: place for place, word in enumerate(words)}
        self._heard: dict[str, str] = {}
        for word in words:
            if len(word) >= _SHORTEST:
                self._heard.setdefault(sound(word), word)

    def fix(self, words: Sequence[str]) -> list[str]:
        """The words, with unknown ones replaced by the known word they most likely are."""
        fixed, asked = [], 0
        for word in words:
            if word in self._rank or not _SHORTEST <= len(word) <= _LONGEST or asked >= _MOST:
                fixed.append(word)
            else:
                asked += 1
                fixed.append(self._likeliest(word))
        return fixed

    def _likeliest(self, word: str) -> str:
        alike = self._heard.get(sound(word))
        if alike is not None:
            return alike
        known = [self._rank[slip] for slip in _one_slip_away(word) if slip in self._rank]
        if not known:
            return word
        best = min(known)
        return next(slip for slip in _one_slip_away(word) if self._rank.get(slip) == best)


def _one_slip_away(word: str) -> Iterator[str]:
    """A letter dropped, two swapped, one mistyped, or one too many."""
    for place in range(len(word) + 1):
        before, after = word[:place], word[place:]
        if after:
            yield before + after[1:]
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:]
        for letter in _LETTERS:
            if after:
                yield before + letter + after[1:]
            yield before + letter + after
