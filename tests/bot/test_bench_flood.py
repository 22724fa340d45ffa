"""`bench/flood.py` with small numbers: a real server, fake chats and children at once; every child is acknowledged."""

from __future__ import annotations

from bench.flood import SMALL, run


def test_every_child_is_acknowledged_beside_fake_chats() -> None:
    figures = run(SMALL)
    assert figures.known
    assert figures.new
    assert [bar for bar, held in figures.bars(speed=False).items() if not held] == []
