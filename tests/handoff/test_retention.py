"""What is past its day goes, key first; but nobody's words vanish while a child waits or a human talks, nor by a wrong clock."""

from __future__ import annotations

import asyncio
import secrets
from datetime import datetime, timedelta

import pytest
from structlog.testing import capture_logs

from bot import child
from bot.channels.web.spec import WEBCHAT
from bot.upkeep import STEADY, Upkeep
from handoff import confidant
from handoff.accounts.sessions import Unlocked
from handoff.chats import retention
from handoff.chats.conversation import Door
from handoff.chats.retention import DAYS_AT_ONCE, GRACE, LEAP
from handoff.errors import Denied, NotFound
from handoff.models import conversation, installation, message
from handoff.queue import handoffs
from handoff.queue.handoffs import Outcome, all_waiting
from tests.make import House, first_child, incoming, names_said, rows, understood

DAY = timedelta(days=1)


class Machine:
    """A house whose loops run: real days pass, or the clock is wrong."""

    def __init__(self, house: House) -> None:
        self.house, self.ran = house, 0.0
        self.restart()

    def restart(self) -> None:
        """A new process."""
        self.upkeep = Upkeep(self.house.runtime, lambda: self.ran)

    def run(self, time: timedelta, step: timedelta = timedelta(hours=12)) -> None:
        """Let real time pass, with a round of retention each half day, when the clock has run steadily."""
        while time > timedelta(0):
            part = min(step, time)
            self.house.clock.now += part
            self.ran += part.total_seconds()
            time -= part
            asyncio.run(self.upkeep.retain())

    def start_wrong(self, ahead: timedelta) -> None:
        """A start with a clock that is so far ahead, and some hours by it."""
        self.house.clock.now += ahead
        self.restart()
        self.run(timedelta(hours=2), timedelta(minutes=10))

    def looks(self, token: bytes) -> str:
        """How the chat stands for its child. Raises what the child's page would meet."""
        run, door = self.house.runtime, Door(WEBCHAT, token)
        return run.store.read(lambda tx: child.look(tx, run, door, self.house.clock())).result().state

    def says(self, token: bytes, external_id: str, after: int = 0) -> None:
        """The child writes, on a page that shows everything up to `after`."""
        run, said = self.house.runtime, incoming("nog", token=token, external_id=external_id)
        run.store.write(lambda tx: child.send(tx, run, said, understood(), self.house.clock(), after=after)).result()


@pytest.fixture
def machine(house: House) -> Machine:
    """A house with one confidant, whose loops have run a little."""
    house.confidant("sanne")
    made = Machine(house)
    made.run(STEADY)
    return made


def _closed_chat(house: House, sanne: Unlocked, token: bytes) -> None:
    run, write = house.runtime, house.runtime.store.write
    chat = first_child(house, token=token).conversation_id
    item = write(lambda tx: handoffs.last_of(tx, chat).id).result()
    write(lambda tx: confidant.claim(tx, run, sanne, item, house.clock())).result()
    write(lambda tx: confidant.close(tx, run, sanne, item, Outcome.TALKED, house.clock())).result()


def _of_days(machine: Machine, count: int) -> list[bytes]:
    """Closed chats of so many days, one a day; the clock stands at the last."""
    sanne, tokens = machine.house.sign_in("sanne")[0], []
    for _ in range(count):
        tokens.append(secrets.token_bytes(32))
        sanne, _ = machine.house.sign_in("sanne")
        _closed_chat(machine.house, sanne, tokens[-1])
        machine.run(DAY)
    return tokens


def _ended_up_to(house: House) -> object:
    return rows(house, installation)[0]._mapping["ended_up_to"]


def test_a_closed_chat_goes_after_its_day_and_no_sooner(machine: Machine) -> None:
    house, token = machine.house, secrets.token_bytes(32)
    _closed_chat(house, house.sign_in("sanne")[0], token)
    machine.run(30 * DAY - STEADY)
    assert machine.looks(token) == "closed"
    machine.run(DAY)
    assert rows(house, conversation) == rows(house, message) == []
    assert house.runtime.vault.buckets() == []


