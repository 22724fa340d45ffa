"""What is true at this moment, as far as a sentence of the bot may depend on it (promise 5)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time

from config.channels import Capabilities
from config.schema import AMSTERDAM, Condition, Helpline

NIGHT_FROM, NIGHT_TO = time(21), time(8)
"""Wall-clock time in Amsterdam between which a child is told that it is night."""


def is_night(at: datetime) -> bool:
    """Whether the aware moment `at` falls in the night."""
    local = at.astimezone(AMSTERDAM).time()
    return local >= NIGHT_FROM or local < NIGHT_TO


def facts(
    helplines: Mapping[str, Helpline], at: datetime, channel: Capabilities, *, on_duty: bool, claimed: bool = False
) -> Mapping[Condition, bool]:
    """Every `Condition` with its value now. Hours that nobody has checked count as closed: we never send a child to a dead line."""
    kindertelefoon = helplines.get("kindertelefoon")
    return {
        Condition.ON_DUTY: on_duty,
        Condition.KINDERTELEFOON_OPEN: bool(kindertelefoon and kindertelefoon.is_open(at)),
        Condition.NIGHT: is_night(at),
        Condition.CLAIMED: claimed,
        Condition.OWN_SCREEN: channel.own_screen,
    }
