"""`bench/silent.py` with small numbers: a real server with few descriptors, beside more silent connections than it has places."""

from __future__ import annotations

from bench.silent import SMALL, run


def test_a_child_is_answered_while_every_place_is_held_by_somebody_who_says_nothing() -> None:
    figures = run(SMALL)
    assert figures.page
    assert [bar for bar, held in figures.bars(speed=False).items() if not held] == []
