"""What the loops of one process remember between two rounds, and what they do at a start, after a jump of the clock, and rarely.

The database holds what is due; nothing here has to survive a process. A fresh start looks at everything once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import Connection

from bot.clock_watch import ClockWatch
from bot.waiting import plan_again, tell_waiting
from config.schema import AMSTERDAM, Route
from handoff.accounts import sessions
from handoff.backups.replay import KEPT, keep
from handoff.chats import deletions, outbox, retention
from handoff.database import awaited
from handoff.queue import due, roster
from handoff.runtime import Runtime

log = structlog.get_logger()

LOOK_AGAIN = timedelta(minutes=10)
"""After so long moments are set right once more: another machine's clock may have been wrong."""

STEADY = timedelta(minutes=5)
"""So long the clock must only have run before anything is destroyed because its day is past: a clock that was wrong at the
start of a machine is right by then."""


QUIET_HOURS = (3, 4)
"""Wall-clock hours in which SQLite's file is written anew."""


class Upkeep:
    """The rounds of the loops that touch the queue. One for each process."""

    def __init__(self, runtime: Runtime, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._runtime, self._clock = runtime, ClockWatch(runtime.clock, monotonic)
        self._since: datetime | None = None
        self._looked_at: datetime | None = None
        self._routes: Mapping[str, Route] = {}
        self._rebuilt_on: date | None = None

    async def tell_waiting(self) -> int:
        """Say what is due; see `bot.waiting`. Looks at everything first at a start, after a jump and when routes changed."""
        now, routes = self._runtime.clock(), self._runtime.configuration.routes
        jump = self._clock.jump()
        if jump is not None:
            log.warning("clock_was_set", seconds=round(jump.total_seconds()))
            self._since = None
        if self._since is None or self._looked_at is None or now - self._looked_at >= LOOK_AGAIN:
            await self._set_right(now)
            self._looked_at = now
        if self._since is None or routes != self._routes:
            await plan_again(self._runtime, now)
            self._routes = routes
        told = await tell_waiting(self._runtime, self._since)
        self._since = now
        return told

    async def _set_right(self, now: datetime) -> None:
        pushed = [name for name, spec in self._runtime.channels.items() if spec.capabilities.pushed]
        right = await awaited(self._runtime.store.write(partial(_set_right, pushed=pushed, now=now)))
        if right:
            log.warning("moments_set_right", rows=right)

    async def notice_silence(self) -> None:
        """Tell the pages of consoles that fell silent in the last rounds."""
        now = self._runtime.clock()
        since = now - timedelta(seconds=20)
        if await awaited(self._runtime.store.read(partial(roster.silent, since=since, now=now))):
            await awaited(self._runtime.store.write(partial(roster.tell_silent, since=since, now=now)))

    async def retain(self) -> None:
        """Destroy and delete what is past its day, unless the clock leapt, was set a moment ago or the process just started."""
        now, store = self._runtime.clock(), self._runtime.store
        await awaited(store.write(partial(sessions.forget_old_sessions, now=now)))
        leapt = await awaited(store.write(partial(retention.believe, now=now)))
        if leapt is not None:  # said again at every look: nothing ends until somebody has looked
            log.error("clock_leapt", days=round(leapt / timedelta(days=1), 1), clock=now.isoformat(timespec="minutes"),
                      todo="praat clock accept")  # fmt: skip
        elif self._clock.steady_for() >= STEADY:
            await self._end_what_is_past(now)
        await awaited(store.read(partial(keep, vault=self._runtime.vault, now=now)))
        if self._rebuild_is_due(now):
            self._rebuilt_on = now.date()
            log.info("database_rebuilt", done=await awaited(store.rebuild()))
        await awaited(store.tidy())

    def _rebuild_is_due(self, now: datetime) -> bool:
        """Once a night: what is left of erased rows in pages that are in use goes too. Then the fewest children wait for it."""
        return now.astimezone(AMSTERDAM).hour in QUIET_HOURS and self._rebuilt_on != now.date()

    async def _end_what_is_past(self, now: datetime) -> None:
        store, vault = self._runtime.store, self._runtime.vault
        buckets = await asyncio.to_thread(vault.buckets)
        up_to = await awaited(store.write(partial(retention.end_days, now=now, buckets=buckets)))
        await awaited(store.write(partial(retention.destroy_expired_keys, vault=vault, now=now, up_to=up_to)))
        while await awaited(store.write(partial(retention.delete_expired, vault=vault, now=now, up_to=up_to))):
            continue
        await awaited(store.write(partial(retention.forget_endings, now=now)))
        await asyncio.to_thread(vault.tombstones.forget, (now - KEPT).date())


def _set_right(tx: Connection, pushed: Sequence[str], now: datetime) -> int:
    return due.set_right(tx, now) + outbox.set_right(tx, pushed, now) + deletions.set_right(tx, now)
