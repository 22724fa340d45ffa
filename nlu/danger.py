"""Danger words: what is said so clearly that no model is asked. Pure; the list is data (`config/danger.yml`), not code.

The list can only make the alarm louder (promise 8). It reports which phrases spoke by their ids, never the child's words.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from config.intents import URGENCY_OF, Urgency
from nlu.phrases import Heard, Match, Phrase, PhraseSet
from nlu.text import STOP, words

_NEAR = 4  # words before and after a phrase in which an `unless` counts


@dataclass(frozen=True, slots=True)
class DangerPhrase:
    """One entry of the list: any of `say` speaks, except where one of `unless` stands in it or near it.

    `intent` is what the message then means, or None for an entry that raises the urgency alone. `speaks` and `silent` are
    examples that the list itself is checked against before it is used.
    """

    id: str
    urgency: Urgency
    intent: str | None
    say: tuple[Phrase, ...]
    unless: tuple[Phrase, ...] = ()
    speaks: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Idiom:
    """Alarming words that mean nothing ("ik lach me dood"): they are taken out before the danger phrases are searched."""

    id: str
    say: tuple[Phrase, ...]
    silent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Alarm:
    """What the list says of one message: the highest urgency, the intent that goes with it, and the ids that spoke."""

    urgency: Urgency = Urgency.NORMAL
    intent: str | None = None
    spoke: tuple[str, ...] = ()


QUIET = Alarm()


class DangerList:
    """The compiled list. Never changes once built: many threads may ask at once. Build one with `nlu.danger_file.load`."""

    def __init__(
        self,
        phrases: Sequence[DangerPhrase],
        idioms: Sequence[Idiom] = (),
        *,
        negations: Sequence[str] = (),
        fillers: Sequence[str] = (),
        real_words: Sequence[str] = (),
    ) -> None:
        self.phrases = tuple(phrases)
        self.idioms = tuple(idioms)
        self._words = {"negations": negations, "fillers": fillers, "real_words": real_words}
        self._owners = [phrase for phrase in self.phrases for _ in phrase.say]
        self._cells = [say for phrase in self.phrases for say in phrase.say]
        self._danger = self._compile(self._cells)
        self._idiom_cells = [say for idiom in self.idioms for say in idiom.say]
        self._idioms = self._compile(self._idiom_cells)
        self._alone: dict[int, PhraseSet] = {}  # one idiom each, compiled when first met: most never are
        self._unless_owners = [phrase.id for phrase in self.phrases for _ in phrase.unless]
        self._unless = self._compile([unless for phrase in self.phrases for unless in phrase.unless])

    def _compile(self, phrases: Sequence[Phrase]) -> PhraseSet:
        return PhraseSet(phrases, **self._words)

    def remember(self, words: Collection[str]) -> None:
        """Words that are common to everybody (the training data's): what they fit is worked out once."""
        for phrases in (self._danger, self._idioms, self._unless):
            phrases.remember(words)

    def check(self, text: str) -> Alarm:
        """Search one message. Never raises; time is linear in its length."""
        return self.check_words(words(text))

    def check_words(self, said: list[str]) -> Alarm:
        """The same for a message whose words are known already (`nlu.text.words`)."""
        spoke = {owner.id: owner for owner in self._speaking(said)}
        if not spoke:
            return QUIET
        urgency = max(phrase.urgency for phrase in spoke.values())
        # Danger this minute goes before self-harm (labelling guide), so the intents are compared by that order.
        intents = [phrase.intent for phrase in spoke.values() if phrase.intent and phrase.urgency == urgency]
        return Alarm(urgency, min(intents, default=None, key=_first_to_answer), tuple(spoke))

    def _speaking(self, said: list[str]) -> list[DangerPhrase]:
        heard = Heard()
        matches = self._danger.search(said, heard)
        if not matches:  # most messages end here; taking words out cannot add a phrase
            return []
        plain = self._without_idioms(said, heard)
        if plain is not said:
            matches = self._danger.search(plain, heard)
        unless: dict[str, list[int]] = {}
        for found in self._unless.search(said, heard):
            unless.setdefault(self._unless_owners[found.phrase], []).append(found.end)
        speaking = []
        for match in matches:
            owner = self._owners[match.phrase]
            first, last = self._around(said, match)
            if not any(first <= end <= last for end in unless.get(owner.id, ())):
                speaking.append(owner)
        return speaking

    def _around(self, said: list[str], match: Match) -> tuple[int, int]:
        """The first and last word near a match, within its sentence."""
        first = max(0, match.end - 2 * len(self._cells[match.phrase].cells) - _NEAR)
        last = min(len(said) - 1, match.end + _NEAR)
        stops = [index for index in range(first, last + 1) if said[index] == STOP]
        before = [index for index in stops if index < match.end]
        after = [index for index in stops if index > match.end]
        return (before[-1] + 1 if before else first), (after[0] - 1 if after else last)

    def _without_idioms(self, said: list[str], heard: Heard) -> list[str]:
        """The words with every idiom blanked; repeated, since each idiom is found at its first place only."""
        for _ in range(8):
            matches = self._idioms.search(said, heard)
            if not matches:
                return said
            said = list(said)
            for match in matches:
                start = self._start(said, match, heard)
                said[start : match.end + 1] = [""] * (match.end + 1 - start)
        return said

    def _start(self, said: Sequence[str], match: Match, heard: Heard) -> int:
        """Where the idiom that ends at `match.end` began: the latest word from which it is found alone."""
        alone = self._alone.get(match.phrase)
        if alone is None:
            alone = self._alone[match.phrase] = self._compile([Phrase(self._idiom_cells[match.phrase].cells)])
        earliest = max(0, match.end + 1 - 2 * len(self._idiom_cells[match.phrase].cells))
        for start in range(match.end, earliest, -1):
            if any(found.end == match.end - start for found in alone.search(said[start : match.end + 1], heard)):
                return start
        return earliest


def _first_to_answer(intent: str) -> tuple[int, str]:
    return (0 if intent == "acute_danger" else 1, str(URGENCY_OF[intent]))
