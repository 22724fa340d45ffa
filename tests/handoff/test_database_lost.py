"""PostgreSQL that is lost in the middle of anything is one known error, whatever the work was doing, and the store recovers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, InternalError, OperationalError, PendingRollbackError, ProgrammingError

from handoff.database import PostgresStore, Store, open_store
from handoff.database.faults import is_of_store
from handoff.database.prepared import Prepared, execute
from handoff.database.savepoint import savepoint
from handoff.errors import NotFound, StoreUnavailable
from handoff.events import announce, take_announcements
from handoff.models import municipality

_NAMES = Prepared(sa.select(municipality.c.name).order_by(municipality.c.id))
_DIE_AT_COMMIT = """
    CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END';
    CREATE CONSTRAINT TRIGGER dies AFTER INSERT ON municipality DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (new.name = 'sterft') EXECUTE FUNCTION die()
"""


class Server:
    """What an operator or a fault does to the server, on connections of its own."""

    def __init__(self, url: str) -> None:
        self._name = sa.engine.make_url(url).database
        outside = sa.engine.make_url(url).set(database="postgres")
        self._admin = sa.create_engine(outside, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)

    def _run(self, statement: str, **given: object) -> None:
        with self._admin.connect() as connection:
            connection.execute(sa.text(statement), given).close()

    def kill(self, tx: sa.Connection) -> None:
        """End the process that serves this connection."""
        self._run("SELECT pg_terminate_backend(:pid, 5000)", pid=tx.execute(sa.select(sa.func.pg_backend_pid())).scalar_one())

    def stop(self) -> None:
        """Let nobody in any more, and end everybody's connection."""
        self._run(f"ALTER DATABASE {self._name} ALLOW_CONNECTIONS false")
        self._run("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = :name", name=self._name)

    def start(self) -> None:
        """Let everybody in."""
        self._run(f"ALTER DATABASE {self._name} ALLOW_CONNECTIONS true")


@pytest.fixture
def server(postgres_database: str) -> Server:
    """The hand on the switch."""
    return Server(postgres_database)


@pytest.fixture
def store(postgres_database: str) -> Iterator[PostgresStore]:
    """A store on a fresh database."""
    made = open_store(postgres_database)
    assert isinstance(made, PostgresStore)
    yield made
    made.close()


def _add(tx: sa.Connection, name: str = "x") -> None:
    tx.execute(municipality.insert().values(id=name, name=name))


def _names(store: Store) -> list[str]:
    return [row.name for row in store.read(_NAMES.all).result()]


Work = Callable[[sa.Connection, Server], object]


def _by_sqlalchemy(tx: sa.Connection, server: Server) -> None:
    server.kill(tx)
    _add(tx)


def _by_the_driver(tx: sa.Connection, server: Server) -> None:
    server.kill(tx)
    _NAMES.all(tx)


def _between_two_statements(tx: sa.Connection, server: Server) -> None:
    _add(tx)
    announce(tx, "chat:1", "message")
    server.kill(tx)
    _add(tx, "y")


def _before_the_commit(tx: sa.Connection, server: Server) -> None:
    _add(tx)
    announce(tx, "chat:1", "message")
    server.kill(tx)


def _at_the_commit(tx: sa.Connection, _: Server) -> None:
    _add(tx, "sterft")


def _in_a_savepoint(tx: sa.Connection, server: Server) -> None:
    _add(tx)
    with savepoint(tx):
        server.kill(tx)
        execute(tx, "SELECT 1").close()


def _in_sqlalchemys_savepoint(tx: sa.Connection, server: Server) -> None:
    with tx.begin_nested():
        server.kill(tx)
        _add(tx)


def _unnoticed_by_the_work(tx: sa.Connection, server: Server) -> str:
    server.kill(tx)
    try:
        _add(tx)
    except DBAPIError:
        return "all is well"
    return "all is well"


def _taken_for_something_else(tx: sa.Connection, server: Server) -> None:
    server.kill(tx)
    try:
        _add(tx)
    except DBAPIError as error:
        raise NotFound("no such thing") from error


def _several_times(tx: sa.Connection, server: Server) -> None:
    server.kill(tx)
    for _ in range(2):
        try:
            execute(tx, "SELECT 1").close()
        except DBAPIError:
            continue
    _NAMES.all(tx)


LOST = [
    _by_sqlalchemy, _by_the_driver, _between_two_statements, _before_the_commit, _at_the_commit, _in_a_savepoint,
    _in_sqlalchemys_savepoint, _unnoticed_by_the_work, _taken_for_something_else, _several_times,
]  # fmt: skip


