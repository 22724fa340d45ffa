"""What the bot's policy needs from every script: the utterances, and the facts under which each can be asked for.

`config` may not import `nlu`, so the intents stand here once more; `tests/config/test_required.py` holds the two lists equal.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from config.channels import NOTHING, Capabilities, ChannelSpec, ScriptNeeds
from config.facts import NIGHT_FROM, NIGHT_TO, facts
from config.schema import AMSTERDAM, WEEKDAYS, Condition, Helpline

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

LANGUAGES: tuple[str, ...] = ("en", "tr", "ar", "pl", "uk", "fa", "ti", "es", "fr", "de")
"""Languages besides Dutch in which the first answer is given (ISO 639)."""

_EVENTS = (
    "utter_nlu_fallback",
    "utter_silence",
    "utter_first_contact",
    "utter_numbers",
    "utter_handoff",
    "utter_still_waiting",
    "utter_waiting_1",
    "utter_waiting_3",
    "utter_waiting_10",
    "utter_nobody_on_duty",
    "utter_taken_over",
    "utter_given_back",
    "utter_transferred",
    "utter_closed",
    "utter_stopped",
    "utter_trouble",
    "utter_too_long",
    "utter_no_files",
)

CORE = ScriptNeeds(
    utterances=(
        *(f"utter_{intent}" for intent in INTENTS),
        *_EVENTS,
        *(f"utter_language_{code}" for code in LANGUAGES),
    ),
    names_both_lines=frozenset(
        {
            "utter_first_contact",
            "utter_numbers",
            "utter_trouble",
            "utter_stopped",
            *(f"utter_language_{code}" for code in LANGUAGES),
        }
    ),
    says_computer=frozenset({"utter_first_contact", "utter_ask_bot_identity", *(f"utter_language_{code}" for code in LANGUAGES)}),
    blind=frozenset({"utter_trouble", "utter_stopped"}),
)
"""What every channel needs."""

WITH_CONFIDANT = frozenset({"utter_taken_over", "utter_transferred"})
"""The only two that may name the `{confidant}`: the turns in which a human is known."""


@dataclass(frozen=True, slots=True)
class Requirements:
    """What the bot will ask of a script on all of these channels. `union` is what they need together."""

    channels: tuple[ChannelSpec, ...]
    union: ScriptNeeds

    def home_of(self, utterance: str) -> ChannelSpec | None:
        """The only channel on which `utterance` is said; None when it is said on every one."""
        return next((c for c in self.channels if c.needs.prefix and utterance.startswith(c.needs.prefix)), None)

    def screens_of(self, utterance: str) -> tuple[Capabilities, ...]:
        """Capabilities of the channels on which `utterance` can be said; when on every one, then also of one yet to come."""
        home = self.home_of(utterance)
        return (home.capabilities,) if home else (_OURS, NOTHING)

    def reachable(self, utterance: str, helplines: Mapping[str, Helpline]) -> Iterator[Mapping[Condition, bool]]:
        """Every combination of facts under which `utterance` can be asked for, given the hours in `helplines`."""
        claimed = utterance in WITH_CONFIDANT
        duties = (False,) if utterance == "utter_nobody_on_duty" else (False, True)
        seen: list[Mapping[Condition, bool]] = []
        for at in _moments(helplines):
            for on_duty, channel in itertools.product(duties, self.screens_of(utterance)):
                now = facts(helplines, at, channel, on_duty=on_duty, claimed=claimed)
                if now not in seen:
                    seen.append(now)
        yield from seen


_OURS = replace(NOTHING, own_screen=True)


def requirements(channels: Iterable[ChannelSpec]) -> Requirements:
    """What a script needs for these channels, and for all."""
    specs = tuple(channels)
    parts = (CORE, *(spec.needs for spec in specs))
    union = ScriptNeeds(
        utterances=tuple(name for part in parts for name in part.utterances),
        names_both_lines=frozenset().union(*(part.names_both_lines for part in parts)),
        says_computer=frozenset().union(*(part.says_computer for part in parts)),
        blind=frozenset().union(*(part.blind for part in parts)),
        without_municipality=frozenset().union(*(part.without_municipality for part in parts)),
        with_page=frozenset().union(*(part.with_page for part in parts)),
    )
    return Requirements(specs, union)


def _moments(helplines: Mapping[str, Helpline]) -> Iterator[datetime]:
    """One moment in each stretch of the week between two changes: all that an opening hour or the night can make different."""
    kindertelefoon = helplines.get("kindertelefoon")
    hours = kindertelefoon.hours if kindertelefoon and not isinstance(kindertelefoon.hours, str) else ()
    changes = {time(0), NIGHT_FROM, NIGHT_TO, *(h.start for h in hours), *(h.end for h in hours)}
    monday = datetime(2026, 1, 5, tzinfo=AMSTERDAM)  # a week without a change of the clock
    for day in range(len(WEEKDAYS)):
        for change in sorted(changes):
            yield datetime.combine(monday + timedelta(days=day), change, tzinfo=AMSTERDAM)
