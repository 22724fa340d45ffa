"""Where a sentence is chosen and rendered: for a turn, the page's fixed texts, delivery, the transcript, farewells, simulation.

Choosing looks at what is true at a moment (promise 5); rendering fills in names, numbers and the page's address.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from config.channels import Capabilities
from config.facts import facts
from config.render import render as fill_in
from config.schema import Condition, Helpline, QuickReply, Utterance
from handoff.chats.conversation import Chat
from handoff.pointers import Pointer
from handoff.queue import roster
from handoff.runtime import Runtime

NEIGHBOUR = "veilig-thuis"
"""The line that is also shown while the Kindertelefoon is closed: a human, day and night."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What a sentence may depend on, as it is now."""

    now: datetime
    channel: Capabilities
    """Of the channel on which it is said."""
    municipality_id: str | None
    """Whose script speaks; None where no gemeente is known yet."""
    on_duty: bool | None
    """Whether a human is there; None when that is not known: then every sentence that depends on it stays unsaid."""
    claimed: bool = False
    """Whether a human reads this chat."""

    def facts(self, helplines: Mapping[str, Helpline]) -> Mapping[Condition, bool]:
        """Return every condition that is known, with its value."""
        known = dict(facts(helplines, self.now, self.channel, on_duty=bool(self.on_duty), claimed=self.claimed))
        if self.on_duty is None:
            del known[Condition.ON_DUTY]
        return known


@dataclass(frozen=True, slots=True)
class Sentence:
    """A published utterance in one of its variants: what a bot's message points at."""

    script_version: str
    utterance: Utterance
    number: int
    """The utterance's number in that script version."""
    variant: int

    @property
    def pointer(self) -> Pointer:
        """What is stored of it, sealed."""
        return self.number, self.variant

    @property
    def buttons(self) -> tuple[QuickReply, ...]:
        """The quick replies that go with it."""
        return self.utterance.variants[self.variant].buttons

    @property
    def says_on_duty(self) -> bool | None:
        """Whether it says that a human is there, that none is, or nothing of it."""
        return self.utterance.variants[self.variant].when.get(Condition.ON_DUTY)


class Wording:
    """What can be said at one moment. Get one from `wording_at`: many children ask for the same in the same second."""

    def __init__(self, runtime: Runtime, moment: Moment) -> None:
        self._runtime = runtime
        self.configuration = runtime.configuration
        self._script = self.configuration.script_for(moment.municipality_id)
        self._helplines = self.configuration.helplines
        self._facts = moment.facts(self._helplines)
        self._chosen: dict[tuple[str, int], Sentence | None] = {}
        self._rendered: dict[tuple[str, str, int], str] = {}
        self._live: dict[str, object] | None = None
        self.moment = moment

    def choose(self, utterance_id: str, times_said: int = 0) -> Sentence | None:
        """Return an utterance in the variant that is true now; None when none is: then it stays unsaid.

        `times_said` before in this chat: a child does not read the same line twice while another wording is left.
        """
        key = (utterance_id, times_said)
        if key not in self._chosen:
            utterance = self._script.utterances[utterance_id]
            variant = utterance.choose(self._facts, times_said)
            number = self._script.number_of(utterance_id)
            self._chosen[key] = None if variant is None else Sentence(self._script.version, utterance, number, variant)
        return self._chosen[key]

    def text(self, sentence: Sentence) -> str:
        """Return a sentence as the child of this gemeente reads it on our own page, rendered once."""
        key = (sentence.script_version, sentence.utterance.id, sentence.variant)
        found = self._rendered.get(key)
        if found is None:
            municipality_id = self.moment.municipality_id
            page = partial(self._runtime.page_of, municipality_id or "")
            found = self._rendered[key] = render(self._runtime, municipality_id, sentence, page=page)
        return found

    def revise(self, sentence: Sentence) -> Sentence | None:
        """Return what may be said now of what was chosen before: the same while it is true, another variant, or None."""
        if sentence.utterance.variants[sentence.variant].holds(self._facts):
            return sentence
        variant = sentence.utterance.choose(self._facts, 0)
        return None if variant is None else replace(sentence, variant=variant)

    def say(self, utterance_id: str) -> str:
        """Return the text of an utterance, or nothing when no variant of it is true now."""
        found = self.choose(utterance_id)
        return "" if found is None else self.text(found)

    def say_of_days(self, utterance_id: str, days: int) -> str:
        """Do as `say`, of something that was so many days old."""
        found = self.choose(utterance_id)
        return "" if found is None else render(self._runtime, self.moment.municipality_id, found, days=days)

    def buttons(self, utterance_id: str) -> tuple[QuickReply, ...]:
        """Return the quick replies that go with an utterance now."""
        found = self.choose(utterance_id)
        return () if found is None else found.buttons

    def lines(self) -> list[Helpline]:
        """Return the lines to show as buttons: always 112 and the Kindertelefoon, and a third while the second is closed."""
        first = [line for line in self._helplines.values() if line.first_list]
        neighbour = self._helplines.get(NEIGHBOUR)
        now = self.moment.now
        if neighbour and neighbour.is_open(now) and any(not line.is_open(now) for line in first):
            first.append(neighbour)
        return first

    def live(self) -> Mapping[str, object]:
        """Return what changes by the hour or with the people on duty, for a page that is open."""
        if self._live is None:
            self._live = {
                "on_duty": self.moment.on_duty,
                "duty": self.say("utter_page_duty"),
                "numbers": self.say("utter_page_numbers"),
                "trouble": self.say("utter_trouble"),
                "stopped": self.say("utter_stopped"),
                "extra": any(line.id == NEIGHBOUR for line in self.lines()),
            }
        return self._live


