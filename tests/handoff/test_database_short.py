"""Short work of coroutines: the loop may do it itself, and still nothing holds the loop up, and an answer means committed."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from handoff.database import Store, open_store
from handoff.database.sqlite_writer import HOLD_S
from handoff.errors import NotFound, StoreUnavailable
from handoff.events import announce
from handoff.models import event
from tests.handoff.notes import ids, metadata, note


def _add(number: int, *, fail: bool = False) -> Callable[[sa.Connection], int]:
    def work(tx: sa.Connection) -> int:
        announce(tx, "chat:1", f"note-{number}")
        tx.execute(note.insert().values(id=number, text="x"))
        if fail:
            raise NotFound("on purpose")
        return number

    return work


def _wrong(tx: sa.Connection) -> int:
    return tx.exec_driver_sql("SELEC 1").rowcount


def _remove(folder: Path) -> None:
    for file in folder.glob("s.db*"):
        file.unlink()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store on each database."""
    postgres = request.param == "postgresql"
    made = open_store(request.getfixturevalue("postgres_empty") if postgres else f"sqlite:///{tmp_path}/s.db")
    made.write(metadata.create_all).result()
    made.write(lambda tx: event.create(tx, checkfirst=True)).result()
    yield made
    made.close()


@pytest.fixture
def one_file(tmp_path: Path) -> Iterator[Store]:
    """A store on SQLite, in `s.db`."""
    made = open_store(f"sqlite:///{tmp_path}/s.db")
    made.write(metadata.create_all).result()
    yield made
    made.close()


def test_one_failure_undoes_only_itself(store: Store) -> None:
    async def main() -> list[int | BaseException]:
        work = [store.write_short(_add(n, fail=n % 3 == 0)) for n in range(1, 31)]
        return await asyncio.gather(*work, return_exceptions=True)

    for number, found in enumerate(asyncio.run(main()), start=1):
        assert isinstance(found, NotFound) if number % 3 == 0 else found == number
    assert ids(store) == [n for n in range(1, 31) if n % 3]


def test_a_failure_that_changed_nothing_costs_the_others_nothing(one_file: Store) -> None:
    runs = []

    def counted(tx: sa.Connection) -> None:
        runs.append(tx.execute(note.insert().values(text="x")).rowcount)

    def refused(_tx: sa.Connection) -> None:
        raise NotFound("on purpose")

    async def main() -> list[object]:
        work = [one_file.write_short(one) for one in (counted, refused, counted)]
        return await asyncio.gather(*work, return_exceptions=True)

    _, refusal, _ = asyncio.run(main())
    assert isinstance(refusal, NotFound)
    assert runs == [1, 1]
    assert len(ids(one_file)) == 2


def test_a_statement_that_is_wrong_is_its_own_fault_alone(one_file: Store) -> None:
    async def main() -> list[object]:
        work = [one_file.write_short(one) for one in (_add(1), _wrong, _add(2))]
        return await asyncio.gather(*work, return_exceptions=True)

    first, wrong, last = asyncio.run(main())
    assert (first, last) == (1, 2)
    assert isinstance(wrong, Exception)
    assert ids(one_file) == [1, 2]


def test_threads_and_coroutines_write_beside_each_other(store: Store) -> None:
    async def main() -> None:
        for start in range(0, 200, 20):
            threads = [asyncio.wrap_future(store.write(_add(n))) for n in range(start, start + 10)]
            short = [store.write_short(_add(n)) for n in range(start + 10, start + 20)]
            assert await asyncio.gather(*threads, *short) == list(range(start, start + 20))

    asyncio.run(main())
    assert ids(store) == list(range(200))


