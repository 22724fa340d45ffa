"""Fixtures: a bot on SQLite, and the same on both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import make
from tests.telegram.rig import Rig
from tests.telegram.rig import rig as make_rig


@pytest.fixture
def bot(sqlite_house: make.House) -> Iterator[Rig]:
    """A bot on SQLite."""
    with make_rig(sqlite_house) as made:
        yield made


@pytest.fixture
def bot_on_both(house: make.House) -> Iterator[Rig]:
    """A bot on SQLite and on PostgreSQL."""
    with make_rig(house) as made:
        yield made
