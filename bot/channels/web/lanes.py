"""Two lanes when more is asked than can be done: chats that exist have their own places, new ones have few. Both are bounded.

A flood of new chats then costs a child that is talking nothing, and a new child a place in a short line. Kept in memory, by a
digest of the token; a chat that this process does not know (it began elsewhere) shows that it exists by one look.
For one event loop.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

AT_ONCE = {True: 192, False: 64}
"""Turns that may be under way together, of chats that exist and of new ones. Each has its own: neither can shut the other out.
Enough to share a commit on a slow disk; few enough new ones that whoever talks waits for one commit of theirs at most."""

LONGEST = {True: 1000, False: 500}
"""How many more may wait in each lane."""

CALM_S = 1.0
"""So long the answer to who finds a full lane is held back: a script that comes again at once would cost more than a turn."""

WAIT_S = 10.0
"""Shorter than the page waits for its answer."""

LOOKS = 8
"""How many looks may be under way whether a chat exists; when there are more, the rest stand with the new ones."""

KNOWN = 50_000
"""Chats remembered (about 8 MB); the quiet ones are forgotten first."""


class Crowded(Exception):
    """Nothing was taken in: there are too many at once. The same again in a moment may succeed."""


@dataclass(slots=True)
class _Lane:
    at_once: int
    longest: int
    calm_s: float
    under_way: int = 0
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)

    @property
    def is_free(self) -> bool:
        return self.under_way < self.at_once and not self.waiting

    async def enter(self) -> None:
        """Take a place, or wait for one, which whoever ends hands over: it is counted already. Raises `Crowded`."""
        if self.is_free:
            self.under_way += 1
            return
        if len(self.waiting) >= self.longest:
            await asyncio.sleep(self.calm_s)
            raise Crowded
        ours = asyncio.get_running_loop().create_future()
        self.waiting.append(ours)
        try:
            async with asyncio.timeout(WAIT_S):
                await ours
        except BaseException as end:
            if ours.done() and not ours.cancelled():
                self.leave()  # the place came in the same moment: it is somebody else's now
            elif ours in self.waiting:
                self.waiting.remove(ours)
            if isinstance(end, TimeoutError):
                raise Crowded from None
            raise

    def leave(self) -> None:
        """Give the place to whoever is next, or back."""
        while self.waiting:
            ours = self.waiting.popleft()
            if not ours.done():
                ours.set_result(None)
                return
        self.under_way -= 1


class Lanes:
    """The two lanes in front of the turns of one process."""

    def __init__(self, at_once: Mapping[bool, int] = AT_ONCE, *, calm_s: float = CALM_S) -> None:
        self._lanes = {existing: _Lane(most, LONGEST[existing], calm_s) for existing, most in at_once.items()}
        self._known: OrderedDict[bytes, None] = OrderedDict()
        self._looks = 0

    @asynccontextmanager
    async def place(self, token: bytes, exists: Callable[[], Awaitable[bool]] | None) -> AsyncIterator[None]:
        """Hold a place for one turn of this token's chat. `exists` looks whether there is one, if that may be; only in a crowd.

        Raises `Crowded`. What ends well is a chat that exists from then on.
        """
        key = hashlib.blake2s(token, digest_size=16).digest()
        existing = key in self._known or (not self._lanes[False].is_free and await self._look(exists))
        lane = self._lanes[existing]
        await lane.enter()
        try:
            yield
            self._remember(key)
        finally:
            lane.leave()

    async def _look(self, exists: Callable[[], Awaitable[bool]] | None) -> bool:
        if exists is None or self._looks >= LOOKS:
            return False
        self._looks += 1
        try:
            return await exists()
        finally:
            self._looks -= 1

    def _remember(self, key: bytes) -> None:
        self._known[key] = None
        self._known.move_to_end(key)
        if len(self._known) > KNOWN:
            self._known.popitem(last=False)
