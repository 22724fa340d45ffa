"""`bench/turn.py` says by its exit code whether the bars hold: `make prove` stops at one that does not."""

from __future__ import annotations

import pytest

from bench.turn import show

RASA = {"turns_per_second": 10.0, "p50_ms": 100.0, "p99_ms": 200.0, "cpu_ms": 50.0}


@pytest.mark.parametrize(
    ("changed", "held"),
    [({}, True), ({"turns_per_second": 59.0}, False), ({"p99_ms": 41.0}, False), ({"cpu_ms": 10.1}, False)],
    ids=["all held", "slow", "long waits", "much work"],
)
def test_a_bar_that_does_not_hold_is_told(changed: dict[str, float], held: bool) -> None:
    praat = {"turns_per_second": 60.0, "p50_ms": 50.0, "p99_ms": 40.0, "cpu_ms": 10.0, **changed}
    assert show({"praat": praat, "rasa": RASA}, postgresql=False) is held


def test_without_a_peer_nothing_can_be_judged() -> None:
    assert show({"praat": RASA}, postgresql=False)
