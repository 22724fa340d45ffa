"""At night SQLite's file is written anew, once: what is left of erased rows in pages that are in use goes too."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from datetime import UTC, datetime

from bot.upkeep import Upkeep
from tests.make import House

WORD = b"bekend-woord-" + b"q" * 20


def _leave_something(house: House) -> None:
    with contextlib.closing(sqlite3.connect(house.folder / "praat.db", isolation_level=None)) as raw:
        raw.execute("PRAGMA secure_delete=OFF")
        raw.execute("CREATE TABLE IF NOT EXISTS t (x)")
        raw.executemany("INSERT INTO t VALUES (?)", [(WORD,)] * 50)
        raw.execute("DELETE FROM t")


def _is_left(house: House) -> bool:
    return any(WORD in file.read_bytes() for file in house.folder.glob("praat.db*"))


def test_once_a_night_and_not_by_day(sqlite_house: House) -> None:
    house, upkeep = sqlite_house, Upkeep(sqlite_house.runtime, lambda: 0.0)
    _leave_something(house)
    asyncio.run(upkeep.retain())
    assert _is_left(house), "it is day"
    house.clock.now = datetime(2026, 11, 26, 2, 10, tzinfo=UTC)  # 03:10 in Amsterdam
    asyncio.run(upkeep.retain())
    assert not _is_left(house)
    _leave_something(house)
    house.clock.turn(minutes=10)
    asyncio.run(upkeep.retain())
    assert _is_left(house), "once"
    house.clock.turn(hours=24)
    asyncio.run(upkeep.retain())
    assert not _is_left(house)
