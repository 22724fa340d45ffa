"""Looks at files again when they changed: the system tells it (`watchfiles`), nothing is polled.

A look is a step of its own (`ConfigurationWatch`, `UnderstandingWatch`), which decides by itself whether something changed and
whether an editor is still writing. So a look too many does no harm: there is one at the start, for what changed before the
watching began, and one every half minute, for disks that tell nothing (a network's).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from watchfiles import Change, awatch

log = structlog.get_logger()

Look = Callable[[], Awaitable[object]]

_MEANWHILE_S = 30
_STEP_MS = 500
"""Without a change for so long, what changed is told together."""


@dataclass(frozen=True, slots=True)
class Watched:
    """Files that are looked at together."""

    name: str
    """What the log calls them."""
    folders: Sequence[Path]
    """Where they are."""
    counts: Callable[[Path], bool]
    """Whether a path is one of them; the file may be gone."""
    look: Look
    """Looks once. What it raises is logged by class, and it is tried again."""
    deep: bool = True
    """Whether folders inside count too."""


async def watch(watched: Watched, stop: asyncio.Event, *, pause_s: float = 1.1) -> None:
    """Look at the start and at every change, until `stop`: twice, `pause_s` apart, since a file must be at rest to be taken."""
    await _look_until_done(watched, stop, pause_s)
    while not stop.is_set():
        try:
            async for _ in _changes(watched, stop):
                await _look_until_done(watched, stop, pause_s)
        except OSError as error:  # a folder that is gone, or too many watches on this machine: the half minute remains
            log.error("files_not_watched", files=watched.name, error=type(error).__name__)
            await _wait(stop, _MEANWHILE_S)
            await _look_until_done(watched, stop, pause_s)


def _changes(watched: Watched, stop: asyncio.Event) -> AsyncIterator[object]:
    def counts(_: Change, path: str) -> bool:
        return watched.counts(Path(path))

    return awatch(
        *watched.folders,
        watch_filter=counts,
        step=_STEP_MS,
        rust_timeout=_MEANWHILE_S * 1000,
        yield_on_timeout=True,
        stop_event=stop,
        recursive=watched.deep,
    )


async def _look_until_done(watched: Watched, stop: asyncio.Event, pause_s: float) -> None:
    looks, failing = 2, False
    while looks and not stop.is_set():
        try:
            await watched.look()
            looks -= 1
        except Exception as error:  # noqa: BLE001 - a watch that ends is an admin whose words never come into force
            if not failing:
                log.error("loop_failing", loop=watched.name, error=type(error).__name__)
            failing = True
        else:
            if failing:
                log.info("loop_recovered", loop=watched.name)
            failing = False
        if looks:
            await _wait(stop, pause_s)


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
