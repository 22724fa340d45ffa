"""What browsers are told about the console's pages, and who may ask for changes: pages of our own origin only.

The rest of what stands between the network and the pages is `handoff.asgi`. Threats and tests: docs/threat-model.md.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from handoff.asgi.bodies import Refuse
from handoff.console.context import ConsoleSettings

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

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": CONTENT_POLICY,
    # not `no-referrer`: with it browsers send `Origin: null` with our own forms, and we could not tell them from a stranger's
    "Referrer-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
}
"""On every answer, beside `handoff.asgi.headers.COMMON`."""

_READING = ("GET", "HEAD")


class SameOriginMiddleware:
    """Refuses every change, and every live read, that a page of another origin asked for (403). Nothing behind it has run."""

    def __init__(self, app: ASGIApp, *, settings: ConsoleSettings, refuse: Refuse) -> None:
        self._app = app
        self._origins = settings.origins
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pages may be opened from a link anywhere; everything else must come from a page of ours."""
        if scope["type"] == "http" and not self._ours(scope["method"], Headers(scope=scope)):
            response = await self._refuse(Request(scope), 403)
            return await response(scope, receive, send)
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
