"""A clock that ran ahead and was put back: what it left behind counts as no sign of life, holds nobody and delays nobody."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import Connection
from structlog.testing import capture_logs

from bot import child
from bot.channels.telegram.spec import SPEC as TELEGRAM
from bot.channels.web.spec import WEBCHAT
from bot.clock_watch import ClockWatch
from bot.delivery import deliver_due
from bot.message import Incoming
from bot.turn import take_turn
from bot.upkeep import STEADY, Upkeep
from handoff import confidant
from handoff.accounts import credentials, sessions
from handoff.accounts.sessions import Unlocked
from handoff.chats import deletions, outbox
from handoff.chats.conversation import Door
from handoff.clock import AHEAD, CORRECTION, is_recent
from handoff.database import open_store
from handoff.database.clock import DatabaseClock
from handoff.errors import Denied
from handoff.models import handoff
from handoff.queue import due, handoffs, roster
from handoff.queue.handoffs import LEASE, Handoff
from tests import make
from tests.fakes import FakeChannel
from tests.make import CITY, NOON, House, first_child, look, names_said, rows, team_id_of, understood

HOUR = timedelta(hours=1)
TEAM = team_id_of(CITY)


class Machine:
    """A house with its loops. The clock runs, and can be set; what only runs goes on."""

    def __init__(self, house: House) -> None:
        self.house, self.ran = house, 0.0
        self.upkeep = Upkeep(house.runtime, lambda: self.ran)

    def run(self, seconds: float, *alive: Unlocked) -> None:
        """Let time pass, with a round of the loop each second, and a beat of these people's consoles each 25."""
        for second in range(int(seconds)):
            self.ran += 1
            now = self.house.clock.turn(seconds=1)
            if second % 25 == 0:
                for who in alive:
                    self.house.runtime.store.write(partial(confidant.alive, who=who, now=now)).result()
            asyncio.run(self.upkeep.tell_waiting())

    def restart(self) -> None:
        """A new process."""
        self.upkeep = Upkeep(self.house.runtime, lambda: self.ran)

    def item(self, conversation_id: str) -> Handoff:
        """The handoff of a chat."""
        return self.house.runtime.store.read(lambda tx: handoffs.last_of(tx, conversation_id)).result()

    def claim(self, who: Unlocked, conversation_id: str) -> None:
        """Take it."""
        item = self.item(conversation_id)
        self.house.runtime.store.write(
            lambda tx: confidant.claim(tx, self.house.runtime, who, item.id, self.house.clock())
        ).result()

    def said(self, conversation_id: str) -> list[str]:
        """What the bot said, in order."""
        return names_said(self.house, conversation_id)


@pytest.fixture(params=["noticed", "while nothing ran"])
def put_back(request: pytest.FixtureRequest) -> bool:
    """Whether the loop saw the clock being put back, or began after it."""
    return bool(request.param == "noticed")


def _put_back(machine: Machine, noticed: bool) -> None:
    machine.house.clock.now -= HOUR
    if not noticed:
        machine.restart()


@pytest.mark.parametrize(
    ("age", "counts"),
    [(0, True), (59, True), (60, False), (-5, True), (-6, False), (-3600, False)],
)
def test_a_sign_of_life_is_recent_only_between_then_and_a_moment_ahead(age: int, counts: bool) -> None:
    assert is_recent(NOON - timedelta(seconds=age), within=timedelta(minutes=1), now=NOON) is counts
    assert is_recent(None, within=HOUR, now=NOON) is False


def test_nobody_is_on_duty_by_a_beat_from_the_future(house: House) -> None:
    sanne, run = house.confidant("sanne"), house.runtime

    def there() -> bool:
        return bool(run.store.read(lambda tx: roster.on_duty(tx, TEAM, house.clock())).result())

    run.store.write(lambda tx: confidant.set_duty(tx, house.runtime, sanne, TEAM, house.clock(), present=True)).result()
    house.clock.turn(seconds=-4)
    assert there(), "two machines' clocks may lie a little apart"
    house.clock.now -= HOUR
    assert not there()
    run.store.write(lambda tx: confidant.alive(tx, sanne, house.clock())).result()
    assert there()


def test_a_child_that_was_told_that_somebody_is_there_hears_when_only_the_clock_says_so(house: House, put_back: bool) -> None:
    sanne, machine = house.confidant("sanne"), Machine(house)
    house.runtime.store.write(lambda tx: confidant.set_duty(tx, house.runtime, sanne, TEAM, house.clock(), present=True)).result()
    chat = first_child(house).conversation_id
    machine.run(2)
    _put_back(machine, put_back)
    machine.run(2)
    assert machine.said(chat)[-1] == "utter_nobody_on_duty"


