"""A migrated database has exactly the tables of `handoff.models`, on both databases, and can be taken back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from handoff.migrations import HEAD, engine_for, upgrade
from handoff.models import metadata

SCRIPTS = Path(__file__).parents[2] / "handoff" / "migrations"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "postgresql":
        address: str = request.getfixturevalue("postgres_empty")
        return address
    return f"sqlite:///{tmp_path}/m%20.db"


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["url"] = url
    return config


def _differences(url: str) -> list[Any]:
    engine = engine_for(url)
    with engine.connect() as connection:
        found = list(compare_metadata(MigrationContext.configure(connection), metadata))
    engine.dispose()
    return found


def test_a_migrated_database_is_the_one_that_the_program_knows(url: str) -> None:
    upgrade(url)
    upgrade(url)
    assert _differences(url) == []


def test_every_named_constraint_is_there(url: str) -> None:
    upgrade(url)
    engine = engine_for(url)
    inspector = sa.inspect(engine)
    for table in metadata.sorted_tables:
        wanted = {str(c.name) for c in table.constraints if isinstance(c, sa.CheckConstraint)}
        assert wanted <= {str(c["name"]) for c in inspector.get_check_constraints(table.name)}, table.name
    engine.dispose()


def test_the_number_of_a_message_at_telegram_becomes_a_list_of_one_and_back(url: str) -> None:
    command.upgrade(_config(url), "0001")
    engine = engine_for(url)
    _two_parcels(url)
    upgrade(url)
    with engine.connect() as tx:
        assert tx.execute(sa.text("SELECT provider_ids FROM outbox ORDER BY id")).scalars().all() == ["4511", None]
    command.downgrade(_config(url), "0001")
    with engine.connect() as tx:
        assert tx.execute(sa.text("SELECT provider_id FROM outbox ORDER BY id")).scalars().all() == [4511, None]
    engine.dispose()


def _two_parcels(url: str) -> None:
    """One with a number and one without; their conversation is not there, since only the rows themselves are looked at."""
    sqlite = url.startswith("sqlite")
    engine = sa.create_engine(url)
    with engine.begin() as tx:
        if not sqlite:
            tx.execute(sa.text("SET session_replication_role = replica"))
        for number, provider_id in ((1, 4511), (2, None)):
            row = {"id": number, "conversation_id": "c", "seq": number, "channel": "telegram", "attempts": 0}
            table = sa.table("outbox", *map(sa.column, [*row, "due_at", "provider_id"]))
            due = "2026-11-22 10:00:00"
            tx.execute(table.insert().values(**row, due_at=due if sqlite else sa.cast(due, sa.DateTime()), provider_id=provider_id))
    engine.dispose()


def test_it_can_be_taken_back(url: str) -> None:
    upgrade(url)
    command.downgrade(_config(url), "base")
    engine = engine_for(url)
    assert set(sa.inspect(engine).get_table_names()) <= {"alembic_version"}
    engine.dispose()


def test_the_head_is_the_newest_script() -> None:
    assert ScriptDirectory.from_config(_config("")).get_current_head() == HEAD
