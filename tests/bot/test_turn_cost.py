"""What a turn costs the database, and that an answer made from memory is the one that a second look would give."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection

from bot import child
from bot.channels.web.spec import WEBCHAT
from bot.child import Snapshot
from handoff import confidant
from handoff.chats.conversation import Door
from handoff.errors import Denied, NotFound
from handoff.models import conversation_key
from handoff.queue import roster
from nlu.understanding import Understanding
from tests.make import CITY, House, incoming, team_id_of, understood

FIRST, LATER = 14, 10
"""Statements at most, all that the database executes between BEGIN and COMMIT."""

EVENTS = 1
"""One of them is the log of events, which the store of PostgreSQL writes behind the work."""


class _Counting(psycopg.Cursor[Any]):
    """A cursor that keeps what it executes."""

    heard: list[str]

    def execute(self, query: Any, *rest: Any, **named: Any) -> Any:
        """See psycopg."""
        _Counting.heard.append(str(query))
        return super().execute(query, *rest, **named)


@contextmanager
def _listening(tx: Connection) -> Iterator[list[str]]:
    """What the database is asked to do on this connection, at the driver: nothing above it can hide a statement."""
    heard: list[str] = []
    raw: Any = tx.connection.dbapi_connection
    if tx.dialect.name == "sqlite":
        raw.set_trace_callback(lambda text: None if text.startswith("--") else heard.append(text))  # "--": inside a trigger
        yield heard
        raw.set_trace_callback(None)
    else:
        _Counting.heard = heard
        before, raw.cursor_factory = raw.cursor_factory, _Counting
        yield heard
        raw.cursor_factory = before


def _counted(house: House, work: Callable[[Connection], Snapshot]) -> tuple[int, Snapshot]:
    def counting(tx: Connection) -> tuple[int, Snapshot]:
        with _listening(tx) as heard:
            answered = work(tx)
        return len(heard), answered

    return house.runtime.store.write(counting).result()


def _send(
    house: House, token: bytes, own_id: str, understanding: Understanding | None = None, after: int = 0
) -> Callable[[Connection], Snapshot]:
    message = incoming("help mij", token=token, external_id=own_id)
    return lambda tx: child.send(tx, house.runtime, message, understanding or understood(), house.clock(), after=after)


def _look(house: House, token: bytes, after: int) -> Snapshot:
    door = Door(WEBCHAT, token)
    return house.runtime.store.read(lambda tx: child.look(tx, house.runtime, door, house.clock(), after=after)).result()


def _claim(house: House, who: Any) -> None:
    run, now = house.runtime, house.clock()
    (board,) = run.store.read(lambda tx: confidant.boards(tx, who, now)).result()
    run.store.write(lambda tx: confidant.claim(tx, run, who, board.waiting[0].id, now)).result()


def test_a_first_message_and_later_ones_are_few_statements(house: House) -> None:
    house.confidant("sanne")
    token = secrets.token_bytes(32)
    first, seen = _counted(house, _send(house, token, "m1"))
    later, seen = _counted(house, _send(house, token, "m2", after=seen.lines[-1].seq))
    raised, _ = _counted(house, _send(house, token, "m3", understood("acute_danger"), seen.lines[-1].seq))
    assert 5 < first <= FIRST - EVENTS
    assert 3 < max(later, raised) <= LATER - EVENTS


def test_a_turn_costs_the_same_in_a_long_chat_and_while_a_human_reads(house: House) -> None:
    who, token = house.confidant("sanne"), secrets.token_bytes(32)
    seen = house.runtime.store.write(_send(house, token, "m0")).result()
    for n in range(1, 20):
        seen = house.runtime.store.write(_send(house, token, f"m{n}", after=seen.lines[-1].seq)).result()
    long, seen = _counted(house, _send(house, token, "m20", after=seen.lines[-1].seq))
    _claim(house, who)
    claimed, _ = _counted(house, _send(house, token, "m21", after=seen.lines[-1].seq))
    assert max(long, claimed) <= LATER - EVENTS


@pytest.mark.parametrize("intent", ["greet", "acute_danger", "nlu_fallback", "stop_or_delete", "unsafe_to_chat"])
@pytest.mark.parametrize("on_duty", [True, False])
def test_the_answer_is_what_a_second_look_would_show(sqlite_house: House, intent: str, on_duty: bool) -> None:
    house, token = sqlite_house, secrets.token_bytes(32)
    who = house.confidant("sanne")
    if on_duty:
        house.runtime.store.write(
            lambda tx: roster.start(tx, team_id=team_id_of(CITY), person_id=who.person_id, now=house.clock())
        ).result()
    after = 0
    for n in range(3):
        answered = house.runtime.store.write(_send(house, token, f"m{n}", understood(intent), after)).result()
        assert answered == _look(house, token, after)
        assert answered.lines[0].text == "help mij"
        after = answered.lines[-1].seq
        house.clock.turn(seconds=1.25)
    _claim(house, who)
    announced = _look(house, token, after)
    after = announced.lines[-1].seq
    silent = house.runtime.store.write(_send(house, token, "m9", understood(intent), after)).result()
    assert silent == _look(house, token, after)
    assert (silent.state, silent.confidant, len(silent.lines)) == ("claimed", "Sanne", 1)


def test_a_child_that_missed_something_gets_all_of_it(sqlite_house: House) -> None:
    house, token = sqlite_house, secrets.token_bytes(32)
    house.confidant("sanne")
    first = house.runtime.store.write(_send(house, token, "m1")).result()
    second = house.runtime.store.write(_send(house, token, "m2", after=0)).result()
    assert [line.seq for line in second.lines] == list(range(1, second.lines[-1].seq + 1))
    assert second.lines[: len(first.lines)] == first.lines
    again = house.runtime.store.write(_send(house, token, "m2", after=first.lines[-1].seq)).result()
    assert again.lines == second.lines[len(first.lines) :], "the same message twice is one, and is shown"


def test_a_chat_whose_key_was_taken_away_is_refused_and_never_begun_anew(house: House) -> None:
    token = secrets.token_bytes(32)
    house.confidant("sanne")
    house.runtime.store.write(_send(house, token, "m1")).result()
    house.runtime.store.write(lambda tx: tx.execute(conversation_key.delete())).result()
    with pytest.raises(Denied):
        house.runtime.store.write(_send(house, token, "m2")).result()


def test_another_gemeente_s_page_does_not_take_a_message_into_a_chat(sqlite_house: House) -> None:
    house, token = sqlite_house, secrets.token_bytes(32)
    house.confidant("sanne")
    house.confidant("olga", "elders")
    house.runtime.store.write(_send(house, token, "m1")).result()
    elsewhere = incoming("hoi", token=token, external_id="m2", municipality_id="elders")
    with pytest.raises(NotFound):
        house.runtime.store.write(lambda tx: child.send(tx, house.runtime, elsewhere, understood(), house.clock())).result()
    assert [line.text for line in _look(house, token, 0).lines if line.role == "child"] == ["help mij"]
