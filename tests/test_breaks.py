"""The breaks of `bench/break_promises.py` break lines that are there: a break of nothing would be noticed by every test."""

from __future__ import annotations

import pytest

from bench.break_promises import BREAKS, ROOT, Break


@pytest.mark.parametrize("item", BREAKS, ids=lambda item: f"{item.promise}-{item.file}")
def test_every_break_breaks_a_line_of_ours(item: Break) -> None:
    assert item.ours in (ROOT / item.file).read_text(encoding="utf-8")
    assert (ROOT / item.test.split()[0]).exists()