def wording_at(runtime: Runtime, moment: Moment) -> Wording:
    """Return what can be said at this moment, to the second; what was chosen and rendered in it is kept until it is over."""
    second, kept = moment.now.replace(microsecond=0), runtime.said_now
    key = (second, moment.municipality_id, moment.channel, moment.on_duty, moment.claimed)
    found: Wording | None = kept.get(key)
    if found is None or found.configuration is not runtime.configuration:
        if any(key[0] != second for key in list(kept)[:1]):  # a copy: turns on other threads add and clear
            kept.clear()
        found = kept[key] = Wording(runtime, moment)
    return found


def wording_for(tx: Connection, runtime: Runtime, chat: Chat, now: datetime, *, claimed: bool = False) -> Wording:
    """Return what can be said in a chat at this moment: who is on duty is looked up."""
    there = bool(roster.on_duty(tx, chat.team_id, now))
    return wording_at(runtime, Moment(now, runtime.channel(chat.channel).capabilities, chat.municipality_id, there, claimed))


def sentence_of(tx: Connection, runtime: Runtime, script_version: str, pointer: Pointer) -> Sentence:
    """Return what a bot's message points at. Raises `LookupError` for what never stood in that script."""
    number, variant = pointer
    utterance = runtime.script_of(tx, script_version).by_number(number)
    return Sentence(script_version, utterance, number, range(len(utterance.variants))[variant])


def render(
    runtime: Runtime,
    municipality_id: str | None,
    sentence: Sentence,
    *,
    confidant: str | None = None,
    page: Callable[[], str] | None = None,
    days: int | None = None,
) -> str:
    """Fill in numbers and names. `page` gives the page's address, and is asked only when the sentence names it."""
    text = sentence.utterance.variants[sentence.variant].text
    name = "" if municipality_id is None else runtime.municipality(municipality_id).name
    address = page() if page is not None and "{page}" in text else ""
    return fill_in(text, runtime.configuration.helplines, municipality=name, confidant=confidant, page=address, days=days)


def dialled(runtime: Runtime) -> list[tuple[str, str]]:
    """Return (printed, dialled) number of every line that a child may be shown."""
    return [(h.number, h.tel) for h in runtime.configuration.helplines.values() if h.audience == "child"]
