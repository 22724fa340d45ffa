"""Fixtures that every test may use: a house on SQLite, the same on PostgreSQL, and a network that is closed."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests import bundles, make
from tests.databases import Cluster, cluster, fast_folder, share_compiled_statements

settings.register_profile("praat", deadline=None)  # a busy machine is slow, not wrong
settings.load_profile("praat")


@pytest.hookimpl(trylast=True)  # the terminal's own comes before
def pytest_configure(config: pytest.Config) -> None:
    """Set the stage once: folders in memory where there is enough of it, statements compiled once, the pages' bundles fresh."""
    if folder := fast_folder():
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", folder)
    share_compiled_statements()
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(FailuresAtOnce(config))
        bundles.fresh()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long proofs first: whoever is done with the short tests then waits for nobody."""
    items.sort(key=lambda item: item.get_closest_marker("proof") is None)


class FailuresAtOnce:
    """Says the name of a test that failed when it fails; why, follows at the end."""

    def __init__(self, config: pytest.Config) -> None:
        self._say = config.get_terminal_writer()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Say it."""
        if report.failed:
            self._say.line(f"\nFAILED {report.nodeid} ({report.when}, {report.duration:.1f} s)", red=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """One PostgreSQL cluster for the whole run."""
    with cluster(os.environ.get("PYTEST_XDIST_TESTRUNUID", secrets.token_hex(6))) as made:
        yield made


@pytest.fixture
def postgres_empty(postgres: Cluster) -> Iterator[str]:
    """A fresh database with nothing in it."""
    with postgres.database() as url:
        yield url


@pytest.fixture
def postgres_database(postgres: Cluster) -> Iterator[str]:
    """A fresh database that has our tables."""
    with postgres.with_tables() as url:
        yield url


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
