"""Notices that the clock was set: the wall clock is held against one that only runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from handoff.clock import AHEAD


class ClockWatch:
    """Compares two clocks at every look. A machine that slept looks like a clock that was set ahead."""

    def __init__(self, clock: Callable[[], datetime], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._monotonic = clock, monotonic
        self._wall, self._ran = clock(), monotonic()
        self._steady_since = self._ran

    def jump(self) -> timedelta | None:
        """Return by how much the clock was set since the last look, ahead or (negative) back; None when it only ran."""
        wall, ran = self._clock(), self._monotonic()
        jumped = wall - self._wall - timedelta(seconds=ran - self._ran)
        self._wall, self._ran = wall, ran
        if abs(jumped) <= AHEAD:
            return None
        self._steady_since = ran
        return jumped

    def steady_for(self) -> timedelta:
        """Return how long the clock has only run: since the start, or since it was last set."""
        return timedelta(seconds=self._monotonic() - self._steady_since)
