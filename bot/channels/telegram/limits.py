"""How fast Telegram may be sent to: about 30 messages a second in all, one a second in a chat, with short bursts.

Source: https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this. We stay below it, so that 429 is rare.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from cachetools import LRUCache

GLOBAL_PER_SECOND, CHAT_PER_SECOND = 25.0, 1.0
GLOBAL_BURST, CHAT_BURST = 25.0, 4.0
_CHATS = 10_000


@dataclass(slots=True)
class TokenBucket:
    """A token bucket: `burst` messages at once, and then `per_second`. `left` may go now, as of `at` (seconds)."""

    burst: float
    per_second: float
    left: float
    at: float

    def wait(self, now: float) -> float:
        """Seconds until one more may go."""
        return max(0.0, (1 - self._now(now)) / self.per_second)

    def take(self, now: float) -> float:
        """Take one; returns the seconds to wait before it may go."""
        seconds = self.wait(now)
        self.left, self.at = self._now(now) - 1, now
        return seconds

    def _now(self, now: float) -> float:
        return min(self.burst, self.left + (now - self.at) * self.per_second)


@dataclass(slots=True)
class RateLimiter:
    """Makes a message wait that would be too fast: one bucket for the bot, one for each chat.

    Chat ids are kept in memory alone, the oldest forgotten.
    """

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _all: TokenBucket | None = None
    _chats: LRUCache[int, TokenBucket] = field(default_factory=lambda: LRUCache(_CHATS))

    def wait(self, chat_id: int) -> float:
        """Seconds until this chat may have one more message; takes nothing."""
        chat = self._chats.get(chat_id)
        return chat.wait(self.clock()) if chat else 0.0

    async def take(self, chat_id: int) -> None:
        """Return when one more message may go to this chat."""
        now = self.clock()
        self._all = self._all or TokenBucket(GLOBAL_BURST, GLOBAL_PER_SECOND, GLOBAL_BURST, now)
        chat = self._chats.get(chat_id) or TokenBucket(CHAT_BURST, CHAT_PER_SECOND, CHAT_BURST, now)
        self._chats[chat_id] = chat
        seconds = max(self._all.take(now), chat.take(now))
        if seconds > 0:
            await self.sleep(seconds)
