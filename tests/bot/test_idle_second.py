"""An idle second asks only by index: no statement of the loops reads through a table that grows with the children."""

from __future__ import annotations

import asyncio
import json
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy import Connection

from bot.delivery import deliver_due
from bot.erasing import erase_due
from bot.upkeep import Upkeep
from handoff import confidant
from handoff.chats import retention
from handoff.chats.conversation import new_id
from handoff.models import conversation, conversation_key, handoff, key_wrap, message, outbox, shift
from tests.fakes import FakeChannel
from tests.make import CITY, NOON, House, first_child, team_id_of

GROWING = (
    "handoff",
    "message",
    "outbox",
    "conversation",
    "key_wrap",
    "conversation_key",
    "shift",
    "deletion",
    "erased",
    "audit_entry",
)

OPEN_SHIFTS = ("ix_shift_seen", "uq_shift_open")
"""Indexes that hold no more than there are confidants on duty: small enough to be read whole."""

Statement = tuple[str, Any]


@contextmanager
def _recorded() -> Iterator[list[Statement]]:
    """Every statement that any driver executes meanwhile: with its values on SQLite, and beside them on PostgreSQL."""
    found: list[Statement] = []

    class Recording(psycopg.Cursor[Any]):
        def execute(self, query: Any, params: Any = None, **more: Any) -> Any:
            found.append((str(query), params))
            return super().execute(query, params, **more)

        def executemany(self, query: Any, params_seq: Any, **more: Any) -> None:
            found.append((str(query), next(iter(params_seq))))
            super().executemany(query, params_seq, **more)

    def listen(connection: Connection) -> None:
        raw: Any = connection.connection.dbapi_connection
        if isinstance(raw, sqlite3.Connection):
            raw.set_trace_callback(lambda statement: found.append((statement, ())))
        else:
            raw.cursor_factory = Recording

    sa.event.listen(sa.Engine, "begin", listen)
    try:
        yield found
    finally:
        sa.event.remove(sa.Engine, "begin", listen)


def _copy_child(tx: Connection, conversation_id: str, count: int) -> None:
    """More rows as this child's: they can be counted and passed by, and nothing can be sealed for them."""
    ids = [new_id() for _ in range(count)]
    for table in (conversation, conversation_key, key_wrap, message, outbox, handoff):
        mine = table.c.id if table is conversation else table.c.conversation_id
        rows = [dict(row) for row in tx.execute(sa.select(table).where(mine == conversation_id)).mappings()]
        tx.execute(table.insert(), [_as(table, row, fresh) for fresh in ids for row in rows])


def _as(table: sa.Table, row: dict[str, Any], fresh: str) -> dict[str, Any]:
    if table is conversation:
        return {**row, "id": fresh, "child_auth": secrets.token_bytes(32)}
    own = {"id": new_id()} if table is handoff else {}
    return {name: value for name, value in {**row, **own, "conversation_id": fresh}.items() if (table, name) != (outbox, "id")}


def _crowded(house: House) -> Upkeep:
    """Many wait, all were told that somebody is there, on both kinds of channel; nothing is due; and the loop is warm."""
    sanne, store = house.confidant("sanne"), house.runtime.store
    team = team_id_of(CITY)
    store.write(lambda tx: confidant.set_duty(tx, house.runtime, sanne, team, house.clock(), present=True)).result()
    chat = first_child(house).conversation_id
    store.write(lambda tx: _copy_child(tx, chat, 400)).result()
    pushed = outbox.update().where(outbox.c.id % 2 == 0).values(channel="telegram", delivered_at=house.clock())
    store.write(lambda tx: tx.execute(pushed).close()).result()
    store.write(
        lambda tx: tx.execute(shift.insert(), [_past_shift(team, sanne.person_id, day) for day in range(400)]).close()
    ).result()
    if house.url.startswith("postgresql"):
        store.write(lambda tx: tx.exec_driver_sql("ANALYZE").close()).result()
    upkeep = Upkeep(house.runtime, lambda: house.clock().timestamp())
    asyncio.run(upkeep.tell_waiting())
    house.clock.turn(seconds=1)
    return upkeep


