"""Everything that can go wrong does while people write. Whatever was acknowledged is there afterwards, once, in order, with a
handoff: `bench.kill`, small here and longer in `make prove`, which also runs it whole."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from bench.kill.__main__ import run
from bench.kill.faults import FAULTS
from bench.kill.judge import Found
from bench.kill.place import Place, on_postgresql, on_sqlite
from tests.proof import proof, size


@proof
@pytest.mark.parametrize("place_on", [on_sqlite, on_postgresql], ids=["sqlite", "postgresql"])
def test_nothing_acknowledged_is_lost_and_nothing_is_doubled(
    tmp_path: Path, place_on: Callable[[Path], AbstractContextManager[Place]]
) -> None:
    with place_on(tmp_path) as place:
        outcome = run(place, size(60, 3_000), random.Random(20261129), least_faults=size(3, 40))  # noqa: S311 - no secret
    assert outcome.found == Found(), outcome
    assert outcome.acknowledged > outcome.from_confidant
    assert set(outcome.faults) == {fault.name for fault in FAULTS if place.database in fault.databases}
    assert min(outcome.faults.values()) > 0
