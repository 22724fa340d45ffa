"""A page that sends very fast is slowed down: ten messages at once, and then one a second, each in its turn.

More than that from one token at the same time is no page of ours, which sends one after the other: it is told to come again, and
nothing of it is taken in. Kept in memory, by a digest of the token: it says nothing about anybody, and a restart forgets it.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from cachetools import LRUCache

from bot.channels.web.lanes import Crowded

PER_SECOND = 1.0
BURST = 10
LONGEST_S = 10.0
"""Shorter than the page waits for its answer, so that slowing down never looks like a lost network."""

_MOST = 10_000
"""Tokens remembered at once (about 1 MB); the quiet ones are forgotten first."""


@dataclass(slots=True)
class Pace:
    """Delays the messages of one token beyond ten at once and one a second. For one event loop."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _free_at: LRUCache[bytes, float] = field(default_factory=lambda: LRUCache(_MOST))

    async def keep(self, token: bytes) -> None:
        """Wait as long as this token has to: each message a second after the one before. Raises `Crowded` when that is too long."""
        now, key = self.clock(), hashlib.blake2s(token, digest_size=16).digest()
        free_at = max(self._free_at.get(key, now), now) + 1 / PER_SECOND
        delay = free_at - now - BURST / PER_SECOND
        if delay > LONGEST_S:
            raise Crowded
        self._free_at[key] = free_at
        if delay > 0:
            await self.sleep(delay)
