"""Two lanes at the console's door, so that nobody who floods it keeps a confidant out.

The slow work of a sign-in takes half a second and 128 MiB. One place is for browsers from which somebody signed in before
(`handoff.console.device`), one for all others. Few others wait at a time; when one more comes, one of them goes, by lot: who comes
first, or comes most often, gains nothing for good.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

MOST = 20
"""Who may wait in a lane."""
REMEMBERED = 10_000
"""Guesses that are remembered."""
QUIET = timedelta(minutes=1)
"""Refusals of one login that follow so soon after another are one line in the audit."""


class Crowded(Exception):
    """Too many people sign in at once."""


class Lane:
    """One at a time; whose turn is next, is drawn by lot."""

    def __init__(self, draw: Callable[[int], int] = secrets.randbelow) -> None:
        self._draw = draw
        self._busy = False
        self._waiting: list[asyncio.Future[None]] = []

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for one's turn. Raises `Crowded` for whoever has to make room."""
        if self._busy:
            await self._wait()
        self._busy = True
        try:
            yield
        finally:
            self._next()

    async def _wait(self) -> None:
        if len(self._waiting) >= MOST:
            self._waiting.pop(self._draw(MOST)).set_exception(Crowded())
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn in self._waiting:
                self._waiting.remove(turn)
            elif turn.done() and not turn.cancelled() and turn.exception() is None:
                self._next()  # it was this one's turn
            raise

    def _next(self) -> None:
        if self._waiting:
            self._waiting.pop(self._draw(len(self._waiting))).set_result(None)
        else:
            self._busy = False


class Lanes:
    """The two."""

    def __init__(self) -> None:
        self.known = Lane()
        """For browsers from which somebody signed in before."""
        self.strangers = Lane()
        """For all others."""


class Guesses:
    """What was tried in vain: a try that is repeated costs nothing. Only macs are kept, and in this process alone."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._failed: OrderedDict[bytes, None] = OrderedDict()
        self._noted: dict[str, datetime] = {}

    def mark_of(self, mac: Callable[..., bytes], *parts: str | bytes) -> bytes:
        """Stand for one try."""
        return mac("console-guess", self._key, *parts)

    def failed(self, mark: bytes) -> None:
        """Remember it."""
        self._failed[mark] = None
        while len(self._failed) > REMEMBERED:
            self._failed.popitem(last=False)

    def has_failed(self, mark: bytes) -> bool:
        """Whether this very try failed before."""
        return mark in self._failed

    def is_due(self, person_id: str, now: datetime) -> bool:
        """Whether a refusal of this person is worth a line in the audit: there was none just now. Unknown logins count as one."""
        before = self._noted.get(person_id)
        if before is not None and before <= now < before + QUIET:
            return False
        self._noted[person_id] = now
        return True
