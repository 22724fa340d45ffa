"""What stands between the network and the pages, as plain ASGI: headers on every answer, small bodies, our own origin only.

Threats and tests: docs/threat-model.md. BaseHTTPMiddleware is not used: it breaks streams and doubles their memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from handoff.console.parts import ConsoleSettings

MAX_BODY = 64 * 1024
"""Bytes. A message of 4,000 characters fits in any script and spelling; anything larger is refused before it is parsed."""

BODY_SECONDS = 10.0
"""A body of this size that takes longer is held back on purpose."""

CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'",
        "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'", "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)  # fmt: skip

_HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    # not `no-referrer`: with it browsers send `Origin: null` with our own forms, and we could not tell them from a stranger's
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), display-capture=(), browsing-topics=(), clipboard-read=()",
}

Refuse = Callable[[int], Response]
_READING = ("GET", "HEAD")


class SafeHeaders:
    """Outermost: also the answers of errors carry the headers."""

    def __init__(self, app: ASGIApp, *, settings: ConsoleSettings) -> None:
        self._app = app
        self._secure = settings.secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the headers; static files alone may be kept by the browser, and are asked for again each time."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        cache = "no-cache" if scope["path"].startswith("/static/") else "no-store"

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                headers["Cache-Control"] = cache
                if self._secure:
                    headers["Strict-Transport-Security"] = "max-age=31536000"
            await send(message)

        return await self._app(scope, receive, with_headers)


class OwnOriginOnly:
    """Refuses every change, and every live read, that a page of another origin asked for (403). Nothing behind it has run."""

    def __init__(self, app: ASGIApp, *, settings: ConsoleSettings, refuse: Refuse) -> None:
        self._app = app
        self._origins = settings.origins
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pages may be opened from a link anywhere; everything else must come from a page of ours."""
        if scope["type"] == "http" and not self._ours(scope["method"], Headers(scope=scope)):
            return await self._refuse(403)(scope, receive, send)
        return await self._app(scope, receive, send)

    def _ours(self, method: str, headers: Headers) -> bool:
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if origin is not None and origin not in self._origins:
            return False
        if method in _READING:
            page = headers.get("sec-fetch-mode") in (None, "navigate")
            return page or site in (None, "same-origin")
        if site is not None:
            return site == "same-origin"
        return origin is not None


class SmallBodies:
    """Reads the body before anything parses it: more than `MAX_BODY` gets 413 at once, one that dribbles in gets 408."""

    def __init__(self, app: ASGIApp, *, refuse: Refuse, seconds: float = BODY_SECONDS) -> None:
        self._app = app
        self._refuse = refuse
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the body on in one piece, then whatever the server says next (the end of the connection)."""
        if scope["type"] != "http" or scope["method"] in _READING:
            return await self._app(scope, receive, send)
        if _announced(Headers(scope=scope)) > MAX_BODY:
            return await self._refuse(413)(scope, receive, send)
        try:
            async with asyncio.timeout(self._seconds):
                body = await _collect(receive)
        except TimeoutError:
            return await self._refuse(408)(scope, receive, send)
        if body is None:
            return await self._refuse(413)(scope, receive, send)
        pending = [body]

        async def again() -> Message:
            if pending:
                return {"type": "http.request", "body": pending.pop(), "more_body": False}
            return await receive()

        return await self._app(scope, again, send)


def _announced(headers: Headers) -> int:
    length = headers.get("content-length", "0")
    return int(length) if length.isascii() and length.isdigit() and len(length) < 10 else MAX_BODY + 1


async def _collect(receive: Receive) -> bytes | None:
    """The whole body, or None when it is too large (or the sender went away: then nobody reads the answer)."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > MAX_BODY:
            return None
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)
