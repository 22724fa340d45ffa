"""Statements that are compiled once give what the same ones in Core give, with types and errors, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from handoff.database.prepared import Prepared, PreparedInsert, execute
from handoff.models import handoff, municipality, team
from tests.make import CITY, House, first_child

NAMED = Prepared(sa.select(municipality.c.name).where(municipality.c.id == sa.bindparam("which"), municipality.c.name != "x"))
ADD = PreparedInsert(municipality, "name", "id")


def _name(house: House, which: str) -> str | None:
    found = house.runtime.store.read(lambda tx: NAMED.first(tx, which=which)).result()
    return None if found is None else str(found.name)


def test_rows_have_the_types_of_the_models(house: House) -> None:
    house.confidant("sanne")
    first_child(house)
    columns = sa.select(handoff).where(handoff.c.state == "waiting")
    same = Prepared(columns)
    plain, prepared = house.runtime.store.read(lambda tx: (tx.execute(columns).one(), same.first(tx))).result()
    assert prepared is not None
    assert tuple(plain) == tuple(prepared)
    assert prepared.opened_at == house.clock() == datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
    assert prepared.told_on_duty is False


def test_several_rows_go_in_by_one_statement_in_any_order_of_names(house: House) -> None:
    rows = [{"id": f"g{n}", "name": f"Naam {n}"} for n in range(5)]
    house.runtime.store.write(lambda tx: ADD.run(tx, *rows)).result()
    assert [_name(house, f"g{n}") for n in range(5)] == [f"Naam {n}" for n in range(5)]
    house.runtime.store.write(ADD.run).result()  # no rows, no statement


def test_a_refusal_of_the_database_is_sqlalchemy_s_own_and_tells_no_value(house: House) -> None:
    with pytest.raises(sa.exc.IntegrityError) as refused:
        house.runtime.store.write(lambda tx: ADD.run(tx, {"id": CITY, "name": "geheim"})).result()
    assert "geheim" not in str(refused.value)
    assert _name(house, CITY) == "Voorbeeldstad"


def test_nothing_is_executed_outside_a_transaction(house: House) -> None:
    engine = sa.create_engine(house.url)
    with engine.connect() as connection, pytest.raises(RuntimeError):
        execute(connection, "DELETE FROM team")
    engine.dispose()
    assert house.runtime.store.read(lambda tx: tx.execute(sa.select(team)).all()).result()


def test_a_parameter_that_is_missing_is_an_error_before_the_database(house: House) -> None:
    with pytest.raises(KeyError):
        house.runtime.store.read(NAMED.first).result()
