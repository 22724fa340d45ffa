"""Serving the child's pages and the console on two origins, and the loops: in one process (`praat run`) or apart."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
import uvicorn
from starlette.types import ASGIApp

from bot.app import Parts, prepare_database
from bot.channels.registration import ChannelService
from bot.channels.web.app import child_app
from bot.channels.web.assets import BUILT_FILES as CHILD_FILES
from bot.hardening import harden
from bot.loops import ConfigurationWatch, Step, every, steps
from bot.preflight import see_that_built
from bot.understanding import UnderstandingWatch
from config.settings import SettingsFaults
from handoff.console.app import console_app
from handoff.console.looks import BUILT_FILES as CONSOLE_FILES

log = structlog.get_logger()

GRACE_S = 3
"""How long an open stream may take to end when the server stops; a child's page then polls until it is back."""

ROLES = ("child", "console", "loops")


def see_browser_files(roles: Sequence[str]) -> None:
    """Raise `CannotStart` when the scripts and styles that the pages of these roles need were never bundled."""
    see_that_built([*(CHILD_FILES if "child" in roles else ()), *(CONSOLE_FILES if "console" in roles else ())])


class _Quiet(uvicorn.Server):
    """A server whose process handles signals itself: there are two of them in one loop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to `serve`."""
        yield


@dataclass(slots=True)
class Running:
    """What runs now; `stop` ends it."""

    parts: Parts
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    ready: asyncio.Event = field(default_factory=asyncio.Event)


def _server(app: Any, host: str, port: int) -> _Quiet:
    config = uvicorn.Config(
        app, host=host, port=port, http="httptools", loop="uvloop", log_level="warning", access_log=False, server_header=False,
        date_header=True, timeout_graceful_shutdown=GRACE_S, ws="none", lifespan="off", proxy_headers=False,
    )  # fmt: skip
    return _Quiet(config)


def servers(parts: Parts, roles: Sequence[str], channels: Sequence[ChannelService] = ()) -> list[_Quiet]:
    """The web servers of these roles, not yet started."""
    s = parts.settings
    made = []
    if "child" in roles:
        app: ASGIApp = child_app(
            parts.runtime,
            parts.understand,
            origin=s.child_origin,
            body_limit=s.body_limit,
            text_limit=s.text_limit,
        )
        for service in channels:
            app = service.front(app)
        made.append(_server(app, s.child_host, s.child_port))
    if "console" in roles:
        made.append(_server(console_app(parts.runtime, origin=s.console_origin), s.console_host, s.console_port))
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


async def serve(running: Running, roles: Sequence[str], tell: Any) -> None:
    """Serve until `running.stop` or a signal. A database that is down is waited for; the numbers are there meanwhile."""
    harden()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, running.stop.set)
    parts = running.parts
    outside = {"child", "loops"} & set(roles)
    channels = open_channels(running, tell) if outside else []
    web = servers(parts, roles, channels)
    async with asyncio.TaskGroup() as tasks:
        for server in web:
            tasks.create_task(server.serve())
        tasks.create_task(_work(running, roles, tell, channels))
        tasks.create_task(_end(running, web))
        for service in channels if "loops" in roles else ():  # also before the database is there: the numbers are told
            tasks.create_task(service.run(running.stop))
    for service in channels:
        await service.close()


async def _end(running: Running, web: list[_Quiet]) -> None:
    await running.stop.wait()
    running.parts.runtime.store.hub.close()
    for server in web:
        server.should_exit = True


async def _work(running: Running, roles: Sequence[str], tell: Any, services: Sequence[ChannelService]) -> None:
    parts = running.parts
    while not await asyncio.to_thread(prepare_database, parts.runtime, parts.settings.database_url):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2):
                await running.stop.wait()
        if running.stop.is_set():
            return
    running.ready.set()
    watch = ConfigurationWatch(parts.runtime, parts.settings.config_dir, parts.settings.data_dir, parts.published.digest, tell)
    channels = {service.channel.spec.name: service.channel for service in services}
    reading = UnderstandingWatch(parts.reader, parts.settings, tell)
    loops: list[tuple[float, str, Step]] = [(2.0, "configuration", watch.step), (2.0, "understanding", reading.step)]
    loops += steps(parts.runtime, channels, running.stop) if "loops" in roles else []
    async with asyncio.TaskGroup() as tasks:
        for seconds, name, step in loops:
            tasks.create_task(every(seconds, name, step, running.stop))
