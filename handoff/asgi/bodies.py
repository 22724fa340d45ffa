"""A body is read whole, and no larger and no slower than is allowed, before anything parses it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Refuse = Callable[[Request, int], Awaitable[Response]]
"""Makes the answer for a status code."""

_WITHOUT_BODY = ("GET", "HEAD")


class BodyLimitMiddleware:
    """Refuses a body of more than `limit` bytes with 413, and one that takes longer than `seconds` with 408 (slow-loris)."""

    def __init__(self, app: ASGIApp, *, limit: int, seconds: float, refuse: Refuse) -> None:
        self._app = app
        self._limit = limit
        self._seconds = seconds
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the body on in one piece, then whatever the server says next (the end of the connection)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._announced(Headers(scope=scope)) > self._limit:
            await self._answer(413, scope, send)
            return
        if scope["method"] in _WITHOUT_BODY:
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self._seconds):
                body = await self._read(receive)
        except TimeoutError:
            await self._answer(408, scope, send)
            return
        except ClientDisconnect:
            return  # nobody is there to be answered
        if body is None:
            await self._answer(413, scope, send)
            return
        await self._app(scope, _replay(body, receive), send)

    def _announced(self, headers: Headers) -> int:
        length = headers.get("content-length", "0")
        return int(length) if length.isascii() and length.isdigit() and len(length) <= 12 else self._limit + 1

    async def _read(self, receive: Receive) -> bytes | None:
        """The whole body; None when it is too large. Raises `ClientDisconnect`."""
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] != "http.request":
                raise ClientDisconnect
            body += message.get("body", b"")
            if len(body) > self._limit:
                return None
            if not message.get("more_body", False):
                return bytes(body)

    async def _answer(self, status: int, scope: Scope, send: Send) -> None:
        response = await self._refuse(Request(scope), status)
        response.headers["Connection"] = "close"  # what is left of the body is not read
        await response(scope, nothing_more, send)


def _replay(body: bytes, receive: Receive) -> Receive:
    pending = [body]

    async def again() -> Message:
        if pending:
            return {"type": "http.request", "body": pending.pop(), "more_body": False}
        return await receive()

    return again


async def nothing_more() -> Message:
    """The `receive` of an answer that reads no request."""
    return {"type": "http.disconnect"}