@pytest.mark.parametrize("work", LOST, ids=lambda work: work.__name__.strip("_"))
@pytest.mark.parametrize("by", ["write", "read"])
def test_a_connection_that_is_lost_is_the_stores_fault(store: PostgresStore, server: Server, work: Work, by: str) -> None:
    store.write(lambda tx: tx.exec_driver_sql(_DIE_AT_COMMIT).close()).result()
    store.write(partial(_add, name="eerst")).result()
    run = store.write if by == "write" else store.read
    error = run(lambda tx: work(tx, server)).exception()
    assert type(error) is StoreUnavailable
    assert not error.permanent
    assert _names(store) == ["eerst"], "nothing of it was kept, and the store goes on"
    store.write(_add).result()


def test_what_a_lost_transaction_announced_is_never_heard(store: PostgresStore, server: Server) -> None:
    """Not by the next work on the same place in the pool either."""
    store.write(lambda tx: _before_the_commit(tx, server)).exception()
    store.write(lambda tx: _between_two_statements(tx, server)).exception()
    assert store.write(take_announcements).result() == []


def test_connections_that_died_in_the_pool_cost_nobody_anything(store: PostgresStore, server: Server) -> None:
    meet = threading.Barrier(8)
    for future in [store.read(lambda tx: [_NAMES.all(tx), meet.wait(10)]) for _ in range(8)]:
        future.result()
    server.stop()
    server.start()
    for number in range(16):
        store.write(partial(_add, name=f"n{number}")).result()


def test_a_server_that_is_stopped_is_told_and_comes_back(store: PostgresStore, server: Server) -> None:
    store.write(_add).result()
    server.stop()
    for run in (store.write, store.read):
        assert type(run(_names_in).exception()) is StoreUnavailable
    server.start()
    assert _names(store) == ["x"]


def _names_in(tx: sa.Connection) -> list[str]:
    return [row.name for row in _NAMES.all(tx)]


def test_a_server_that_is_stopped_under_work_is_told(store: PostgresStore, server: Server) -> None:
    def work(tx: sa.Connection) -> None:
        _add(tx)
        server.stop()
        _add(tx, "y")

    assert type(store.write(work).exception()) is StoreUnavailable
    server.start()
    assert _names(store) == []


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1 FROM not_there_yet",  # a program that is newer than its database
        "SET TRANSACTION READ ONLY; INSERT INTO municipality VALUES ('a', 'a')",  # as on a standby
        "SET LOCAL statement_timeout = 10; SELECT pg_sleep(5)",
        "SET LOCAL lock_timeout = 10; SELECT pg_advisory_lock(7)",
        "SET LOCAL ROLE pg_monitor; SELECT 1 FROM municipality",
    ],
)
def test_a_server_that_cannot_do_it_now_is_the_stores_fault(store: PostgresStore, statement: str) -> None:
    holds, held = threading.Event(), threading.Event()

    def hold(tx: sa.Connection) -> None:
        tx.exec_driver_sql("SELECT pg_advisory_xact_lock(7)").close()
        holds.set()
        held.wait(10)

    holding = store.write(hold)
    assert holds.wait(10)
    error = store.write(lambda tx: [tx.exec_driver_sql(part) for part in statement.split(";")]).exception()
    held.set()
    holding.result()
    assert type(error) is StoreUnavailable
    assert _names(store) == []


@pytest.mark.parametrize("statement", ["SELEC 1", "SELECT 1/0", "INSERT INTO municipality VALUES (NULL, 'a')", "SELECT 'a'::int"])
def test_a_mistake_of_our_own_is_no_fault_of_the_store(store: PostgresStore, statement: str) -> None:
    """Or Telegram would bring the same update for ever, and every child behind it would wait."""
    error = store.write(lambda tx: tx.exec_driver_sql(statement)).exception()
    assert isinstance(error, DBAPIError)
    assert not is_of_store(error)


def _our_mistake(tx: sa.Connection, _: Server) -> None:
    tx.exec_driver_sql("SELECT 1/0")


def test_the_work_may_tell_the_two_apart_itself(store: PostgresStore, server: Server) -> None:
    """Whoever goes on after one that failed, as the loop of those who wait, must not go on after the database is gone."""
    seen: list[BaseException] = []

    def work(tx: sa.Connection) -> None:
        for deed in (_our_mistake, _by_the_driver):
            try:
                with savepoint(tx):
                    deed(tx, server)
            except Exception as error:  # noqa: BLE001 - looked at below
                seen.append(error)

    assert type(store.write(work).exception()) is StoreUnavailable
    assert [is_of_store(error) for error in seen] == [False, True]
    assert type(seen[1]) is StoreUnavailable


def test_errors_by_kind() -> None:
    assert is_of_store(PendingRollbackError("it went on"))
    assert is_of_store(OperationalError("", None, Exception()))
    assert is_of_store(StoreUnavailable("locked"))
    assert not is_of_store(ProgrammingError("", None, Exception()))
    assert not is_of_store(InternalError("", None, Exception()))
    assert not is_of_store(NotFound("gone"))
