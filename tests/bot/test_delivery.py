"""Delivery on push channels: one bad parcel keeps nobody else waiting, and the transcript shows what was really said."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from bot.channels.telegram.spec import SPEC
from bot.delivery import deliver_due
from bot.erasing import erase_due
from bot.message import Incoming, Outgoing
from bot.turn import take_turn
from handoff import confidant, transcript
from handoff.chats import deletions
from handoff.chats.conversation import get
from handoff.models import conversation, deletion, outbox
from handoff.queue.handoffs import all_waiting
from tests.fakes import FakeChannel
from tests.make import CITY, House, rows, said, team_id_of, understood


def _child(house: House, address: bytes) -> str:
    message_in = Incoming("telegram", CITY, address, "u1", "hoi", address=address)
    work = house.runtime.store.write(lambda tx: take_turn(tx, house.runtime, message_in, understood(), house.clock()))
    return work.result().chat.id


def _deliver(house: House, channel: object, rounds: int = 6) -> None:
    for _ in range(rounds):
        asyncio.run(deliver_due(house.runtime, {"telegram": channel}))  # type: ignore[dict-item]
        house.clock.turn(seconds=5)


def test_a_parcel_that_cannot_be_read_keeps_nobody_else_waiting(house: House) -> None:
    house.confidant("sanne")
    bad = _child(house, b"bad")
    _child(house, b"good")
    damage = conversation.update().where(conversation.c.id == bad).values(address=b"\x02 not an address")
    house.runtime.store.write(lambda tx: tx.execute(damage).close()).result()
    channel = FakeChannel()
    _deliver(house, channel)
    assert len(channel.texts(b"good")) == 3
    ended = [row._mapping["failed_at"] for row in rows(house, outbox) if row._mapping["conversation_id"] == bad]
    assert all(ended)


@dataclass
class Clumsy(FakeChannel):
    """A channel with a fault of its own for one address."""

    clumsy: bytes = b"first"
    tries: int = field(default=0)

    async def send(self, address: bytes, outgoing: Outgoing) -> int:
        """Fail in a way that nobody foresaw."""
        if address == self.clumsy:
            self.tries += 1
            raise RuntimeError("a fault in the channel")
        return await super().send(address, outgoing)


def test_a_channel_with_a_fault_serves_the_others_and_is_tried_again(house: House) -> None:
    house.confidant("sanne")
    _child(house, b"first")
    _child(house, b"second")
    channel = Clumsy()
    _deliver(house, channel)
    assert len(channel.texts(b"second")) == 3
    assert channel.tries > 1


@dataclass
class Stubborn(FakeChannel):
    """A channel that cannot delete for one address, in a way that nobody foresaw."""

    stubborn: bytes = b"first"
    tries: int = field(default=0)
    deleted: list[tuple[bytes, list[int]]] = field(default_factory=list)

    async def delete(self, address: bytes, numbers: Sequence[int]) -> None:
        """Fail, or keep that it was asked."""
        if address == self.stubborn:
            self.tries += 1
            raise RuntimeError("a fault in the channel")
        self.deleted.append((address, list(numbers)))


def test_a_channel_with_a_fault_in_deleting_deletes_for_the_others_and_is_tried_again(house: House) -> None:
    run, vault = house.runtime, house.runtime.vault
    for address in (b"first", b"second"):
        auth = vault.child_auth("telegram", address)
        put = partial(
            deletions.put, vault=vault, channel=SPEC, auth=auth, address=address, numbers=[1, 2], wish=3, now=house.clock()
        )
        run.store.write(put).result()
    channel = Stubborn()
    for _ in range(3):
        asyncio.run(erase_due(run, {"telegram": channel}))
        house.clock.turn(seconds=40)
    assert channel.deleted == [(b"second", [1, 2])]
    assert channel.tries > 1
    assert len(channel.texts(b"first")) == len(channel.texts(b"second")) == len(SPEC.needs.farewell), "each farewell once"
    assert len(rows(house, deletion)) == 1


def test_two_processes_never_send_the_same_message(house: House) -> None:
    house.confidant("sanne")
    for number in range(4):
        _child(house, f"child {number}".encode())
    second = FakeChannel()

    def meanwhile() -> None:
        """While the first process is sending, slowly, another one looks what is due: never longer than a lease."""
        if len(first.sent) < 2:
            house.clock.turn(seconds=20)

    first = FakeChannel(on_send=meanwhile)

    async def both() -> None:
        await asyncio.gather(deliver_due(house.runtime, {"telegram": first}), deliver_due(house.runtime, {"telegram": second}))

    for _ in range(4):
        asyncio.run(both())
    arrived = [(to, o.text) for to, o in first.sent + second.sent]
    assert len(arrived) == len(set(arrived)) == 12


def test_what_was_true_when_written_and_not_when_sent_is_said_otherwise_and_shown_so(house: House) -> None:
    sanne, run, team = house.confidant("sanne"), house.runtime, team_id_of(CITY)
    run.store.write(lambda tx: confidant.set_duty(tx, run, sanne, team, house.clock(), present=True)).result()
    chat = _child(house, b"one")
    run.store.write(lambda tx: confidant.set_duty(tx, run, sanne, team, house.clock(), present=False)).result()
    channel = FakeChannel()
    _deliver(house, channel)
    assert all(sentence.says_on_duty is not True for sentence in said(house, chat))
    item = run.store.write(lambda tx: all_waiting(tx)[0].id).result()
    run.store.write(lambda tx: confidant.claim(tx, run, sanne, item, house.clock())).result()
    shown = run.store.read(lambda tx: [line.text for line in transcript.lines(tx, run, get(tx, chat), sanne)]).result()
    assert [text for text in channel.texts(b"one") if text not in shown] == []
