"""Statements of the hot path: compiled once for each database, then executed as text on the driver's own cursor.

SQLAlchemy spends some 50 microseconds on each execution of a statement, SQLite itself 5. What is kept of SQLAlchemy here: the
statement is written in Core, its types convert the values, and a driver's error comes out as the same `DBAPIError`.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError

Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Parameter:
    """One place in the text. `fixed` is the value that stands in the statement itself, for a place that no caller fills."""

    name: str
    convert: Convert | None
    required: bool
    fixed: Any

    def value(self, given: Mapping[str, Any]) -> Any:
        """What goes to the driver. Raises `KeyError` for a required one that is not there."""
        if not self.required and self.name not in given:
            return self.fixed
        found = given[self.name]
        return found if self.convert is None else self.convert(found)


@dataclass(frozen=True, slots=True)
class _Plan:
    """A statement in one database's own words. `row` makes a row's columns readable by name."""

    text: str
    parameters: tuple[_Parameter, ...]
    positional: bool
    row: Callable[[Sequence[Any]], Any]
    converted: tuple[tuple[int, Convert], ...]
    """The places of the columns whose values the driver gives in another form than the program's, and how to read them."""

    def values(self, given: Mapping[str, Any]) -> Any:
        """The driver's parameters: in order for SQLite, by name for PostgreSQL."""
        if self.positional:
            return tuple(parameter.value(given) for parameter in self.parameters)
        return {parameter.name: parameter.value(given) for parameter in self.parameters}

    def read(self, raw: Sequence[Any]) -> Any:
        """One row, each column as its type in `handoff.models` says."""
        values = list(raw)
        for place, convert in self.converted:
            values[place] = convert(values[place])
        return self.row(values)


class Prepared:
    """A Core statement with `sa.bindparam`s, made once at module level. Every parameter is given by name at each execution."""

    def __init__(self, statement: sa.sql.expression.Executable) -> None:
        self._statement = statement
        self._plans: dict[str, _Plan] = {}

    def first(self, tx: Connection, **given: Any) -> Any | None:
        """The first row, or None."""
        plan = self._plan(tx)
        cursor = execute(tx, plan.text, plan.values(given))
        raw = cursor.fetchone()
        cursor.close()
        return None if raw is None else plan.read(raw)

    def all(self, tx: Connection, **given: Any) -> list[Any]:
        """Every row."""
        plan = self._plan(tx)
        cursor = execute(tx, plan.text, plan.values(given))
        found = [plan.read(raw) for raw in cursor.fetchall()]
        cursor.close()
        return found

    def run(self, tx: Connection, **given: Any) -> int:
        """Execute a statement that gives no rows; returns how many rows it touched."""
        plan = self._plan(tx)
        cursor = execute(tx, plan.text, plan.values(given))
        touched: int = cursor.rowcount
        cursor.close()
        return touched

    def _plan(self, tx: Connection) -> _Plan:
        found = self._plans.get(tx.dialect.name)
        if found is None:
            found = self._plans[tx.dialect.name] = _compile(self._statement, tx.dialect)
        return found


class PreparedInsert:
    """Adds rows of one table, all in one statement. Each row names all of `columns`."""

    def __init__(self, table: sa.Table, *columns: str) -> None:
        self._table = table
        self._columns = columns
        self._by_count: dict[int, Prepared] = {}

    def run(self, tx: Connection, *rows: Mapping[str, Any]) -> None:
        """Add these rows; none is no statement at all. Raises `KeyError` for a column that a row lacks."""
        if rows:
            given = {f"{name}_m{n}": row[name] for n, row in enumerate(rows) for name in self._columns}
            self._of(len(rows)).run(tx, **given)

    def _of(self, count: int) -> Prepared:
        found = self._by_count.get(count)
        if found is None:
            kinds = {name: self._table.c[name].type for name in self._columns}
            bound = [{name: sa.bindparam(f"{name}_m{n}", type_=kind) for name, kind in kinds.items()} for n in range(count)]
            found = self._by_count[count] = Prepared(self._table.insert().values(bound))
        return found


def execute(tx: Connection, text: str, values: Any = ()) -> Any:
    """Execute text on the driver's own cursor, which is returned. Inside a transaction only. Raises `DBAPIError`, as SQLAlchemy."""
    if not tx.in_transaction():
        raise RuntimeError("outside a transaction every statement would be committed by itself")
    connection = tx.connection
    cursor = connection.cursor()
    try:
        cursor.execute(text, values)
    except tx.dialect.loaded_dbapi.Error as error:
        cursor.close()
        lost = tx.dialect.is_disconnect(error, connection.dbapi_connection, cursor)
        if lost:
            tx.invalidate(error)
        raise DBAPIError.instance(
            text, None, error, tx.dialect.loaded_dbapi.Error, hide_parameters=True, connection_invalidated=lost, dialect=tx.dialect
        ) from None
    except BaseException:
        cursor.close()
        raise
    return cursor


def _compile(statement: sa.sql.expression.Executable, dialect: Dialect) -> _Plan:
    compiled: Any = statement.compile(dialect=dialect)  # type: ignore[attr-defined]
    names = compiled.positiontup if compiled.positional else list(compiled.params)
    parameters = tuple(_parameter(compiled.binds[name], name, compiled, dialect) for name in names)
    columns: list[Any] = list(getattr(statement, "selected_columns", ()))
    made: Any = namedtuple  # a row's columns are known only now
    row = made("Row", [column.name for column in columns])
    converters = [(place, _result(column.type, dialect)) for place, column in enumerate(columns)]
    converted = tuple((place, convert) for place, convert in converters if convert is not None)
    return _Plan(str(compiled), parameters, compiled.positional, row._make, converted)


def _parameter(bound: Any, name: str, compiled: Any, dialect: Dialect) -> _Parameter:
    convert = bound.type.dialect_impl(dialect).bind_processor(dialect)
    fixed = compiled.params[name]
    if not bound.required and convert is not None:
        fixed = convert(fixed)
    return _Parameter(name, convert, bound.required, fixed)


def _result(kind: Any, dialect: Dialect) -> Convert | None:
    found: Convert | None = kind.dialect_impl(dialect).result_processor(dialect, None)
    return found
