"""What goes wrong in the event loop itself: told by its kind, and at most once in ten seconds for each kind.

The loop's own handler writes a traceback every time: a full table of descriptors once filled 76 MB of log in a minute, and
a traceback can hold words.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import structlog

from bot.edge.connections import Clock

log = structlog.get_logger()

EVERY_S = 10.0


class LoopFaults:
    """The exception handler of one event loop."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[str, tuple[float, int]] = {}

    def __call__(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Log the kind of what went wrong, with how often it did since the last line."""
        error = context.get("exception")
        kind = type(error).__name__ if error is not None else "none"
        told_at, unsaid = self._seen.get(kind, (float("-inf"), 0))
        now = self._clock()
        if now - told_at < EVERY_S:
            self._seen[kind] = (told_at, unsaid + 1)
            return
        self._seen[kind] = (now, 0)
        log.error("loop", kind=kind, number=getattr(error, "errno", None), times=unsaid + 1)
