"""What a message can be about, and how soon a human must look at it: the one list that scripts, understanding and console share."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType


class Urgency(IntEnum):
    """How soon a human must look. Ordered, so that `max` can only raise (promise 8)."""

    NORMAL = 0
    HIGH = 1
    ACUTE = 2

    @property
    def label(self) -> str:
        """Return the word used in JSON and in the danger list: `normal`, `high` or `acute`."""
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
_HIGH = frozenset({"unsafe_to_chat", "concern_for_other_child", *(intent for intent in INTENTS if intent.startswith("disclose_"))})


def _urgency(intent: str) -> Urgency:
    if intent in _ACUTE:
        return Urgency.ACUTE
    return Urgency.HIGH if intent in _HIGH else Urgency.NORMAL


URGENCY_OF: Mapping[str, Urgency] = MappingProxyType({intent: _urgency(intent) for intent in (*INTENTS, FALLBACK)})
"""The least urgency of each intent."""
