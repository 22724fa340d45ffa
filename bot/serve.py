"""Serving the child's pages and the console on two origins, and the loops: in one process (`praat run`) or apart."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import structlog
import uvloop
from starlette.types import ASGIApp

from bot.app import Parts, prepare_database
from bot.channels.registration import ChannelService
from bot.channels.registry import opens_channels
from bot.channels.web.app import child_app
from bot.channels.web.assets import BUILT_FILES as CHILD_FILES
from bot.channels.web.last_resort import last_resort
from bot.edge.descriptors import LEAST, places_here
from bot.edge.faults import LoopFaults
from bot.edge.server import EdgeServer
from bot.file_watch import Watched, watch
from bot.hardening import harden, quiet_collector
from bot.health import HealthMiddleware, readiness_of
from bot.key_watch import LOOK_S, KeyWatch
from bot.loops import ConfigurationWatch, every, steps
from bot.preflight import see_that_built
from bot.understanding import UnderstandingWatch
from config.settings import (
    ChildSettings,
    ConsoleSettings,
    LoopsSettings,
    SettingsFaults,
    SharedSettings,
    UnderstandingSettings,
)
from handoff import publishing
from handoff.console.app import console_app, last_words
from handoff.console.rendering import BUILT_FILES as CONSOLE_FILES
from handoff.database.clock import ASK_EVERY_S, DatabaseClock

log = structlog.get_logger()

T = TypeVar("T")

PREPARE_S = 2.0
"""How long the pages wait for the database at a start: after that they show the numbers."""

ROLES: Mapping[str, type[SharedSettings]] = {"child": ChildSettings, "console": ConsoleSettings, "loops": LoopsSettings}
"""What can run apart, each with the settings that it reads. A process that does all has `Settings`, which is each of them."""


def see_browser_files(roles: Sequence[str]) -> None:
    """Raise `CannotStart` when the scripts and styles that the pages of these roles need were never bundled."""
    see_that_built([*(CHILD_FILES if "child" in roles else ()), *(CONSOLE_FILES if "console" in roles else ())])


@dataclass(slots=True)
class Running:
    """What runs now; `stop` ends it."""

    parts: Parts
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    ready: asyncio.Event = field(default_factory=asyncio.Event)


def servers(running: Running, channels: Sequence[ChannelService] = ()) -> list[EdgeServer]:
    """The web servers that these settings ask for, not yet started. With a console, the child's has three of four places."""
    parts, s = running.parts, running.parts.settings
    readiness, most = readiness_of(parts, running.ready.is_set), places_here()
    made = []
    if isinstance(s, ChildSettings):
        app: ASGIApp = child_app(
            parts.runtime, parts.understand, is_quick=parts.is_quick, origin=s.child_origin, security_contact=s.security_contact,
            body_limit=s.body_limit, text_limit=s.text_limit,
        )  # fmt: skip
        for service in channels:
            app = service.front(app)
        own = most - most // 4 if isinstance(s, ConsoleSettings) else most
        numbers = last_resort(parts.runtime)
        made.append(EdgeServer(HealthMiddleware(app, readiness), s.child_host, s.child_port, page=numbers, most=own))
    if isinstance(s, ConsoleSettings):
        own = most // 4 if isinstance(s, ChildSettings) else most
        console = HealthMiddleware(
            console_app(parts.runtime, origin=s.console_origin, security_contact=s.security_contact), readiness
        )
        made.append(EdgeServer(console, s.console_host, s.console_port, page=last_words, most=own))
    if isinstance(s, LoopsSettings) and s.loops_port:
        made.append(EdgeServer(HealthMiddleware(None, readiness), s.loops_host, s.loops_port, page=bytes, most=LEAST))
    return made


def open_channels(running: Running, tell: Callable[[str], None]) -> list[ChannelService]:
    """Open every channel whose settings ask for it. A fault in the settings of one is told, and takes nothing else down."""
    parts, services = running.parts, []
    for registration in parts.channels:
        if registration.open is None:
            continue
        try:
            service = registration.open(parts.runtime, parts.understand, ready=running.ready.is_set)
        except SettingsFaults as faults:
            log.error("channel_not_started", channel=registration.spec.name, settings=",".join(faults.faults))
            tell(f"LET OP: {registration.spec.title} staat UIT. De webpagina werkt wel. Herstel dit en start opnieuw:\n{faults}")
            continue
        services += [service] if service else []
    return services


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on uvloop. uvicorn's own choice of a loop has no say: several servers share one loop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


async def serve(running: Running, tell: Callable[[str], None]) -> None:
    """Serve until `running.stop` or a signal. A database that is down is waited for; the numbers are there meanwhile."""
    harden()
    quiet_collector()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(LoopFaults())
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, running.stop.set)
    channels = open_channels(running, tell) if opens_channels(type(running.parts.settings)) else []
    web = servers(running, channels)
    loops = isinstance(running.parts.settings, LoopsSettings)
    async with asyncio.TaskGroup() as tasks:
        for server in web:
            tasks.create_task(_open(server, running))
        tasks.create_task(_work(running, tell, channels))
        tasks.create_task(_end(running, web))
        for service in channels if loops else ():  # also before the database is there: the numbers are told
            tasks.create_task(service.run(running.stop))
    for service in channels:
        await service.close()


async def _open(server: EdgeServer, running: Running) -> None:
    """Serve once what was erased is gone from a database that was put back. One that is away is not waited for longer than this."""
    waits = [asyncio.ensure_future(event.wait()) for event in (running.ready, running.stop)]
    await asyncio.wait(waits, timeout=PREPARE_S, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    await server.serve()


async def _end(running: Running, web: list[EdgeServer]) -> None:
    await running.stop.wait()
    running.parts.runtime.store.hub.close()
    for server in web:
        server.should_exit = True


async def _work(running: Running, tell: Callable[[str], None], services: Sequence[ChannelService]) -> None:
    parts, stop = running.parts, running.stop
    keys = KeyWatch(parts.runtime, tell)
    while not await asyncio.to_thread(prepare_database, parts.runtime, parts.settings.database_url, keys.told):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2):
                await stop.wait()
        if stop.is_set():
            return
    running.ready.set()
    channels = {service.channel.spec.name: service.channel for service in services}
    loops = steps(parts.runtime, channels, stop) if isinstance(parts.settings, LoopsSettings) else []
    if isinstance(parts.runtime.clock, DatabaseClock):
        loops.append((ASK_EVERY_S, "clock", partial(parts.runtime.clock.ask, parts.runtime.store)))
    loops.append((LOOK_S, "keys", keys.step))
    async with asyncio.TaskGroup() as tasks:
        for watched in watched_files(parts, tell):
            tasks.create_task(watch(watched, stop))
        for seconds, name, step in loops:
            tasks.create_task(every(seconds, name, step, stop))


def watched_files(parts: Parts, tell: Callable[[str], None]) -> list[Watched]:
    """The files that come into force while this process runs."""
    s = parts.settings
    texts = ConfigurationWatch(parts.runtime, s.config_dir, s.data_dir, parts.published.digest, tell)
    watched = [Watched("configuration", [s.config_dir], publishing.is_named_so, texts.step)]
    if parts.reader is not None and isinstance(s, UnderstandingSettings):
        model = UnderstandingWatch(parts.reader, s, tell)
        watched.append(Watched("understanding", model.folders, model.counts, model.step, deep=False))
    return watched