def test_a_claim_whose_confidant_vanished_comes_back_after_a_lease(house: House, put_back: bool) -> None:
    sanne, machine = house.confidant("sanne"), Machine(house)
    chat = first_child(house).conversation_id
    machine.claim(sanne, chat)
    machine.run(2, sanne)
    _put_back(machine, put_back)
    machine.run(LEASE.total_seconds() + 2)
    assert machine.item(chat).state == "waiting"
    assert machine.said(chat)[-1] == "utter_given_back"


def test_a_claim_whose_confidant_is_there_is_kept(house: House, put_back: bool) -> None:
    sanne, machine = house.confidant("sanne"), Machine(house)
    chat = first_child(house).conversation_id
    machine.claim(sanne, chat)
    machine.run(2, sanne)
    _put_back(machine, put_back)
    machine.run(LEASE.total_seconds() + 20, sanne)
    assert machine.item(chat).claimed_by == sanne.person_id
    assert machine.said(chat)[-1] == "utter_taken_over"


def test_those_who_wait_are_told_in_time_and_keep_their_order(house: House, put_back: bool) -> None:
    house.confidant("sanne")
    machine, chats = Machine(house), []
    for _ in range(3):
        chats.append(first_child(house).conversation_id)
        machine.run(7)
    _put_back(machine, put_back)
    machine.run(1)
    chats.append(first_child(house).conversation_id)
    queue = house.runtime.store.read(lambda tx: [item.conversation_id for item in handoffs.waiting(tx, TEAM)]).result()
    assert queue == chats
    assert all(item.waiting_since <= house.clock() for item in map(machine.item, chats))
    machine.run(61)
    assert all("utter_waiting_1" in machine.said(chat) for chat in chats)


def test_a_message_that_a_process_had_leased_goes_out_within_a_lease(house: House, put_back: bool) -> None:
    house.confidant("sanne")
    machine, run, channel = Machine(house), house.runtime, FakeChannel()
    incoming = Incoming("telegram", CITY, b"one", "u1", "hoi", address=b"one")
    run.store.write(lambda tx: take_turn(tx, run, incoming, understood(), house.clock())).result()

    def lease(tx: Connection) -> None:
        for parcel in outbox.due(tx, "telegram", house.clock()):
            outbox.lease(tx, parcel, house.clock())

    run.store.write(lease).result()
    _put_back(machine, put_back)
    machine.run(outbox.LEASE.total_seconds() + 2)
    asyncio.run(deliver_due(run, {"telegram": channel}))
    assert len(channel.texts(b"one")) >= 3


def test_what_must_be_deleted_is_deleted_and_does_not_stay_longer(house: House, put_back: bool) -> None:
    machine, run = Machine(house), house.runtime

    def leave(tx: Connection) -> None:
        deletions.put(tx, run.vault, channel=TELEGRAM, auth=b"a", address=b"b", numbers=[1], wish=None, now=house.clock())
        assert deletions.due(tx, "telegram", house.clock())

    run.store.write(leave).result()
    _put_back(machine, put_back)
    machine.run(1)
    assert run.store.write(lambda tx: deletions.due(tx, "telegram", house.clock())).result()
    house.clock.now += deletions.LONGEST
    assert run.store.write(lambda tx: deletions.due(tx, "telegram", house.clock())).result() == []


def test_nobody_stays_signed_in_by_a_clock_that_ran_ahead(house: House) -> None:
    house.confidant("sanne")
    house.clock.now += HOUR
    _, cookie = house.sign_in("sanne")
    house.clock.now -= HOUR
    with pytest.raises(Denied):
        house.runtime.store.read(
            lambda tx: sessions.resume(tx, house.runtime.vault, cookie, now=house.clock(), touch=False)
        ).result()


@pytest.mark.parametrize("back", [timedelta(seconds=6), timedelta(minutes=1), CORRECTION - timedelta(seconds=30)])
def test_a_correction_of_the_clock_throws_no_confidant_out_of_a_chat(house: House, back: timedelta) -> None:
    """Their console beats on, so the child stays with them."""
    house.confidant("sanne")
    machine, run = Machine(house), house.runtime
    sanne, cookie = house.sign_in("sanne")
    chat = first_child(house).conversation_id
    machine.claim(sanne, chat)
    machine.run(2, sanne)
    house.clock.now -= back

    def beat(tx: Connection) -> None:
        who = sessions.resume(tx, run.vault, cookie, now=house.clock(), touch=False)
        confidant.alive(tx, who, house.clock())

    for _ in range(int(LEASE.total_seconds() / 25) + 2):
        run.store.write(beat).result()
        machine.run(25)
    assert machine.item(chat).claimed_by == sanne.person_id


def test_nobody_stays_signed_in_much_longer_by_a_correction(house: House) -> None:
    house.confidant("sanne")
    _, cookie = house.sign_in("sanne")
    house.clock.now -= CORRECTION
    house.clock.turn(minutes=29, seconds=59)

    def look(tx: Connection) -> Unlocked:
        return sessions.resume(tx, house.runtime.vault, cookie, now=house.clock(), touch=False)

    house.runtime.store.read(look).result()
    house.clock.turn(seconds=2)
    with pytest.raises(Denied):
        house.runtime.store.read(look).result()


