"""What follows an erasure, in whatever process it was: remembered outside the database, and out of SQLite's own log.

Woken by the erasure itself; between erasures nothing is asked of the database.
"""

from __future__ import annotations

import asyncio
from functools import partial

import structlog

from handoff.backups.replay import RECENT, keep, replay
from handoff.database import awaited
from handoff.events import ERASURES, STOPPING
from handoff.runtime import Runtime

log = structlog.get_logger()

TRY_AGAIN_S = 5.0
"""Seconds after which the log is emptied once more, when somebody was still reading in it."""

LONG_SILENCE_S = 3600.0


async def follow_erasures(runtime: Runtime, stop: asyncio.Event) -> None:
    """Do what follows each erasure, until the server stops. Raises what the store raises; then begin again."""
    with runtime.store.hub.subscribe(ERASURES) as erasures:
        await _look_again(runtime)
        tidy = await remember(runtime)
        while not stop.is_set():
            heard = await erasures.wait(LONG_SILENCE_S if tidy else TRY_AGAIN_S)
            if STOPPING in heard:
                return
            if heard - {"erased"}:  # events were missed, or the database is another one now: perhaps an older one
                await _look_again(runtime)
            if heard or not tidy:
                tidy = await remember(runtime)


async def remember(runtime: Runtime) -> bool:
    """Note what was erased lately, and empty the log. False when the log must be emptied again later."""
    now = runtime.clock()
    await awaited(runtime.store.read(partial(keep, vault=runtime.vault, now=now, since=now - RECENT)))
    return await awaited(runtime.store.tidy())


async def _look_again(runtime: Runtime) -> None:
    again = await awaited(runtime.store.write(partial(replay, vault=runtime.vault, now=runtime.clock())))
    if again:
        log.warning("erased_again", chats=again.chats, people=again.people)