def _past_shift(team_id: str, person_id: str, day: int) -> dict[str, object]:
    began = NOON - timedelta(days=day + 1)
    ended = began + timedelta(hours=8)
    return {"id": f"past {day}", "team_id": team_id, "person_id": person_id, "starts_at": began, "ends_at": ended, "seen_at": ended}


def _idle_second(house: House, upkeep: Upkeep) -> None:
    channel = FakeChannel()
    assert asyncio.run(upkeep.tell_waiting()) == 0
    assert asyncio.run(deliver_due(house.runtime, {"telegram": channel})) == 0
    assert asyncio.run(erase_due(house.runtime, {"telegram": channel})) == 0
    asyncio.run(upkeep.notice_silence())


def _read_through(tx: Connection, statement: Statement) -> list[str]:
    """The growing tables that this statement reads through."""
    text, parameters = statement
    if tx.dialect.name == "sqlite":
        plan = [row[-1] for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", parameters)]
        return [line for line in plan if any(line.startswith(f"SCAN {table}") for table in GROWING)]
    tx.exec_driver_sql("SET LOCAL enable_seqscan = off")  # what is still read through has no index that fits
    found = tx.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {text}", parameters).scalar_one()
    root = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    return [f"{node['Node Type']} {node['Relation Name']}" for node in _nodes(root) if _reads_through(node)]


def _reads_through(node: dict[str, Any]) -> bool:
    scans = node["Node Type"] in ("Seq Scan", "Index Scan", "Index Only Scan")
    whole = "Index Cond" not in node and node.get("Index Name") not in OPEN_SHIFTS
    return scans and node.get("Relation Name") in GROWING and whole


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for below in node.get("Plans", ()):
        yield from _nodes(below)


def _explained(house: House, statements: list[Statement]) -> list[str]:
    asked = [s for s in list(statements) if s[0].lstrip().split()[0].upper() in ("SELECT", "UPDATE", "DELETE", "WITH")]
    assert asked
    return house.runtime.store.write(lambda tx: [found for s in asked for found in _read_through(tx, s)]).result()


def test_an_idle_second_reads_through_nothing(house: House) -> None:
    upkeep = _crowded(house)
    with _recorded() as statements:
        _idle_second(house, upkeep)
    assert _explained(house, statements) == []
    assert len([s for s in statements if s[0].lstrip().upper().startswith(("SELECT", "DELETE", "UPDATE"))]) <= 6


def test_looking_at_one_child_reads_through_nothing(house: House) -> None:
    """Something is due for a single child among many."""
    upkeep = _crowded(house)
    mine = handoff.c.conversation_id == first_child(house).conversation_id
    due = handoff.update().where(mine).values(told_from=house.clock() - timedelta(minutes=1), due_at=house.clock())
    house.runtime.store.write(lambda tx: tx.execute(due).close()).result()
    with _recorded() as statements:
        assert asyncio.run(upkeep.tell_waiting()) == 1
    assert {"UPDATE handoff", "INSERT INTO message"} <= {" ".join(s[0].split()[:n]) for s in statements for n in (2, 3)}
    assert _explained(house, statements) == []


def test_finding_what_is_past_its_day_reads_through_nothing(house: House) -> None:
    _crowded(house)
    with _recorded() as statements:
        vault, now = house.runtime.vault, house.clock()
        assert house.runtime.store.write(lambda tx: retention.delete_expired(tx, vault, now, "9999-12-31")).result() == 0
    assert _explained(house, statements) == []


def test_the_check_itself_finds_a_scan(house: House) -> None:
    _crowded(house)
    for blind in ("SELECT id FROM handoff WHERE told_minutes = 3", "SELECT id FROM outbox WHERE attempts = 7"):
        assert _explained(house, [(blind, ())]) != []
