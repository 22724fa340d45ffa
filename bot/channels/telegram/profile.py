"""What Telegram shows of the bot before anything is said: a neutral name, the numbers, four commands.

The name stands in the list of chats on a phone that others see: it tells nothing. The texts are published utterances, so the
gates have read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.channels.telegram.spec import ABOUT, CAPABILITIES, SHORT
from handoff.runtime import Runtime
from handoff.wording import Moment, Wording

NAME = "Praat"

COMMANDS: Mapping[str, str] = {
    "start": "Beginnen",
    "help": "Wat kan ik hier",
    "stop": "Stoppen",
    "wis": "Alles hier weg",
}


@dataclass(frozen=True, slots=True)
class Profile:
    """At most 64, 512 and 120 characters; Telegram refuses more."""

    name: str
    about: str
    short: str
    commands: Mapping[str, str]


def profile_of(runtime: Runtime, name: str = NAME) -> Profile:
    """The profile in the words that are published now."""
    words = Wording(runtime, Moment(runtime.clock(), CAPABILITIES, None, None))
    return Profile(name, words.say(ABOUT), words.say(SHORT), COMMANDS)