def test_a_waiting_child_stays_until_a_week_after_its_last_word(machine: Machine) -> None:
    token = secrets.token_bytes(32)
    first_child(machine.house, token=token)
    machine.run(29 * DAY)
    machine.says(token, "m2")
    machine.run(GRACE - DAY)
    assert machine.looks(token) == "waiting"
    machine.says(token, "m3")
    machine.run(GRACE - timedelta(hours=1))
    assert machine.looks(token) == "waiting"
    machine.run(DAY)
    with pytest.raises(NotFound):
        machine.looks(token)
    assert machine.house.runtime.vault.buckets() == []


def test_a_human_who_writes_keeps_the_chat_too_and_the_bot_does_not(machine: Machine) -> None:
    house, token, run = machine.house, secrets.token_bytes(32), machine.house.runtime
    chat = first_child(house, token=token).conversation_id
    sanne, _ = house.sign_in("sanne")
    item = run.store.write(lambda tx: all_waiting(tx)[0].id).result()
    run.store.write(lambda tx: confidant.claim(tx, run, sanne, item, house.clock())).result()
    machine.run(29 * DAY)
    run.store.write(
        lambda tx: confidant.write(tx, run, sanne, item, external_id="c1", text="ben je er nog", now=house.clock())
    ).result()
    machine.run(GRACE - timedelta(hours=1))
    assert run.store.read(lambda tx: retention.days_in_use(tx, house.clock())).result()
    assert [row._mapping["id"] for row in rows(house, conversation)] == [chat]
    machine.run(DAY)
    assert rows(house, conversation) == []


def test_after_the_key_is_gone_the_rows_alone_open_nothing(machine: Machine) -> None:
    token, house = secrets.token_bytes(32), machine.house
    first_child(house, token=token)
    _destroy_keys(house)
    with pytest.raises(Denied):
        machine.looks(token)


def _destroy_keys(house: House) -> None:
    """What comes before the rows go, 38 days later: a process can end between the two."""
    run, later = house.runtime, house.clock.turn(days=38)
    assert run.store.write(lambda tx: retention.destroy_expired_keys(tx, run.vault, later, "9999-12-31")).result()


def test_who_writes_when_the_key_is_gone_and_the_rows_are_not_begins_anew(machine: Machine) -> None:
    """A process ended between the two: what is taken can be read by the child and by the team, whatever became of the rest."""
    token, house = secrets.token_bytes(32), machine.house
    old = first_child(house, token=token)
    _destroy_keys(house)
    shown = old.lines[-1].seq
    with pytest.raises(NotFound):  # its page gets the words back, and sends them in a chat of which it shows the beginning
        machine.says(token, "m2", after=shown)
    assert [row._mapping["id"] for row in rows(house, conversation)] == [old.conversation_id]
    machine.says(token, "m2")
    (new,) = (str(row._mapping["id"]) for row in rows(house, conversation))
    assert new != old.conversation_id
    assert machine.looks(token) == "waiting"
    assert names_said(house, new), "the team opens it"


def test_a_confidant_writes_nothing_that_nobody_can_read(machine: Machine) -> None:
    house, run = machine.house, machine.house.runtime
    old = first_child(house, token=secrets.token_bytes(32))
    who = house.sign_in("sanne")[0]
    (item,) = run.store.read(all_waiting).result()
    run.store.write(lambda tx: confidant.claim(tx, run, who, item.id, house.clock())).result()
    before = len(rows(house, message))
    _destroy_keys(house)
    with pytest.raises(NotFound):
        run.store.write(
            lambda tx: confidant.write(tx, run, who, item.id, external_id="c-000001", text="ik lees mee", now=house.clock())
        ).result()
    assert len(rows(house, message)) == before, old.conversation_id


