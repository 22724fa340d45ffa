"""What the bot knows about one message after reading it: the only thing that leaves `nlu`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from config.intents import Urgency


@dataclass(frozen=True, slots=True)
class Understanding:
    """What one message means. Holds no words of the child."""

    intent: str
    """One of `config.intents.INTENTS`, or `FALLBACK`."""
    confidence: float
    """How sure, 0..1."""
    urgency: Urgency
    """Never below `URGENCY_OF[intent]`."""
    language: str
    """One of `config.languages.LANGUAGES`."""


@dataclass(frozen=True, slots=True)
class Classification:
    """What an engine says of one text."""

    intent: str
    """The likeliest intent."""
    confidence: float
    """Its probability, 0..1."""
    ranking: Mapping[str, float]
    """All intents with their probabilities, the likeliest first."""


class Engine(Protocol):
    """Something that gives a text an intent. Two exist: the carried model and a running Rasa server.

    `may_stall`: whether an answer can fail to come (it waits for another process); then it is asked with a deadline. `words`:
    those of its training data, as far as they are known here: common words, of which others may remember something.
    """

    may_stall: bool
    words: frozenset[str]

    def classify(self, text: str) -> Classification:
        """Rank the intents of one text. Raises `EngineError` when it cannot; never any other exception, whatever the text."""
        ...


class EngineError(Exception):
    """An engine could not answer. `permanent` is true when trying again cannot help. Its text never holds the child's words."""

    def __init__(self, reason: str, *, permanent: bool) -> None:
        super().__init__(reason)
        self.permanent = permanent
