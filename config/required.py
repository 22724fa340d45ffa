"""What the bot's policy needs from every script: the utterances, and the facts under which each can be asked for."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from datetime import datetime, time, timedelta

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

_PAGE = (
    "utter_page_identity",
    "utter_page_numbers",
    "utter_page_duty",
    "utter_page_secrecy",
    "utter_page_no_name",
    "utter_page_no_files",
    "utter_page_exit",
    "utter_page_erase",
    "utter_page_offline",
    "utter_page_unknown_municipality",
    "utter_page_start",
)

_TELEGRAM = (
    "utter_telegram_opener",
    "utter_telegram_choose",
    "utter_telegram_chosen",
    "utter_telegram_noted",
    "utter_telegram_near",
    "utter_telegram_help",
    "utter_telegram_media",
    "utter_telegram_voice",
    "utter_telegram_share",
    "utter_telegram_group",
    "utter_telegram_leftover",
    "utter_telegram_about",
    "utter_telegram_short",
)

REQUIRED_UTTERANCES: tuple[str, ...] = (
    *(f"utter_{intent}" for intent in INTENTS),
    *_EVENTS,
    *(f"utter_language_{code}" for code in LANGUAGE_CARDS),
    *_PAGE,
    *_TELEGRAM,
)

NAMES_BOTH_LINES = frozenset(
    {
        "utter_first_contact",
        "utter_numbers",
        "utter_page_numbers",
        "utter_trouble",
        "utter_page_unknown_municipality",
        "utter_stopped",
        "utter_telegram_group",
        "utter_telegram_about",
        *(f"utter_language_{code}" for code in LANGUAGE_CARDS),
    }
)
"""Every variant of these names 112 and the Kindertelefoon with its number (promise 1)."""

SAYS_COMPUTER = frozenset(
    {
        "utter_first_contact",
        "utter_page_identity",
        "utter_ask_bot_identity",
        "utter_telegram_about",
        *(f"utter_language_{code}" for code in LANGUAGE_CARDS),
    }
)
"""Every variant of these says that it is a computer."""

BLIND = frozenset(
    {
        "utter_trouble",
        "utter_page_start",
        "utter_page_unknown_municipality",
        "utter_page_offline",
        "utter_page_numbers",
        "utter_page_identity",
        "utter_stopped",
        "utter_telegram_group",
        "utter_telegram_leftover",
        "utter_telegram_about",
        "utter_telegram_short",
    }
)
"""Said when nobody can look who is on duty (database down, no gemeente, no network, chat erased): they may not depend on it."""

WITH_CONFIDANT = frozenset({"utter_taken_over", "utter_transferred"})
"""The only two that may name the `{confidant}`: the turns in which a human is known."""

WITHOUT_MUNICIPALITY = frozenset(
    {"utter_page_start", "utter_page_unknown_municipality", *(name for name in _TELEGRAM if name in BLIND)}
)

WITH_PAGE = frozenset({"utter_telegram_opener"})
"""The only one that may name the address of the gemeente's own `{page}`."""


def channels_of(utterance: str) -> tuple[bool, ...]:
    """The values that `webchat` can have when `utterance` is said."""
    if utterance.startswith("utter_page_"):
        return (True,)
    return (False,) if utterance.startswith("utter_telegram_") else (True, False)


def reachable(utterance: str, helplines: Mapping[str, Helpline]) -> Iterator[Mapping[Condition, bool]]:
    """Every combination of facts under which `utterance` can be asked for, given the hours in `helplines`."""
    claimed = utterance in WITH_CONFIDANT
    duties = (False,) if utterance == "utter_nobody_on_duty" else (False, True)
    seen: list[Mapping[Condition, bool]] = []
    for at in _moments(helplines):
        for on_duty, webchat in itertools.product(duties, channels_of(utterance)):
            now = facts(helplines, at, on_duty=on_duty, claimed=claimed, webchat=webchat)
            if now not in seen:
                seen.append(now)
    yield from seen


def _moments(helplines: Mapping[str, Helpline]) -> Iterator[datetime]:
    """One moment in each stretch of the week between two changes: all that an opening hour or the night can make different."""
    kindertelefoon = helplines.get("kindertelefoon")
    hours = kindertelefoon.hours if kindertelefoon and not isinstance(kindertelefoon.hours, str) else ()
    changes = {time(0), NIGHT_FROM, NIGHT_TO, *(h.start for h in hours), *(h.end for h in hours)}
    monday = datetime(2026, 1, 5, tzinfo=AMSTERDAM)  # a week without a change of the clock
    for day in range(len(WEEKDAYS)):
        for change in sorted(changes):
            yield datetime.combine(monday + timedelta(days=day), change, tzinfo=AMSTERDAM)
