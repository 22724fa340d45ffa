"""Where to report a weak spot: `/.well-known/security.txt` (RFC 9116), on both servers, when whoever runs them gave a contact."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

PATH = "/.well-known/security.txt"

VALID = timedelta(days=90)
"""How long what was read may be believed. The RFC advises less than a year; the answer is made anew each time."""


def security_txt(contact: str | None, origin: str, clock: Callable[[], datetime]) -> list[Route]:
    """Return the route, or none without a contact (a mailto:, https: or tel: address). `origin` is this server's address."""

    async def show(_request: Request) -> Response:
        lines = [f"Contact: {contact}", f"Expires: {clock() + VALID:%Y-%m-%dT%H:%M:%SZ}", "Preferred-Languages: nl, en"]
        lines += [f"Canonical: {origin}{PATH}"] if origin else []
        return PlainTextResponse("\n".join(lines) + "\n")

    return [Route(PATH, show, methods=["GET"])] if contact else []
