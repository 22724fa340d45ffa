"""The store under faults: an acknowledgement means committed, and a database that cannot be used says so instead of pretending."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest
import sqlalchemy as sa

from handoff.database import BUSY_MS, Store, open_store
from handoff.errors import NotFound, StoreUnavailable
from handoff.events import announce
from handoff.models import event
from tests.handoff.notes import ids, metadata, note


def _add(number: int, *, fail: bool = False) -> Callable[[sa.Connection], int]:
    def work(tx: sa.Connection) -> int:
        tx.execute(note.insert().values(id=number, text="x"))
        if fail:
            raise NotFound("on purpose")
        return number

    return work


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store on each database."""
    postgres = request.param == "postgresql"
    made = open_store(request.getfixturevalue("postgres_empty") if postgres else f"sqlite:///{tmp_path}/s.db")
    made.write(metadata.create_all).result()
    made.write(lambda tx: event.create(tx, checkfirst=True)).result()
    yield made
    made.close()


def test_one_failure_in_a_batch_undoes_only_itself(store: Store) -> None:
    futures = [store.write(_add(n, fail=n % 3 == 0)) for n in range(1, 31)]
    for number, future in enumerate(futures, start=1):
        if number % 3 == 0:
            assert isinstance(future.exception(), NotFound)
        else:
            assert future.result() == number
    assert ids(store) == [n for n in range(1, 31) if n % 3]


def test_listeners_hear_of_a_commit_and_never_of_a_rollback(store: Store) -> None:
    def loud(number: int, kind: str, *, fail: bool = False) -> Callable[[sa.Connection], None]:
        def work(tx: sa.Connection) -> None:
            announce(tx, "chat:1", kind)
            _add(number, fail=fail)(tx)

        return work

    async def listen() -> set[str]:
        heard: set[str] = set()
        with store.hub.subscribe("chat:1") as subscription:
            for _ in range(50):  # PostgreSQL's listener needs a moment to connect
                store.write(loud(1, "undone", fail=True)).exception()
                store.write(lambda tx: announce(tx, "chat:1", "kept")).result()
                heard |= await subscription.wait(0.2)
                if heard:
                    return heard
        return heard

    assert asyncio.run(listen()) == {"kept"}


