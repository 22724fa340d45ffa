"""Statements that are sent together: all of them are kept, or none, and a fault is the same known error as that of one alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from handoff.database import Store, open_store
from handoff.database.prepared import Prepared, PreparedInsert, sent_together
from handoff.errors import NotFound, StoreUnavailable
from handoff.models import municipality
from tests.databases import sqlite_with_tables

_ADD = PreparedInsert(municipality, "id", "name")
_NAMES = Prepared(sa.select(municipality.c.name).order_by(municipality.c.id))


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store with our tables, on each database."""
    postgres = request.param == "postgresql"
    made = open_store(request.getfixturevalue("postgres_database") if postgres else sqlite_with_tables(tmp_path / "s.db"))
    yield made
    made.close()


def _add(tx: sa.Connection, *names: str) -> None:
    for name in names:
        _ADD.run(tx, {"id": name, "name": name})


def _names(store: Store) -> list[str]:
    return [row.name for row in store.read(_NAMES.all).result()]


def test_all_of_them_are_kept(store: Store) -> None:
    def work(tx: sa.Connection) -> list[str]:
        with sent_together(tx):
            _add(tx, "a", "b", "c")
        return [row.name for row in _NAMES.all(tx)]

    assert store.write(work).result() == ["a", "b", "c"] == _names(store)


def test_what_is_asked_for_inside_is_answered(store: Store) -> None:
    def work(tx: sa.Connection) -> list[str]:
        with sent_together(tx):
            _add(tx, "a")
            seen = [row.name for row in _NAMES.all(tx)]
            _add(tx, "b")
        return seen

    assert store.write(work).result() == ["a"]
    assert _names(store) == ["a", "b"]


def test_one_that_is_refused_undoes_all_and_is_told_without_values(store: Store) -> None:
    def work(tx: sa.Connection) -> None:
        with sent_together(tx):
            for _ in range(2):
                _ADD.run(tx, {"id": "a", "name": "geheim"})
            _add(tx, "b")

    error = store.write(work).exception()
    assert isinstance(error, IntegrityError)
    assert "geheim" not in str(error) + repr(error)
    assert _names(store) == []


def test_a_fault_of_the_work_itself_is_raised_as_it_is(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    def work(tx: sa.Connection) -> None:
        with sent_together(tx):
            for _ in range(2):
                _ADD.run(tx, {"id": "a", "name": "geheim"})
            raise NotFound("on purpose")

    error = store.write(work).exception()
    assert isinstance(error, NotFound | IntegrityError)
    assert _names(store) == []
    assert "geheim" not in caplog.text


def test_a_server_that_is_lost_inside_is_the_stores_fault(postgres_database: str) -> None:
    store = open_store(postgres_database)

    def work(tx: sa.Connection) -> None:
        pid = tx.execute(sa.select(sa.func.pg_backend_pid())).scalar_one()
        with sent_together(tx):
            _add(tx, "a")
            with psycopg.connect(postgres_database.replace("+psycopg", ""), autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,)).close()
            _add(tx, "b")

    assert isinstance(store.write(work).exception(), StoreUnavailable)
    assert _names(store) == []
    assert store.write(lambda tx: _add(tx, "c")).exception() is None
    store.close()
