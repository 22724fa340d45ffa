"""What runs beside the pages: telling those who wait, pushing and deleting, the roster, retention, changed configuration.

A loop never ends because of a fault: it notes the fault's class and tries again. Many processes may run the same loops.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import structlog

from bot.channels.channel import Channel
from bot.delivery import deliver_due
from bot.erasing import erase_due
from bot.erasures import follow_erasures
from bot.upkeep import Upkeep
from handoff import publishing
from handoff.database import awaited
from handoff.runtime import Runtime

log = structlog.get_logger()

Step = Callable[[], Awaitable[object]]


async def every(seconds: float, name: str, step: Step, stop: asyncio.Event) -> None:
    """Run `step` again and again, `seconds` apart, until `stop`. Of a fault only the class is logged: its text could hold words."""
    failing = False
    while not stop.is_set():
        try:
            await step()
        except Exception as error:  # noqa: BLE001 - a loop that ends is a child that waits unheard
            if not failing:
                log.error("loop_failing", loop=name, error=type(error).__name__)
            failing = True
        else:
            if failing:
                log.info("loop_recovered", loop=name)
            failing = False
        try:
            async with asyncio.timeout(seconds):
                await stop.wait()
        except TimeoutError:
            continue


def steps(runtime: Runtime, channels: Mapping[str, Channel], stop: asyncio.Event | None = None) -> list[tuple[float, str, Step]]:
    """(seconds between, name, step) of the loops that any process may run. After `stop` no step begins anything new."""
    upkeep = Upkeep(runtime)
    return [
        (1.0, "waiting", upkeep.tell_waiting),
        (1.0, "delivery", lambda: deliver_due(runtime, channels, stop=stop)),
        (1.0, "erasing", lambda: erase_due(runtime, channels, stop=stop)),
        (10.0, "roster", upkeep.notice_silence),
        (600.0, "retention", upkeep.retain),
        (1.0, "erasures", lambda: follow_erasures(runtime, stop or asyncio.Event())),
    ]


class ConfigurationWatch:
    """Publishes changed files that pass the gates; refuses the others, says why once, and leaves the running words alone."""

    def __init__(self, runtime: Runtime, folder: Path, data_dir: Path, digest: str, tell: Callable[[str], None]) -> None:
        self._runtime, self._folder, self._data_dir, self._digest, self._tell = runtime, folder, data_dir, digest, tell
        self._stamp: frozenset[tuple[str, float, int]] = frozenset()  # none yet: what changed during the start counts too

    def _found(self) -> frozenset[tuple[str, float, int]]:
        """Name, time of change and size of every file."""
        files = ((f, f.stat()) for f in self._folder.rglob("*.yml") if publishing.counts(f))
        return frozenset((str(file), status.st_mtime, status.st_size) for file, status in files)

    async def step(self) -> None:
        """Look once. A file that changed within the last second waits: an editor may still be writing."""
        stamp, now = await asyncio.to_thread(self._found), time.time()
        if stamp == self._stamp or any(abs(now - changed) < 1 for _, changed, _ in stamp):
            return
        published = await asyncio.to_thread(
            publishing.publish_files, self._folder, self._data_dir, self._runtime.clock(), self._runtime.channels.values()
        )
        if published.faults:
            self._tell("De nieuwe teksten zijn niet gepubliceerd; de oude blijven gelden.\n" + published.faults)
        elif published.digest != self._digest:
            fresh = published.configuration
            await awaited(self._runtime.store.write(lambda tx: publishing.store_published(tx, self._runtime, fresh)))
            self._runtime.configuration = fresh  # only now: until it is stored, none of its words can be said
            self._digest = published.digest
            self._tell("De nieuwe teksten zijn gepubliceerd.")
        self._stamp = stamp  # last: what could not be stored is tried again
