"""What browsers are told about the child's pages: nothing is kept, nothing is sent on, nothing of others is let in."""

from __future__ import annotations

from collections.abc import Mapping

BODY_SECONDS = 30.0
"""A body that takes longer is not read to its end: a child's network may be slow, and a stranger's patience may not hold us."""

HEADERS: Mapping[str, str] = {
    "Referrer-Policy": "no-referrer",
}
"""On every answer, beside `handoff.asgi.headers.COMMON`."""

DEFAULTS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
}
"""On every answer that has none of its own; a page has (`bot.channels.web.pages`)."""