def test_nobody_is_kept_out_by_a_clock_that_ran_ahead(house: House) -> None:
    house.confidant("sanne")
    house.clock.now += HOUR
    row = house.runtime.store.read(lambda tx: credentials.look_up(tx, "sanne")).result()
    for _ in range(credentials.FAILURES):
        house.runtime.store.write(lambda tx: credentials.note_failure(tx, row, house.clock())).result()
    with pytest.raises(Denied):
        house.sign_in("sanne")
    house.clock.now -= HOUR
    house.sign_in("sanne")


def test_the_page_of_a_child_that_left_is_not_open_by_a_sign_from_the_future(house: House) -> None:
    sanne, token, run = house.confidant("sanne"), secrets.token_bytes(32), house.runtime
    machine, chat = Machine(house), first_child(house, token=token).conversation_id
    machine.claim(sanne, chat)
    run.store.write(lambda tx: child.confirm(tx, run, Door(WEBCHAT, token), 1, house.clock())).result()
    seen = run.store.write(lambda tx: look(tx, run, sanne, machine.item(chat).id, house.clock())).result().child_seen_at
    assert is_recent(seen, within=timedelta(minutes=1), now=house.clock())
    assert not is_recent(seen, within=timedelta(minutes=1), now=house.clock() - HOUR)


def test_the_loop_says_that_the_clock_was_set_and_only_then(sqlite_house: House) -> None:
    machine = Machine(sqlite_house)
    with capture_logs() as logs:
        machine.run(3)
        assert logs == []
        sqlite_house.clock.now -= HOUR
        machine.run(2)
    assert [(entry["event"], entry["seconds"]) for entry in logs] == [("clock_was_set", -3600)]


def test_a_clock_that_only_runs_has_not_jumped() -> None:
    clock, ran = make.Clock(), [0.0]
    watch = ClockWatch(clock, lambda: ran[0])
    for _ in range(10):
        clock.turn(seconds=60.4)
        ran[0] += 60
        assert watch.jump() is None, "clocks drift a little"
    clock.turn(days=31)
    assert watch.jump() == timedelta(days=31)
    assert watch.steady_for() == timedelta(0)


def test_nothing_is_destroyed_by_a_clock_that_is_wrong_at_the_start(house: House) -> None:
    """A machine that starts 60 days ahead, and is set right minutes later."""
    house.confidant("sanne")
    token, machine = secrets.token_bytes(32), Machine(house)
    first_child(house, token=token)
    days = house.runtime.vault.buckets()
    house.clock.now += timedelta(days=60)
    machine.restart()
    machine.run(1)
    asyncio.run(machine.upkeep.retain())
    assert house.runtime.vault.buckets() == days
    machine.ran += STEADY.total_seconds()
    house.clock.now += STEADY
    asyncio.run(machine.upkeep.retain())
    assert house.runtime.vault.buckets() == [], "without a moment at which the clock was believed, it is believed now"


def test_a_row_that_nothing_is_wrong_with_is_left_alone(house: House) -> None:
    sanne, machine = house.confidant("sanne"), Machine(house)
    first_child(house)
    machine.claim(sanne, first_child(house).conversation_id)
    before = rows(house, handoff)
    house.clock.turn(seconds=30)
    assert house.runtime.store.write(lambda tx: due.set_right(tx, house.clock())).result() == 0
    assert house.runtime.store.write(lambda tx: outbox.set_right(tx, ["telegram"], house.clock())).result() == 0
    assert rows(house, handoff) == before


@pytest.mark.parametrize("off", [-HOUR, HOUR], ids=["behind", "ahead"])
def test_a_process_whose_own_clock_is_wrong_goes_by_the_database(postgres_database: str, off: timedelta) -> None:
    """Its confidants would else be away, or there for an hour too long."""
    store, clock = open_store(postgres_database), DatabaseClock(lambda: datetime.now(UTC) + off)
    try:
        assert abs(clock() - datetime.now(UTC) - off) < AHEAD
        with capture_logs() as logs:
            asyncio.run(clock.ask(store))
            asyncio.run(clock.ask(store))
        assert abs(clock() - datetime.now(UTC)) < AHEAD
        assert [entry["event"] for entry in logs] == ["clock_differs_from_database"]
    finally:
        store.close()


def test_an_answer_that_took_long_changes_nothing(postgres_database: str) -> None:
    store, times = open_store(postgres_database), [NOON, NOON + timedelta(seconds=3), NOON]
    clock = DatabaseClock(lambda: times.pop(0))
    try:
        asyncio.run(clock.ask(store))
        assert clock() == NOON
    finally:
        store.close()
