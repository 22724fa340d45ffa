"""What the bot's policy needs from every script: the utterances, and the facts under which each can be asked for."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from config.channels import NO_CAPABILITIES, Capabilities, ChannelSpec, ScriptNeeds
from config.facts import NIGHT_FROM, NIGHT_TO, facts
from config.intents import FALLBACK, INTENTS
from config.languages import LANGUAGE_CARDS
from config.schema import AMSTERDAM, WEEKDAYS, Condition, Helpline

_EVENTS = (
    f"utter_{FALLBACK}",
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

_CARDS = frozenset(f"utter_language_{code}" for code in LANGUAGE_CARDS)

CORE = ScriptNeeds(
    utterances=(
        *(f"utter_{intent}" for intent in INTENTS),
        *_EVENTS,
        *(f"utter_language_{code}" for code in LANGUAGE_CARDS),
    ),
    names_both_lines=frozenset(
        {
            "utter_first_contact",
            "utter_numbers",
            "utter_trouble",
            "utter_stopped",
            *_CARDS,
        }
    ),
    says_computer=frozenset(
        {"utter_first_contact", "utter_ask_bot_identity", *(f"utter_language_{code}" for code in LANGUAGE_CARDS)}
    ),
    blind=frozenset({"utter_trouble", "utter_stopped"}),
)
"""What every channel needs."""

WITH_CONFIDANT = frozenset({"utter_taken_over", "utter_transferred"})
"""The only two that may name the `{confidant}`: the turns in which a human is known."""

WITH_DAYS = frozenset({"utter_page_ended"})
"""The only one that may name the `{days}`: what is said of a chat whose time was over."""


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
        return (home.capabilities,) if home else (_OURS, NO_CAPABILITIES)

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


_OURS = replace(NO_CAPABILITIES, own_screen=True)


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
