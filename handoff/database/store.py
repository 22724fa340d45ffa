"""What a store promises, and what both stores share: waiting for a future, and errors that hold no value of a row."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from handoff.errors import StoreUnavailable
from handoff.events import Hub

T = TypeVar("T")
Work = Callable[[Connection], T]

BUSY_MS = 2000
"""How long SQLite waits for another process's lock before we say that nothing can be stored."""


class Store(Protocol):
    """What the rest of the program knows of the database."""

    hub: Hub

    def write(self, work: Work[T]) -> Future[T]:
        """Run `work` in a transaction. The future holds its result after the commit, its own exception after a rollback, or
        `StoreUnavailable` when the database cannot be used."""
        ...

    def write_short(self, work: Work[T]) -> Awaitable[T]:
        """Do as `write` does, for a coroutine that waits for it: the loop itself may do the work, which must be short.

        What was accepted is done, also when the caller goes away.
        """
        ...

    def read(self, work: Work[T]) -> Future[T]:
        """Run `work`, which only reads, on one consistent view."""
        ...

    def tidy(self) -> Future[bool]:
        """Overwrite what was deleted where the database allows it. False when it must be tried again later."""
        ...

    def rebuild(self) -> Future[bool]:
        """Write everything anew, without what is left of deleted rows in pages that are in use. Whoever writes meanwhile waits.

        False when it could not be done now, and where the database does not need it or does it by itself.
        """
        ...

    def close(self) -> None:
        """Finish what was accepted, then let go of the database."""
        ...


async def awaited(future: Future[T]) -> T:
    """Await a store's future from a coroutine; a caller that goes away does not undo what was accepted."""
    return await in_loop(future)


def in_loop(future: Future[T]) -> asyncio.Future[T]:
    """Return a future of the running loop that ends as a store's does; cancelling it does not undo what was accepted."""
    wrapped = asyncio.wrap_future(future)
    wrapped.add_done_callback(lambda done: done.cancelled() or done.exception())  # looked at: asyncio logs no traceback of it
    return asyncio.shield(wrapped)


def submit(threads: ThreadPoolExecutor, run: Callable[[Work[T]], T], work: Work[T]) -> Future[T]:
    try:
        return threads.submit(run, work)
    except RuntimeError:
        closed: Future[T] = Future()
        closed.set_exception(StoreUnavailable("the store is closed"))
        return closed


def unavailable(error: BaseException) -> StoreUnavailable:
    """The driver's own text could hold a value of a row: only its kind is passed on."""
    if isinstance(error, StoreUnavailable):
        return error
    origin = getattr(error, "orig", None) or error
    code = getattr(origin, "sqlite_errorname", None) or getattr(origin, "sqlstate", None) or type(origin).__name__
    return StoreUnavailable(f"the database cannot be used: {code}")
