"""Events: heard once, after the commit, in every process; and what NOTIFY loses comes within one look at the log."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from handoff.database import PostgresStore
from handoff.database.notifications import CHANNEL, Record
from handoff.events import STOPPING, Event, Hub, Listener, announce
from tests.silent_line import silent_line

LOOK_S = 0.2
PATIENCE_S = 10.0


class Ear:
    """Counts what a hub says of some topics."""

    def __init__(self, hub: Hub, *topics: str) -> None:
        self.heard: Counter[str] = Counter()
        self._changed = asyncio.Event()
        self.listener: Listener = hub.listen(topics, self._hear)

    def _hear(self, kind: str) -> None:
        self.heard[kind] += 1
        self._changed.set()

    async def until(self, *kinds: str) -> None:
        """Wait until each of these was heard."""
        async with asyncio.timeout(PATIENCE_S):
            while not set(kinds) <= set(self.heard):
                self._changed.clear()
                await self._changed.wait()


class Processes:
    """Stores of several processes on one database; here they share a process and nothing else."""

    def __init__(self, url: str, stack: ExitStack) -> None:
        self.url = url
        self._stack = stack
        self.engine = sa.create_engine(url, poolclass=sa.NullPool)

    def store(self, look_s: float = LOOK_S) -> PostgresStore:
        """One more process."""
        made = PostgresStore(self.url, pool=2, look_s=look_s)
        self._stack.callback(made.close)
        return made

    def kill_listeners(self) -> int:
        """End every connection that waits for notifications; the number of them."""
        query = (
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        with self.engine.begin() as tx:
            return int(tx.exec_driver_sql(query).scalar_one())

    def listening(self) -> int:
        """Connections that are open beside this one."""
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        with self.engine.begin() as tx:
            return int(tx.exec_driver_sql(query).scalar_one())


@pytest.fixture
def processes(postgres_database: str) -> Iterator[Processes]:
    """Stores on one PostgreSQL database, closed at the end."""
    with ExitStack() as stack:
        yield Processes(postgres_database, stack)


def _say(store: PostgresStore, topic: str, *kinds: str) -> None:
    def work(tx: sa.Connection) -> None:
        for kind in kinds:
            announce(tx, topic, kind)

    store.write(work).result()


async def _connected(here: PostgresStore, there: PostgresStore) -> None:
    """Wait until what is said here is heard there."""
    ear = Ear(there.hub, "test:connected")
    async with asyncio.timeout(PATIENCE_S):
        while not ear.heard:
            _say(here, "test:connected", "yes")
            await asyncio.sleep(0.01)
    ear.listener.close()


def _run(play: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        await play()

    asyncio.run(whole())


def test_an_event_is_heard_once_here_and_once_in_the_other_process(processes: Processes) -> None:
    here, there = processes.store(), processes.store()

    async def play() -> None:
        await _connected(here, there)
        near, far = Ear(here.hub, "chat:1"), Ear(there.hub, "chat:1")
        for number in range(50):
            _say(here, "chat:1", f"k{number}")
        await near.until(*(f"k{n}" for n in range(50)))
        await far.until(*(f"k{n}" for n in range(50)))
        for _ in range(2):  # two looks of both at the log
            _say(there, "test:look", "now")
            await asyncio.sleep(LOOK_S)
        assert set(near.heard.values()) == set(far.heard.values()) == {1}

    _run(play)


def test_its_own_process_hears_it_before_the_writer_is_answered(processes: Processes) -> None:
    here = processes.store(look_s=3600)

    async def play() -> None:
        near = Ear(here.hub, "chat:1")
        await asyncio.to_thread(_say, here, "chat:1", "message")
        await asyncio.sleep(0)
        assert near.heard == {"message": 1}

    _run(play)


def test_what_a_process_that_died_after_its_commit_did_not_say_comes_with_the_next_look(processes: Processes) -> None:
    dead, there = processes.store(), processes.store()

    async def play() -> None:
        await _connected(dead, there)
        far = Ear(there.hub, "chat:1")
        with processes.engine.begin() as tx:
            dead._notifications.record(tx, [Event("chat:1", "message")])
        await far.until("message")  # nobody sent a NOTIFY
        assert far.heard == {"message": 1}

    _run(play)


def test_a_transaction_that_began_early_and_commits_late_is_not_overlooked(processes: Processes) -> None:
    dead, there = processes.store(), processes.store()

    async def play() -> None:
        await _connected(dead, there)
        far = Ear(there.hub, "chat:1")
        with processes.engine.begin() as slow:
            dead._notifications.record(slow, [Event("chat:1", "early")])
            with processes.engine.begin() as quick:
                dead._notifications.record(quick, [Event("chat:1", "late")])
            await far.until("late")  # the look has gone past both numbers
            assert "early" not in far.heard
        await far.until("early")

    _run(play)


def test_a_lost_connection_leaves_no_page_behind(processes: Processes) -> None:
    here, there = processes.store(), processes.store()

    async def play() -> None:
        await _connected(here, there)
        far = Ear(there.hub, "chat:1")
        assert processes.kill_listeners() >= 3
        with processes.engine.begin() as tx:
            here._notifications.record(tx, [Event("chat:1", "meanwhile")])
        await far.until("meanwhile")
        await _connected(here, there)
        _say(here, "chat:1", "after")
        await far.until("after")
        assert far.heard == {"meanwhile": 1, "after": 1}

    _run(play)


def test_a_line_that_fell_silent_leaves_no_page_behind(processes: Processes) -> None:
    with silent_line(processes.url) as line:
        here, there = processes.store(), PostgresStore(line.url, pool=2, look_s=LOOK_S, answer_s=0.5)

        async def play() -> None:
            await _connected(here, there)
            far = Ear(there.hub, "chat:1")
            for kind in ("first", "second"):
                line.fall_silent()
                _say(here, "chat:1", kind)
                await far.until(kind)

        async def say() -> None:
            near = Ear(here.hub, "chat:2")
            line.fall_silent()
            there._notifications.committed([], [Record(2**62, '[["chat:2","message"]]')])
            await near.until("message")  # the silent connection was given up, and the same sent on another

        try:
            _run(play)
            _run(say)
        finally:
            there.close()


def test_hundreds_of_events_in_one_transaction_all_arrive(processes: Processes) -> None:
    here, there = processes.store(), processes.store(look_s=3600)

    async def play() -> None:
        await _connected(here, there)
        ears = [Ear(there.hub, f"chat:{'x' * 22}{number}") for number in range(600)]

        def work(tx: sa.Connection) -> None:
            for number in range(600):
                announce(tx, f"chat:{'x' * 22}{number}", "erased")

        here.write(work).result()
        for ear in ears:
            await ear.until("erased")

    _run(play)


FOREIGN = json.dumps([[number, "x"] for number in range(1, 60)])
"""Of no record of ours, under the numbers that ours will have."""


@pytest.mark.parametrize("payload", ["", "x", "[]", "[[1]]", '{"a":1}', '[["a","b"]]', "[[1,2]]", '[[1,"[[1]]"]]', FOREIGN])
def test_a_strangers_notification_harms_nothing(processes: Processes, payload: str) -> None:
    here, there = processes.store(), processes.store(look_s=3600)

    async def play() -> None:
        await _connected(here, there)
        far = Ear(there.hub, "chat:1")
        with processes.engine.begin() as tx:
            tx.execute(sa.select(sa.func.pg_notify(CHANNEL, payload)))
        for kind in ("one", "two", "three", "message"):
            _say(here, "chat:1", kind)
        await far.until("one", "two", "three", "message")

    _run(play)


def test_the_commit_sends_no_notification_itself(processes: Processes) -> None:
    """A NOTIFY in the committing transaction locks the whole cluster until the disk has answered."""
    here = processes.store(look_s=3600)
    statements: list[str] = []

    class Recording(psycopg.Cursor[Any]):
        def execute(self, query: Any, *given: Any, **more: Any) -> Any:
            statements.append(str(query))
            return super().execute(query, *given, **more)

    @sa.event.listens_for(here._engine, "begin")
    def _note(tx: sa.Connection) -> None:
        raw: Any = tx.connection.driver_connection
        raw.cursor_factory = Recording

    _say(here, "chat:1", "message")
    assert len(statements) == 1
    assert statements[0].startswith("INSERT INTO event")


def test_when_the_server_stops_every_listener_hears_it_also_one_that_comes_later() -> None:
    hub = Hub()

    async def play() -> None:
        first = Ear(hub, "chat:1", "team:1")
        assert not hub.closed
        hub.close()
        later = Ear(hub, "chat:2")
        await first.until(STOPPING)
        await later.until(STOPPING)
        assert first.heard == later.heard == {STOPPING: 1}
        assert hub.closed

    _run(play)


def test_a_listener_of_a_loop_that_ended_is_forgotten() -> None:
    hub = Hub()

    async def begin() -> None:
        Ear(hub, "chat:1")

    asyncio.run(begin())
    hub.publish([Event("chat:1", "message")])
    assert hub._by_topic == {}
