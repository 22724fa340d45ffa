"""What surrounds every answer of the child's server: headers, a limit on bodies, and no fault that says more than it may.

Pure ASGI. A fault's text could hold words of a child: only its kind and a random id are logged.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Refuse = Callable[[Request, int], Awaitable[Response]]
"""Makes the answer for a status code, as a page or as JSON, with the numbers to call."""

log = structlog.get_logger()

BODY_SECONDS = 30
"""A body that takes longer is not read to its end (slow-loris)."""

HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""On every answer. The content security policy of a page comes on top (`web_pages`); all else gets `NO_CONTENT_POLICY`."""

NO_CONTENT_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_HSTS = "max-age=31536000"


def note_trouble(error: BaseException) -> None:
    """Log that something went wrong: its kind and an id, nothing else."""
    log.error("trouble", kind=type(error).__name__, id=secrets.token_hex(4))


class SafeHeaders:
    """Adds the security headers to every answer."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self.app = app
        self._https = https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Content-Security-Policy", NO_CONTENT_POLICY)
                if self._https:
                    headers["Strict-Transport-Security"] = _HSTS
            await send(message)

        await self.app(scope, receive, with_headers if scope["type"] == "http" else send)


class BodyLimit:
    """Refuses a body of more than `limit` bytes with 413, counted as it comes in, before anything reads it."""

    def __init__(self, app: ASGIApp, *, limit: int, refuse: Refuse) -> None:
        self.app = app
        self._limit = limit
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        if not announced.isdecimal() or len(announced) > 12 or int(announced) > self._limit:
            await self._answer(413, scope, send)
            return
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await self._read(receive)
        except TimeoutError:
            await self._answer(408, scope, send)
            return
        if body is None:
            await self._answer(413, scope, send)
            return
        await self.app(scope, _replay(body, receive), send)

    async def _read(self, receive: Receive) -> bytes | None:
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            body += message.get("body", b"")
            if len(body) > self._limit:
                return None
            if not message.get("more_body", False):
                return bytes(body)

    async def _answer(self, status: int, scope: Scope, send: Send) -> None:
        response = await self._refuse(Request(scope), status)
        response.headers["Connection"] = "close"  # what is left of the body is not read
        await response(scope, _nothing, send)


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


class Calm:
    """The last resort: whatever went wrong, the child sees who can be called, and the log sees no words."""

    def __init__(self, app: ASGIApp, *, refuse: Refuse, last_resort: bytes) -> None:
        self.app = app
        self._refuse = refuse
        self._last_resort = last_resort

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 (nothing may pass: a traceback could hold words)
            note_trouble(error)
            if not started:
                response = await self._answer(scope)
                await response(scope, _nothing, send)

    async def _answer(self, scope: Scope) -> Response:
        try:
            return await self._refuse(Request(scope), 500)
        except Exception as error:  # noqa: BLE001 (even our own page failed: numbers that need nothing to be made)
            note_trouble(error)
            return Response(self._last_resort, 500, media_type="text/html")
