"""Who is served first when more is asked than can be done: chats that exist, and then new ones. Both wait in a bounded line.

A flood of new chats then costs a child that is talking nothing, and a new child a place in a short line. Kept in memory, by a
digest of the token; a chat that this process does not know (it began elsewhere) shows that it exists by one look.
For one event loop.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

AT_ONCE = 24
"""Turns that are under way together: enough to share a commit, few enough that whoever is next waits milliseconds."""

LONGEST = {True: 1000, False: 200}
"""How many may wait: chats that exist, and new ones. At a few hundred turns a second that is about a second."""

NEW_EVERY = 4
"""Among so many turns that begin after waiting, one is a new chat's: chats that exist cannot shut all others out."""

WAIT_S = 10.0
"""Shorter than the page waits for its answer."""

LOOKS = 8
"""How many looks may be under way whether a chat exists; when there are more, the rest stand with the new ones."""

KNOWN = 50_000
"""Chats remembered (about 8 MB); the quiet ones are forgotten first."""


class Crowded(Exception):
    """Nothing was taken in: there are too many at once. The same again in a moment may succeed."""


@dataclass(slots=True)
class Lanes:
    """The two lines in front of the turns of one process."""

    at_once: int = AT_ONCE
    _under_way: int = 0
    _turn: int = 0
    _looks: int = 0
    _known: OrderedDict[bytes, None] = field(default_factory=OrderedDict)
    _waiting: dict[bool, deque[asyncio.Future[None]]] = field(default_factory=lambda: {True: deque(), False: deque()})

    @asynccontextmanager
    async def place(self, token: bytes, exists: Callable[[], Awaitable[bool]] | None) -> AsyncIterator[None]:
        """Hold a place for one turn of this token's chat. `exists` looks whether there is one, if that may be; only in a crowd.

        Raises `Crowded`. What ends well is a chat that exists from then on.
        """
        key = hashlib.blake2s(token, digest_size=16).digest()
        if self._under_way >= self.at_once or self._waiting[True] or self._waiting[False]:
            await self._wait(existing=key in self._known or await self._look(exists))
        else:
            self._under_way += 1
        try:
            yield
            self._remember(key)
        finally:
            self._pass_on()

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

    async def _wait(self, *, existing: bool) -> None:
        """Wait for a place, which whoever ends hands over: it is counted already."""
        line = self._waiting[existing]
        if self._under_way < self.at_once and not line:  # it became quiet while we looked
            self._under_way += 1
            return
        if len(line) >= LONGEST[existing]:
            raise Crowded
        ours = asyncio.get_running_loop().create_future()
        line.append(ours)
        try:
            async with asyncio.timeout(WAIT_S):
                await ours
        except BaseException as end:
            if ours.done() and not ours.cancelled():
                self._pass_on()  # the place came in the same moment: it is somebody else's now
            elif ours in line:
                line.remove(ours)
            if isinstance(end, TimeoutError):
                raise Crowded from None
            raise

    def _pass_on(self) -> None:
        """Give this place to whoever is next, or back."""
        while line := self._next_line():
            ours = line.popleft()
            if not ours.done():
                ours.set_result(None)
                return
        self._under_way -= 1

    def _next_line(self) -> deque[asyncio.Future[None]] | None:
        self._turn += 1
        existing, new = self._waiting[True], self._waiting[False]
        if self._turn % NEW_EVERY == 0 and new:
            return new
        return existing or new or None
