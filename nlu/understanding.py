"""What the bot knows about one message after reading it: the only thing that leaves `nlu`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Protocol


class Urgency(IntEnum):
    """How soon a human must look. Ordered, so that `max` can only raise (promise 8)."""

    NORMAL = 0
    HIGH = 1
    ACUTE = 2

    @property
    def label(self) -> str:
        """The word used in JSON, in the database's view and in the console: `normal`, `high` or `acute`."""
        return self.name.lower()


FALLBACK = "nlu_fallback"
"""The intent of a message that was not understood: empty, too unsure, or the engine was absent or late."""

INTENTS: tuple[str, ...] = (
    "greet",
    "affirm",
    "deny",
    "thank_or_bye",
    "stop_or_delete",
    "unsafe_to_chat",
    "insult_or_prank",
    "out_of_scope",
    "vague_distress",
    "disclose_physical_abuse",
    "disclose_sexual_abuse",
    "disclose_emotional_abuse",
    "disclose_neglect",
    "disclose_domestic_violence",
    "disclose_online_abuse",
    "bullying",
    "acute_danger",
    "self_harm_or_suicide",
    "concern_for_other_child",
    "ask_human",
    "ask_mayor",
    "ask_kindertelefoon",
    "ask_bot_identity",
    "ask_confidentiality",
    "ask_what_happens_next",
    "town_hall_visit",
    "adult_concern",
    "adult_own_urges",
)

_ACUTE = frozenset({"acute_danger", "self_harm_or_suicide"})
_HIGH = frozenset({"unsafe_to_chat", "concern_for_other_child"})

URGENCY_OF: Mapping[str, Urgency] = MappingProxyType(
    {
        intent: (
            Urgency.ACUTE
            if intent in _ACUTE
            else Urgency.HIGH
            if intent in _HIGH or intent.startswith("disclose_")
            else Urgency.NORMAL
        )
        for intent in (*INTENTS, FALLBACK)
    }
)


@dataclass(frozen=True, slots=True)
class Understanding:
    """One reading of one message.

    `confidence` is 0..1. `language` is an ISO 639 code (`nl`, `en`, `tr`, ...; Papiamentu is `pap`). `urgency` is never below
    `URGENCY_OF[intent]`. Holds no words of the child.
    """

    intent: str
    confidence: float
    urgency: Urgency
    language: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What an engine says of one text: the best intent, how sure (0..1), and all intents with their probabilities."""

    intent: str
    confidence: float
    ranking: Mapping[str, float]


class Engine(Protocol):
    """Something that gives a text an intent. Two exist: the carried model and a running Rasa server.

    `may_stall`: whether an answer can fail to come (it waits for another process); then it is asked with a deadline. `words`:
    those of its training data, as far as they are known here: common words, of which others may remember something.
    """

    may_stall: bool
    words: frozenset[str]

    def read(self, text: str) -> Reading:
        """Read one text. Raises `EngineError` when it cannot; never any other exception, whatever the text."""
        ...


class EngineError(Exception):
    """An engine could not answer. `permanent` is true when trying again cannot help. Its text never holds the child's words."""

    def __init__(self, reason: str, *, permanent: bool) -> None:
        super().__init__(reason)
        self.permanent = permanent
