"""Whatever goes wrong is answered calmly, and logged by its kind alone: its text could hold words of a child."""

from __future__ import annotations

import secrets

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from handoff.asgi.bodies import Refuse, nothing_more

log = structlog.get_logger()


def log_error(error: BaseException) -> None:
    """Log that something went wrong: its kind and an id, nothing else."""
    log.error("trouble", kind=type(error).__name__, id=secrets.token_hex(4))


class ErrorMiddleware:
    """Answers every exception with `refuse(request, 500)`, or with `last_resort` (HTML) when even that fails; raises nothing.

    An answer that began is cut off: the server closes the connection.
    """

    def __init__(self, app: ASGIApp, *, refuse: Refuse, last_resort: bytes) -> None:
        self._app = app
        self._refuse = refuse
        self._last_resort = last_resort

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 (nothing may pass: a traceback could hold words)
            log_error(error)
            if not started:
                response = await self._answer(scope)
                await response(scope, nothing_more, send)

    async def _answer(self, scope: Scope) -> Response:
        try:
            return await self._refuse(Request(scope), 500)
        except Exception as error:  # noqa: BLE001 (even our own page failed: numbers that need nothing to be made)
            log_error(error)
            return Response(self._last_resort, 500, media_type="text/html")