def test_many_writers_at_once_lose_nothing(store: Store) -> None:
    futures: list[Future[int]] = []
    lock = threading.Lock()

    def writer(start: int) -> None:
        for number in range(start, start + 25):
            future = store.write(_add(number))
            with lock:
                futures.append(future)

    threads = [threading.Thread(target=writer, args=(start,)) for start in range(0, 200, 25)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(f.result() for f in futures) == ids(store) == list(range(200))


def test_a_locked_database_is_told_and_loses_nothing(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/s.db")
    store.write(metadata.create_all).result()
    other = sqlite3.connect(tmp_path / "s.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert isinstance(store.write(_add(1)).exception(), StoreUnavailable)
    other.execute("ROLLBACK")
    other.close()
    assert store.write(_add(2)).result() == 2
    assert ids(store) == [2]
    store.close()


def test_work_that_finds_the_database_locked_fails_together_and_not_one_after_another(tmp_path: Path) -> None:
    """A child waits two seconds for the numbers, however many others ask; who comes meanwhile, twice that."""
    store = open_store(f"sqlite:///{tmp_path}/s.db")
    store.write(metadata.create_all).result()
    other = sqlite3.connect(tmp_path / "s.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    futures = [store.write(_add(number)) for number in range(40)]
    assert {type(future.exception(timeout=60)) for future in futures} == {StoreUnavailable}
    assert time.monotonic() - began < 5 * BUSY_MS / 1000, "one after another it would be forty times"
    other.execute("ROLLBACK")
    other.close()
    assert store.write(_add(99)).result() == 99
    assert ids(store) == [99]
    store.close()


@pytest.mark.parametrize("damage", ["a page", "all of it"])
def test_a_damaged_file_is_the_stores_fault_for_who_reads_and_who_writes(tmp_path: Path, damage: str) -> None:
    file = tmp_path / "s.db"
    store = open_store(f"sqlite:///{file}")
    store.write(metadata.create_all).result()
    store.write(_add(1)).result()
    root = store.read(lambda tx: tx.exec_driver_sql("SELECT rootpage FROM sqlite_master WHERE name='note'").scalar_one()).result()
    store.close()
    whole = file.read_bytes()
    start, end = ((root - 1) * 4096, root * 4096) if damage == "a page" else (0, len(whole))
    file.write_bytes(whole[:start] + b"\xee" * (end - start) + whole[end:])
    store = open_store(f"sqlite:///{file}")
    try:
        for attempt in (lambda: store.write(_add(2)), lambda: store.read(lambda tx: tx.execute(sa.select(note)).all())):
            assert type(attempt().exception()) is StoreUnavailable
        futures = [store.write(_add(number)) for number in range(3, 6)]
        assert {type(future.exception()) for future in futures} == {StoreUnavailable}
    finally:
        store.close()


def test_a_full_disk_is_told_and_the_store_recovers(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/s.db")
    store.write(metadata.create_all).result()
    pages = store.write(lambda tx: tx.exec_driver_sql("PRAGMA page_count").scalar_one()).result()
    store.write(lambda tx: tx.exec_driver_sql(f"PRAGMA max_page_count={pages}").close()).result()
    big = note.insert().values(text="x" * 40)
    failures = [store.write(lambda tx: [tx.execute(big) for _ in range(500)]).exception() for _ in range(3)]
    assert all(isinstance(f, StoreUnavailable) for f in failures), failures
    store.write(lambda tx: tx.exec_driver_sql("PRAGMA max_page_count=100000").close()).result()
    assert store.write(_add(7)).result() == 7
    store.close()


def test_a_deleted_database_file_is_never_written_to(tmp_path: Path) -> None:
    """SQLite happily goes on writing to a file that has no name any more."""
    store = open_store(f"sqlite:///{tmp_path}/s.db")
    store.write(metadata.create_all).result()
    store.write(_add(1)).result()
    for file in tmp_path.glob("s.db*"):
        file.unlink()
    assert isinstance(store.write(_add(2)).exception(), StoreUnavailable)
    assert isinstance(store.read(lambda tx: tx.execute(sa.select(note)).all()).exception(), StoreUnavailable)
    store.close()


def test_a_database_that_is_not_there_is_told_quickly() -> None:
    store = open_store("postgresql+psycopg://nobody@127.0.0.1:1/none")
    assert isinstance(store.write(_add(1)).exception(timeout=10), StoreUnavailable)
    store.close()


def test_what_was_deleted_does_not_stay_in_the_log(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/s.db")
    store.write(metadata.create_all).result()
    secret = "bekend-woord-" + "z" * 20
    store.write(lambda tx: tx.execute(note.insert().values(id=1, text=secret))).result()
    assert secret.encode() in b"".join(f.read_bytes() for f in tmp_path.glob("s.db*")), "the positive control"
    store.write(lambda tx: tx.execute(note.delete())).result()
    assert store.tidy().result() is True
    assert secret.encode() not in b"".join(f.read_bytes() for f in tmp_path.glob("s.db*"))
    store.close()


def test_emptying_the_log_beside_a_reader_that_hangs_keeps_no_child_waiting(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/s.db")
    store.write(metadata.create_all).result()
    store.write(_add(1)).result()
    other = sqlite3.connect(tmp_path / "s.db", isolation_level=None)
    other.execute("BEGIN")
    other.execute("SELECT * FROM note").fetchall()
    store.write(_add(2)).result()
    tidied = store.tidy()
    beside = 0
    for number in range(3, 43):
        assert store.write(_add(number)).result() == number
        beside += not tidied.done()
        time.sleep(0.02)
    assert beside >= 3, "they wrote while the log was waited for, and not only before it was"
    assert tidied.result() is False
    other.execute("COMMIT")
    other.close()
    assert store.tidy().result() is True
    assert (tmp_path / "s.db-wal").stat().st_size == 0
    store.close()


def test_short_reads_one_after_another_do_not_keep_the_log_full(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/s.db")
    store.write(metadata.create_all).result()
    stop = threading.Event()

    def slowly(tx: sa.Connection) -> None:
        tx.execute(sa.select(note)).all()
        time.sleep(0.03)

    def read() -> None:
        while not stop.is_set():
            store.read(slowly).result()

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(20):
        store.write(_add(number)).result()
    tidied = any(store.tidy().result() for _ in range(5))
    stop.set()
    for reader in readers:
        reader.join()
    assert tidied
    store.close()


def test_writing_the_file_anew_leaves_nothing_deleted_and_nobody_fails_meanwhile(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/s.db")
    store.write(metadata.create_all).result()
    word = "bekend-woord-" + "q" * 20
    with contextlib.closing(sqlite3.connect(tmp_path / "s.db", isolation_level=None)) as raw:
        raw.execute("PRAGMA secure_delete=OFF")
        raw.executemany("INSERT INTO note VALUES (?, ?)", [(1000 + n, word) for n in range(200)])
        raw.execute("DELETE FROM note")
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert word.encode() in (tmp_path / "s.db").read_bytes(), "the positive control"
    futures = [store.write(_add(n)) for n in range(50)]
    rebuilt = store.rebuild()
    futures += [store.write(_add(n)) for n in range(50, 100)]
    assert rebuilt.result() is True
    assert sorted(future.result() for future in futures) == ids(store) == list(range(100))
    assert store.tidy().result() is True
    assert word.encode() not in b"".join(f.read_bytes() for f in tmp_path.glob("s.db*"))
    store.close()
    assert store.rebuild().result() is False


def test_a_database_that_somebody_else_holds_is_not_written_anew(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/s.db")
    store.write(metadata.create_all).result()
    other = sqlite3.connect(tmp_path / "s.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert store.rebuild().result() is False
    other.execute("ROLLBACK")
    other.close()
    assert store.write(_add(1)).result() == 1
    assert store.rebuild().result() is True
    store.close()


def test_errors_carry_no_values(store: Store) -> None:
    store.write(lambda tx: tx.execute(note.insert().values(id=1, text="geheim woord"))).result()
    error = store.write(lambda tx: tx.execute(note.insert().values(id=1, text="geheim woord"))).exception()
    assert error is not None
    assert "geheim" not in str(error) + repr(error)


def test_a_file_that_is_replaced_during_a_commit_is_not_acknowledged(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/s.db")
    store.write(metadata.create_all).result()

    def replaced(tx: sa.Connection) -> None:
        _add(1)(tx)
        (tmp_path / "other").write_bytes(b"")
        (tmp_path / "other").replace(tmp_path / "s.db")

    assert isinstance(store.write(replaced).exception(), StoreUnavailable)
    store.close()


def test_a_caller_that_gave_up_does_not_stop_the_store(store: Store) -> None:
    futures = [store.write(_add(n)) for n in range(1, 40)]
    for future in futures[::2]:
        future.cancel()
    assert store.write(_add(99)).result(timeout=10) == 99
    kept = {future.result(timeout=10) for future in futures if not future.cancelled()}
    assert kept <= set(ids(store))
