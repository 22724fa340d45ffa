"""A server that may not start still shows the numbers: a child that scans the sticker now can call somebody.

Nothing is taken in, no database and no key is opened. It stays until somebody stops it, and says to `/ready` that it is not.
"""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from uvloop import new_event_loop

from bot.channels.registry import SPECS
from bot.channels.web.headers import DEFAULTS, HEADERS
from bot.channels.web.last_resort import ALWAYS, bare_page, first_lines
from bot.edge.answers import Page
from bot.edge.descriptors import places_here
from bot.edge.server import EdgeServer
from bot.health import HealthMiddleware, Readiness
from bot.preflight import CannotStart
from config.faults import ConfigError
from config.load import load
from config.settings import PREFIX, ChildSettings
from handoff.asgi.errors import log_error
from handoff.asgi.headers import SecurityHeadersMiddleware
from handoff.errors import HandoffError
from handoff.publishing import NothingPublished

Refusals = (NothingPublished, HandoffError, ConfigError, CannotStart)
"""Why a start is refused, in words for a person."""


class Refused(Exception):
    """The start was refused. Its text says why; `kind` is of which class that was, `numbers` whether children would come here."""

    def __init__(self, why: Exception, *, numbers: bool) -> None:
        known = isinstance(why, Refusals)
        before = (
            "de teksten hebben fouten en er is nog niets gepubliceerd. Herstel dit eerst:\n"
            if isinstance(why, NothingPublished)
            else ""
        )
        super().__init__(f"{before}{why}" if known else f"onverwachte fout ({type(why).__name__})")
        self.kind = type(why).__name__
        self.numbers = numbers


@contextmanager
def told(*, numbers: bool) -> Iterator[None]:
    """Raise `Refused` for whatever stops a start."""
    try:
        yield
    except Exception as why:  # noqa: BLE001 - whatever it is, the numbers are shown
        raise Refused(why, numbers=numbers) from None


def serve_numbers(environment: Mapping[str, str], tell: Callable[[], None]) -> None:
    """Show the numbers where the child's page would be, until SIGINT or SIGTERM; `tell` is called when they are there.

    Raises `OSError` when the port cannot be had.
    """
    host, port = environment.get(PREFIX + "CHILD_HOST") or "127.0.0.1", environment.get(PREFIX + "CHILD_PORT", "")
    chosen = int(port) if port.isascii() and port.isdigit() and 0 < int(port) < 65536 else 8080
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, chosen), family=family) as listener, asyncio.Runner(loop_factory=new_event_loop) as runner:
        page = bare_page(_lines(environment))
        tell()
        runner.run(_serve(EdgeServer(_app(page), host, chosen, page=page, most=places_here()), listener))


def _lines(environment: Mapping[str, str]) -> list[tuple[str, str]]:
    """The lines of the configuration, else of the one that came with the program, else the two that never change."""
    packaged = ChildSettings.model_fields["config_dir"].default
    for folder in (environment.get(PREFIX + "CONFIG_DIR") or packaged, packaged):
        try:
            lines = first_lines(load(Path(folder), SPECS).helplines.values())
        except Exception as error:  # noqa: BLE001 - it may be what the start was refused for
            log_error(error)
            continue
        if lines:
            return lines
    return list(ALWAYS)


def _app(page: Page) -> ASGIApp:
    async def numbers(scope: Scope, receive: Receive, send: Send) -> None:
        await Response(page(), 503, {"Retry-After": "60"}, "text/html")(scope, receive, send)

    async def started() -> bool:
        return False

    dressed = SecurityHeadersMiddleware(numbers, headers=HEADERS, defaults=DEFAULTS, https=False)
    return HealthMiddleware(dressed, Readiness({"started": started}))


async def _serve(server: EdgeServer, listener: socket.socket) -> None:
    def stop() -> None:
        server.should_exit = True

    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop)
    await server.serve([listener])