def test_words_that_came_just_before_keep_the_key(machine: Machine) -> None:
    token, house, run = secrets.token_bytes(32), machine.house, machine.house.runtime
    first_child(house, token=token)
    house.clock.now += 38 * DAY
    machine.says(token, "m2")
    assert run.store.write(lambda tx: retention.destroy_expired_keys(tx, run.vault, house.clock(), "9999-12-31")).result() == []
    assert machine.looks(token) == "waiting"


@pytest.mark.parametrize("ahead", [LEAP + timedelta(hours=1), timedelta(days=31), timedelta(days=60), timedelta(days=3650)])
def test_a_start_with_a_wrong_clock_ends_nothing_and_says_so(machine: Machine, ahead: timedelta) -> None:
    token, closed, house = secrets.token_bytes(32), secrets.token_bytes(32), machine.house
    _closed_chat(house, house.sign_in("sanne")[0], closed)
    first_child(house, token=token)
    keys, right = house.runtime.vault.buckets(), house.clock()
    with capture_logs() as logs:
        machine.start_wrong(ahead)
        machine.start_wrong(timedelta(hours=3))
    assert house.runtime.vault.buckets() == keys
    assert {entry["todo"] for entry in logs if entry["event"] == "clock_leapt"} == {"praat clock accept"}
    assert len([entry for entry in logs if entry["event"] == "clock_leapt"]) > 2, "again and again, until somebody looks"
    house.clock.now = right + timedelta(hours=5)
    machine.restart()
    with capture_logs() as logs:
        machine.run(timedelta(hours=1), timedelta(minutes=10))
    assert [entry for entry in logs if entry["event"] == "clock_leapt"] == []
    assert (machine.looks(token), machine.looks(closed)) == ("waiting", "closed")


def test_a_clock_that_leaps_under_a_running_program_ends_nothing_either(machine: Machine) -> None:
    tokens, house = _of_days(machine, 2), machine.house
    house.clock.now += timedelta(days=60)
    machine.run(3 * DAY)
    assert [machine.looks(token) for token in tokens] == ["closed", "closed"]


def test_while_the_clock_is_doubted_everything_else_goes_on(machine: Machine) -> None:
    house = machine.house
    machine.start_wrong(timedelta(days=60))
    chat = first_child(house).conversation_id
    house.clock.turn(minutes=2)
    assert asyncio.run(machine.upkeep.tell_waiting()) == 1
    assert "utter_waiting_1" in names_said(house, chat)


def test_an_accepted_clock_ends_three_days_a_day_oldest_first(machine: Machine) -> None:
    tokens, house = _of_days(machine, 8), machine.house
    machine.start_wrong(timedelta(days=60))
    house.runtime.store.write(lambda tx: retention.accept_clock(tx, house.clock())).result()
    left = []
    for _ in range(4):
        machine.run(timedelta(hours=2), timedelta(minutes=10))
        left.append(len(rows(house, conversation)))
        assert len(house.runtime.vault.buckets()) == left[-1]
        machine.restart()
        machine.run(timedelta(hours=22), timedelta(minutes=30))
    assert left == [5, 2, 0, 0]
    assert DAYS_AT_ONCE == 3
    assert len(tokens) == 8


def test_what_was_ended_by_a_clock_that_is_put_back_counts_for_the_day(machine: Machine) -> None:
    tokens, house = _of_days(machine, 8), machine.house
    right: datetime = house.clock()
    for _ in range(3):
        house.clock.now = right
        machine.start_wrong(timedelta(days=60))
        house.runtime.store.write(lambda tx: retention.accept_clock(tx, house.clock())).result()
        machine.run(timedelta(hours=2), timedelta(minutes=10))
    assert len(rows(house, conversation)) == len(tokens) - DAYS_AT_ONCE


def test_days_with_the_program_off_end_like_others(machine: Machine) -> None:
    """A weekend is no leap; what is past then goes at once."""
    tokens, house = _of_days(machine, 2), machine.house
    machine.run(29 * DAY)
    house.clock.now += LEAP - timedelta(hours=13)
    machine.restart()
    machine.run(timedelta(hours=1), timedelta(minutes=10))
    assert rows(house, conversation) == []
    assert _ended_up_to(house)
    assert tokens
