"""Fixtures of the child's side."""

from __future__ import annotations

import pytest

from tests.bot.web import Site
from tests.make import House


@pytest.fixture
def site(sqlite_house: House) -> Site:
    """The child's server on SQLite; what it does to the database is tested on both elsewhere."""
    return Site(sqlite_house)
