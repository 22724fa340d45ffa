"""Hypothesis plays children, confidants, networks and clocks against conversation, handoff and delivery."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import Connection

from bot import child
from bot.channels.channel import DeliveryFailed
from bot.channels.web.spec import WEBCHAT
from bot.delivery import deliver_due
from bot.message import Incoming
from bot.turn import take_turn
from bot.waiting import tell_waiting
from config.intents import FALLBACK, INTENTS
from handoff import confidant, keys
from handoff.accounts.sessions import Unlocked
from handoff.chats.conversation import Door
from handoff.errors import Conflict, NotFound
from handoff.models import conversation, handoff
from handoff.queue import handoffs
from handoff.queue.handoffs import Outcome
from tests import make
from tests.fakes import FakeChannel
from tests.proof import proof, size

EXAMPLES = size(15, 200)

T = TypeVar("T")
TEXT = st.text(st.characters(), max_size=60)  # surrogates and NUL included: they are stored exactly


@dataclass
class Kid:
    """What the model knows of one child. `wrote` and `heard` hold (external id, text)."""

    door: Door
    wrote: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    ids: list[tuple[str, str]] = field(default_factory=list)
    urgency: int = 0
    holder: str | None = None
    open: bool = False
    erased: bool = False


class Handoffs(RuleBasedStateMachine):
    """Children and confidants of one gemeente, and a confidant of another who must never see anything."""

    @initialize()
    def begin(self) -> None:
        """A house, two colleagues, one stranger, one push channel."""
        self.stack = ExitStack()
        shm = Path("/dev/shm")  # noqa: S108 - memory, where there is some: the disk is tested elsewhere
        self.folder = Path(tempfile.mkdtemp(dir=shm if shm.is_dir() else None))
        self.house = self.stack.enter_context(make.house(self.folder))
        self.people = [self.house.confidant("sanne"), self.house.confidant("noor")]
        self.stranger = self.house.confidant("olga", "elders")
        self.channel = FakeChannel()
        self.kids: list[Kid] = []
        self.count = 0

    def teardown(self) -> None:
        """Let go of the database."""
        if hasattr(self, "stack"):
            self.stack.close()
            shutil.rmtree(self.folder)

    def _do(self, work: Callable[[Connection], T]) -> T:
        return self.house.runtime.store.write(work).result()

    def _send(self, kid: Kid, external_id: str, text: str, intent: str) -> None:
        message = Incoming(kid.door.channel, make.CITY, kid.door.token, external_id, text, address=kid.door.address)
        reading = make.understood(intent)
        self._do(lambda tx: take_turn(tx, self.house.runtime, message, reading, self.house.clock()))

    def _alive(self) -> list[Kid]:
        return [kid for kid in self.kids if not kid.erased]

    def _pick(self, data: st.DataObject) -> Kid:
        return data.draw(st.sampled_from(self._alive()))

    @precondition(lambda self: len(self.kids) < 5)
    @rule(text=TEXT, intent=st.sampled_from([*INTENTS, FALLBACK]), push=st.booleans())
    def new_child(self, text: str, intent: str, push: bool) -> None:
        """A child that nobody knows yet writes."""
        self.count += 1
        token = f"token {self.count}".encode().ljust(32)
        kid = Kid(Door("telegram", token, token) if push else Door(WEBCHAT, token))
        self.kids.append(kid)
        self._written(kid, text, intent)

    @precondition(lambda self: self._alive())
    @rule(data=st.data(), text=TEXT, intent=st.sampled_from([*INTENTS, FALLBACK]))
    def writes_again(self, data: st.DataObject, text: str, intent: str) -> None:
        """A child goes on."""
        self._written(self._pick(data), text, intent)

    def _written(self, kid: Kid, text: str, intent: str) -> None:
        self.count += 1
        external_id = f"m{self.count}"
        self._send(kid, external_id, text, intent)
        kid.wrote.append(text)
        kid.ids.append((external_id, text))
        urgency = int(make.understood(intent).urgency)
        kid.urgency = max(kid.urgency if kid.open else 0, urgency)
        kid.open = True

    @precondition(lambda self: any(kid.ids for kid in self._alive()))
    @rule(data=st.data())
    def network_repeats(self, data: st.DataObject) -> None:
        """The same request arrives once more: nothing new comes of it."""
        kid = self._pick(data)
        external_id, text = data.draw(st.sampled_from(kid.ids))
        self._send(kid, external_id, text, "acute_danger")

    @precondition(lambda self: self._alive())
    @rule(data=st.data(), who=st.integers(0, 1))
    def claims(self, data: st.DataObject, who: int) -> None:
        """A confidant takes a child; it works exactly when nobody has it."""
        kid, person = self._pick(data), self.people[who]
        item = self._item(kid)
        if item is None:
            return
        try:
            self._do(lambda tx: confidant.claim(tx, self.house.runtime, person, item, self.house.clock()))
        except Conflict:
            assert kid.holder is not None, "a free child could not be claimed"
        else:
            assert kid.holder is None, "two humans hold the same child"
            kid.holder = person.person_id

    def _item(self, kid: Kid) -> str | None:
        def look(tx: Connection) -> str | None:
            chat = child.find(tx, self.house.runtime, kid.door)
            found = handoffs.open_of(tx, chat.conversation_id)
            return found.id if found else None

        return self._do(look)

    @precondition(lambda self: any(kid.holder for kid in self._alive()))
    @rule(data=st.data(), who=st.integers(0, 1), text=TEXT)
    def human_writes(self, data: st.DataObject, who: int, text: str) -> None:
        """Only the holder's words arrive."""
        kid, person = self._pick(data), self.people[who]
        self.count += 1
        external_id = f"c{self.count}"
        ok = self._as_holder(
            kid,
            person,
            lambda tx, item: confidant.write(
                tx, self.house.runtime, person, item, external_id=external_id, text=text, now=self.house.clock()
            ),
        )
        if ok:
            kid.heard.append(text)

    @precondition(lambda self: any(kid.holder for kid in self._alive()))
    @rule(data=st.data(), who=st.integers(0, 1), how=st.sampled_from(["release", "transfer", "close"]))
    def human_lets_go(self, data: st.DataObject, who: int, how: str) -> None:
        """Only the holder can give back, transfer or close."""
        kid, person, runtime = self._pick(data), self.people[who], self.house.runtime
        other = self.people[1 - who].person_id
        acts = {
            "release": lambda tx, item: confidant.release(tx, runtime, person, item, self.house.clock()),
            "transfer": lambda tx, item: confidant.transfer(tx, runtime, person, item, other, self.house.clock()),
            "close": lambda tx, item: confidant.close(tx, runtime, person, item, Outcome.TALKED, self.house.clock()),
        }
        if self._as_holder(kid, person, acts[how]):
            kid.holder = None
            kid.open = how != "close"

    def _as_holder(self, kid: Kid, person: Unlocked, act: Callable[[Connection, str], None]) -> bool:
        item = self._item(kid)
        if item is None:
            return False
        try:
            self._do(lambda tx: act(tx, item))
        except (NotFound, Conflict):
            assert kid.holder != person.person_id, "the holder was refused"
            return False
        assert kid.holder == person.person_id, "somebody who does not hold the child could act"
        return True

    @rule(minutes=st.sampled_from([0.5, 2.0, 4.0, 12.0]), alive=st.sets(st.integers(0, 1)))
    def time_passes(self, minutes: float, alive: set[int]) -> None:
        """Consoles that are open keep their claims; the others lapse after the lease."""
        for _ in range(int(minutes * 2)):
            now = self.house.clock.turn(seconds=30)
            for who in alive:
                self._do(partial(confidant.alive, who=self.people[who], now=now))
        asyncio.run(tell_waiting(self.house.runtime))
        for kid in self._alive():
            if self._state(kid) == "waiting":
                assert kid.holder not in {self.people[who].person_id for who in alive}, "a claim lapsed under a living console"
                kid.holder = None

    @rule(who=st.integers(0, 1), present=st.booleans())
    def duty(self, who: int, present: bool) -> None:
        """Somebody comes or goes."""
        (board,) = self._do(lambda tx: confidant.boards(tx, self.people[who], self.house.clock()))
        team = board.team.id
        self._do(lambda tx: confidant.set_duty(tx, self.house.runtime, self.people[who], team, self.house.clock(), present=present))

    @precondition(lambda self: self._alive())
    @rule(data=st.data())
    def erases(self, data: st.DataObject) -> None:
        """'Wis alles'."""
        kid = self._pick(data)
        self._do(lambda tx: child.erase(tx, self.house.runtime, kid.door, self.house.clock()))
        kid.erased = True

    @precondition(lambda self: self._alive())
    @rule(data=st.data())
    def phone_confirms(self, data: st.DataObject) -> None:
        """The page shows everything."""
        kid = self._pick(data)
        self._do(lambda tx: child.confirm(tx, self.house.runtime, kid.door, 10_000, self.house.clock()))

    @rule(faults=st.lists(st.booleans(), max_size=3))
    def delivery_runs(self, faults: list[bool]) -> None:
        """The push channel works, or fails for a while (never for good: that ends a message, as it should)."""
        self.channel.faults = [DeliveryFailed("network", permanent=False) for fault in faults if fault]
        asyncio.run(deliver_due(self.house.runtime, {"telegram": self.channel}))

    def _state(self, kid: Kid) -> str:
        chat = self._do(lambda tx: child.find(tx, self.house.runtime, kid.door)).conversation_id
        return str(self._do(lambda tx: handoffs.last_of(tx, chat).state))

    def _whole(self, tx: Connection, kid: Kid) -> tuple[str, list[keys.OpenedMessage], handoffs.Handoff | None]:
        chat = child.find(tx, self.house.runtime, kid.door).conversation_id
        return chat, keys.open_conversation(tx, self.house.runtime.vault, chat, self.people[0]), handoffs.open_of(tx, chat)

    @invariant()
    def nothing_is_lost_and_nothing_is_twice(self) -> None:
        """Every child's words stand once, in order; an open handoff for each, in the right hands, as loud as it was made."""
        if not hasattr(self, "house"):
            return
        for kid in self.kids:
            if kid.erased:
                continue
            _, opened, item = self._do(partial(self._whole, kid=kid))
            assert [m.text for m in opened if m.role == "child"] == kid.wrote
            assert [m.text for m in opened if m.role == "confidant"] == kid.heard
            assert (item is not None) is kid.open
            if item is not None:
                assert item.urgency == kid.urgency
                assert item.claimed_by == kid.holder

    @invariant()
    def a_push_channel_gets_everything_once_and_in_order(self) -> None:
        """What arrived is a prefix of what was said to this child."""
        if not hasattr(self, "house"):
            return
        for kid in self.kids:
            if not kid.erased and kid.door.channel == "telegram":
                human = [text for to, o in self.channel.sent if to == kid.door.token and o.from_human for text in [o.text]]
                said = [text.encode("utf-8", "surrogatepass").decode("utf-8", "replace") for text in kid.heard]
                assert human == said[: len(human)]

    @invariant()
    def the_stranger_sees_nothing_and_erased_is_gone(self) -> None:
        """Another gemeente's confidant has an empty board; an erased child left no row."""
        if not hasattr(self, "house"):
            return
        (board,) = self._do(lambda tx: confidant.boards(tx, self.stranger, self.house.clock()))
        assert board.waiting == []
        assert board.held == []
        left = self._do(lambda tx: len(tx.execute(conversation.select()).all()))
        assert left == len(self._alive())
        assert self._do(lambda tx: len(tx.execute(handoff.select()).all())) >= sum(kid.open for kid in self._alive())


TestHandoffs = proof(Handoffs.TestCase)
TestHandoffs.settings = settings(
    max_examples=EXAMPLES, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
)