def test_another_process_that_holds_the_database_does_not_hold_the_loop(one_file: Store, tmp_path: Path) -> None:
    """Only the loop itself ends the other's transaction: it would wait for itself."""
    other = sqlite3.connect(tmp_path / "s.db", isolation_level=None)

    async def main() -> list[int]:
        assert await one_file.write_short(_add(1)) == 1
        other.execute("BEGIN IMMEDIATE")
        work = asyncio.gather(*(one_file.write_short(_add(n)) for n in (2, 3)))
        await asyncio.sleep(0.05)
        assert not work.done()
        other.execute("ROLLBACK")
        return [*await work, await one_file.write_short(_add(4))]

    assert asyncio.run(main()) == [2, 3, 4]
    other.close()
    assert ids(one_file) == [1, 2, 3, 4]


def test_a_locked_database_is_told_and_loses_nothing(one_file: Store, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "s.db", isolation_level=None)

    async def main() -> None:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable):
            await one_file.write_short(_add(1))
        other.execute("ROLLBACK")
        assert await one_file.write_short(_add(2)) == 2

    asyncio.run(main())
    other.close()
    assert ids(one_file) == [2]


def test_the_loop_comes_to_its_other_work_between_long_batches(one_file: Store) -> None:
    seen: list[str] = []

    def slow(_tx: sa.Connection) -> None:
        seen.append("work")
        time.sleep(HOLD_S)

    async def main() -> None:
        await one_file.write_short(_add(1))
        work = asyncio.gather(*(one_file.write_short(slow) for _ in range(5)))
        while not work.done():
            seen.append("page")
            await asyncio.sleep(0)

    asyncio.run(main())
    assert seen.count("work") == 5
    assert "work,work" not in ",".join(seen)


def test_a_caller_that_gave_up_does_not_stop_the_store(store: Store) -> None:
    async def main() -> None:
        async def one(number: int) -> int:
            return await store.write_short(_add(number))

        tasks = [asyncio.create_task(one(n)) for n in range(1, 40)]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert await one(99) == 99

    asyncio.run(main())
    assert set(range(2, 40, 2)) <= set(ids(store))


def test_a_loop_that_ends_leaves_the_store_to_others(store: Store) -> None:
    async def main() -> None:
        for number in range(1, 20):
            store.write_short(_add(number))

    for _ in range(3):
        asyncio.run(main())
        assert store.write(lambda tx: tx.execute(note.delete()).rowcount).result(timeout=10) >= 0


def test_what_was_accepted_is_done_when_the_store_closes(tmp_path: Path) -> None:
    first = open_store(f"sqlite:///{tmp_path}/s.db")
    first.write(metadata.create_all).result()

    async def main() -> None:
        work = [first.write_short(_add(n)) for n in range(1, 10)]
        first.close()
        assert await asyncio.gather(*work) == list(range(1, 10))
        with pytest.raises(StoreUnavailable):
            await first.write_short(_add(10))

    asyncio.run(main())
    again = open_store(f"sqlite:///{tmp_path}/s.db")
    assert ids(again) == list(range(1, 10))
    again.close()


def test_listeners_hear_of_a_commit_and_never_of_a_rollback(one_file: Store) -> None:
    async def main() -> set[str]:
        with one_file.hub.subscribe("chat:1") as subscription:
            work = [one_file.write_short(_add(n, fail=n == 2)) for n in (1, 2, 3)]
            await asyncio.gather(*work, return_exceptions=True)
            return await subscription.wait(5)

    assert asyncio.run(main()) == {"note-1", "note-3"}


def test_a_deleted_database_file_is_never_written_to(one_file: Store, tmp_path: Path) -> None:
    async def main() -> None:
        await one_file.write_short(_add(1))
        _remove(tmp_path)
        for number in (2, 3):
            with pytest.raises(StoreUnavailable):
                await one_file.write_short(_add(number))

    asyncio.run(main())


def test_a_file_that_is_replaced_during_a_commit_is_not_acknowledged(one_file: Store, tmp_path: Path) -> None:
    def replaced(tx: sa.Connection) -> None:
        _add(2)(tx)
        (tmp_path / "other").write_bytes(b"")
        (tmp_path / "other").replace(tmp_path / "s.db")

    async def main() -> None:
        await one_file.write_short(_add(1))
        with pytest.raises(StoreUnavailable):
            await one_file.write_short(replaced)

    asyncio.run(main())
