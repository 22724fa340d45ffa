"""`bench/waiting.py` with small numbers: real loop processes on a real database tell each child once."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest

from bench.place import Place
from bench.waiting import SMALL, run


@pytest.mark.parametrize(("database", "processes"), [("sqlite", 1), ("postgresql", 3)])
def test_processes_tell_each_child_once(request: pytest.FixtureRequest, tmp_path: Path, database: str, processes: int) -> None:
    tmp_path.chmod(0o700)
    url = f"sqlite:///{tmp_path}/praat.db" if database == "sqlite" else request.getfixturevalue("postgres_empty")
    (figures,) = run(database, nullcontext(Place(tmp_path, url)), [processes], SMALL)
    assert figures.wrong() == []
