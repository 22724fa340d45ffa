"""The shapes of the configuration files: frozen, unknown keys refused. Reading them, with line numbers, is `config.load`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from config.limits import LONGEST_RETENTION, SHORTEST_RETENTION

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
"""Opening hours and 'night' are wall-clock times here; everything stored is UTC."""

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,40}$")]
PlaceCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
"""What a sticker's link may carry, on every channel."""
TeamId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,62}$")]
PlaceLabel = Annotated[str, StringConstraints(min_length=1, max_length=80)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _written(value: object) -> object:
    """Only text becomes a time or a date: pydantic would read the number 11 as eleven seconds past midnight."""
    if isinstance(value, int | float):
        raise ValueError('must be written in quotes, as "09:30" or 2026-11-22')  # noqa: TRY004 - pydantic wants ValueError
    return value


Clock = Annotated[time, BeforeValidator(_written)]
Day = Annotated[date, BeforeValidator(_written)]


class Frozen(BaseModel):
    """Base of every shape: immutable, strict about keys, and silent about the offending input in its errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class SpeechAct(StrEnum):
    """The closed catalogue of what the bot may do with words (`reference: docs/decisions/0003-speech-acts.md`)."""

    IDENTIFY = "identify"  # say that it is a computer
    THANK = "thank"  # thank, or say that it is good that you are here
    NOT_YOUR_FAULT = "not_your_fault"  # only after the child itself tells
    TAKE_SERIOUSLY = "take_seriously"  # what the human will do
    LIMIT_SECRECY = "limit_secrecy"  # cannot promise that it stays secret
    NEXT_STEP = "next_step"  # what happens now, who reads, when
    GIVE_NUMBER = "give_number"  # 112, Kindertelefoon, another line
    ASK_CHOICE = "ask_choice"  # a choice that routes: danger now, a human
    NOT_UNDERSTOOD = "not_understood"
    CONTROL = "control"  # exit, erase, waiting, no files, what the page does
    GREET = "greet"
    FAREWELL = "farewell"


class Condition(StrEnum):
    """Facts a variant may depend on; each is checked against live state when the words are sent (promise 5)."""

    ON_DUTY = "on_duty"  # a confidant of this municipality is signed in and on duty at this moment
    KINDERTELEFOON_OPEN = "kindertelefoon_open"
    NIGHT = "night"  # 21:00-08:00 in Amsterdam
    CLAIMED = "claimed"  # a human reads this chat now
    OWN_SCREEN = "own_screen"  # the child reads this on a screen of ours, with Snel weg and Wis alles (`Capabilities.own_screen`)

    @classmethod
    def _missing_(cls, value: object) -> Condition | None:
        """The name that scripts had for it before there were capabilities; old versions stay readable."""
        return cls.OWN_SCREEN if value == "webchat" else None


class QuickReply(Frozen):
    """A button. `payload` is `/intent`, as Rasa writes it; pressing it sends `title` as the child's own words."""

    title: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    payload: Annotated[str, StringConstraints(pattern=r"^/[a-z_]+$")]

    @property
    def intent(self) -> str:
        """The intent that this button stands for."""
        return self.payload[1:]


class Variant(Frozen):
    """One wording. It may be sent only when every condition has the value named."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=600)]
    acts: tuple[SpeechAct, ...] = Field(min_length=1)
    when: Mapping[Condition, bool] = {}
    buttons: tuple[QuickReply, ...] = ()

    def holds(self, facts: Mapping[Condition, bool]) -> bool:
        """Whether every condition is met by `facts`; a fact that is not known counts as not met."""
        return all(facts.get(name) is value for name, value in self.when.items())


class Utterance(Frozen):
    """A published `utter_*`: the only thing a bot message can point at (promise 3)."""

    id: Annotated[str, StringConstraints(pattern=r"^utter_[a-z0-9_]+$")]
    language: str = "nl"
    variants: tuple[Variant, ...] = Field(min_length=1)

    def choose(self, facts: Mapping[Condition, bool], turn: int) -> int | None:
        """The index of the variant to send: most specific first, then in turn among equals; None when none is true now."""
        fit = [(len(v.when), i) for i, v in enumerate(self.variants) if v.holds(facts)]
        if not fit:
            return None
        most = max(n for n, _ in fit)
        best = [i for n, i in fit if n == most]
        return best[turn % len(best)]


PLACEHOLDER = re.compile(r"\{([a-z0-9_]+)\}")
"""Rasa's `{name}` form; only names of `PLACEHOLDERS` and of helplines are allowed, and nothing else is interpreted."""

PLACEHOLDERS = frozenset({"confidant", "days", "municipality", "page"})


class Script(Frozen):
    """Everything the bot can say, at one version. `version` is the hash of its content (hex, 16 characters)."""

    version: str
    utterances: Mapping[str, Utterance]

    def number_of(self, utterance_id: str) -> int:
        """Return the number under which this version knows an utterance. Raises `KeyError` for one that is not in it."""
        return self._numbers[utterance_id]

    def by_number(self, number: int) -> Utterance:
        """Return the utterance with this number. Raises `IndexError` for one that was never given out."""
        return self.utterances[self._in_order[number]]

    @cached_property
    def _in_order(self) -> tuple[str, ...]:
        """A version never changes, so the order of its names is its numbering."""
        return tuple(sorted(self.utterances))

    @cached_property
    def _numbers(self) -> Mapping[str, int]:
        return {name: number for number, name in enumerate(self._in_order)}

    def quick_reply_intent(self, text: str) -> str | None:
        """Return the intent of the button whose title is exactly this text (case and outer space ignored), if there is one."""
        return self._intents_by_title.get(text.strip().casefold())

    @cached_property
    def _intents_by_title(self) -> Mapping[str, str]:
        """Of two buttons with one title the first counts."""
        variants = [variant for utterance in self.utterances.values() for variant in utterance.variants]
        buttons = [button for variant in variants for button in variant.buttons]
        return {button.title.casefold(): button.intent for button in reversed(buttons)}


class Hours(Frozen):
    """Open on `days` from `start` to `end`, wall-clock time in Amsterdam; `end` is exclusive, `24:00` is written `00:00`."""

    days: tuple[Weekday, ...] = Field(min_length=1)
    start: Clock
    end: Clock

    @model_validator(mode="after")
    def _within_a_day(self) -> Self:
        if self.end != time(0) and self.end <= self.start:
            raise ValueError("end must be later than start; write hours past midnight as two lines")
        return self

    def covers(self, at: datetime) -> bool:
        """Whether the aware moment `at` falls inside."""
        local = at.astimezone(AMSTERDAM)
        inside = self.start <= local.time() and (local.time() < self.end or self.end == time(0))
        return WEEKDAYS[local.weekday()] in self.days and inside


class Helpline(Frozen):
    """A line a child can reach. Facts are data: each has its source and the day a person checked it."""

    id: Slug
    name: str
    number: str  # as printed: 0800-0432
    tel: Annotated[str, StringConstraints(pattern=r"^\+?[0-9]{3,14}$")]  # as dialled
    cost: Literal["free", "paid", "unknown"]
    hours: Literal["always", "unknown"] | tuple[Hours, ...]
    channels: tuple[Literal["phone", "chat", "mail"], ...]
    url: str | None = None
    about: str  # for the child, one short sentence in simple Dutch
    audience: Literal["child", "admin"]  # `admin` lines never appear on the child's side
    first_list: bool = False  # 112 and the Kindertelefoon: on every page, reply and error
    source: str
    checked: Day

    def is_open(self, at: datetime) -> bool | None:
        """Whether somebody answers at `at`; None when the hours are not known, and then nothing is said about them."""
        if self.hours == "always":
            return True
        if self.hours == "unknown":
            return None
        return any(hours.covers(at) for hours in self.hours)


class RouteStep(Frozen):
    """Whom to turn to after so many minutes of waiting: `team` of the gemeente, or the `fallback` lines."""

    to: Literal["team", "fallback"]
    after_minutes: Annotated[int, Field(ge=0, le=1440)]


class Route(Frozen):
    """The order in which people are turned to for a waiting child."""

    id: Slug
    steps: tuple[RouteStep, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _begins_at_once(self) -> Self:
        minutes = [step.after_minutes for step in self.steps]
        if minutes[0] != 0 or minutes != sorted(set(minutes)):
            raise ValueError("the first step is after 0 minutes, and every next one later than the one before")
        return self

    def step_at(self, waited_minutes: float) -> RouteStep:
        """The last step whose time has come."""
        return [s for s in self.steps if s.after_minutes <= waited_minutes][-1]


class Team(Frozen):
    """People of a gemeente who share a key. `id` is for good: keys are bound to it; `name` is how confidants read it."""

    id: TeamId
    name: Annotated[str, StringConstraints(min_length=1, max_length=120)]


def _within_the_countrys_bounds(days: int) -> int:
    if not SHORTEST_RETENTION <= days <= LONGEST_RETENTION:
        bounds = f"{SHORTEST_RETENTION} to {LONGEST_RETENTION} days"
        raise ValueError(f"must be {bounds}, the same bounds for every gemeente (config/limits.py says why)")
    return days


class Municipality(Frozen):
    """A gemeente: the tenant. `aliases` are other spellings that the search understands."""

    id: Slug
    name: Annotated[str, StringConstraints(min_length=1, max_length=120)]
    aliases: tuple[str, ...] = ()
    teams: tuple[Team, ...] = Field(min_length=1)  # the first one receives new children
    route: Slug
    exit_url: Annotated[str, StringConstraints(pattern=r"^https://[a-z0-9.-]+/?$")]  # neutral site of the quick exit
    short_address: str | None = None  # as printed on the sticker, when the gemeente has one; else the configured origin
    town_hall: str | None = None  # how to find the desk, plain Dutch
    retention_days: Annotated[int, AfterValidator(_within_the_countrys_bounds)] = 30
    retired_on: date | None = None  # set by the program when the file is gone: open chats go on until they expire
    second_step: Literal["required", "offered"] = "required"  # at the console: a code of one's phone beside the passphrase
    places: Mapping[PlaceCode, PlaceLabel] = {}  # where its stickers hang; a sticker's link may carry the code

    @model_validator(mode="before")
    @classmethod
    def _names_its_teams(cls, value: object) -> object:
        if isinstance(value, Mapping) and "team" in value:
            raise ValueError("`team` is now `teams`, a list of id and name; the team of an older file has the id team-<gemeente>")
        return value

    @property
    def receiving_team(self) -> Team:
        """The team in whose queue a new child comes."""
        return self.teams[0]


class Configuration(Frozen):
    """All files, checked against each other."""

    script: Script
    helplines: Mapping[str, Helpline]
    routes: Mapping[str, Route]
    municipalities: Mapping[str, Municipality]

    def script_for(self, municipality_id: str | None) -> Script:  # noqa: ARG002 - one script serves all gemeenten today
        """What the bot says for this gemeente; for None, where no gemeente is known yet."""
        return self.script

    @property
    def listed(self) -> tuple[Municipality, ...]:
        """The gemeenten that a new child can come to, by name; not those whose file is gone and whose open chats run out."""
        current = (m for m in self.municipalities.values() if m.retired_on is None)
        return tuple(sorted(current, key=lambda m: m.name))
