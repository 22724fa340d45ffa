"""The child's server: one ASGI app with the page, its API and nothing else. No cookies, no third party, no words in an address."""

from __future__ import annotations

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from bot.channels.web import assets
from bot.channels.web.api import Api
from bot.channels.web.chats import Chats
from bot.channels.web.form import Forms, page_response
from bot.channels.web.headers import BODY_SECONDS, DEFAULTS, HEADERS
from bot.channels.web.last_resort import last_resort
from bot.channels.web.pages import Pages
from bot.channels.web.stream import HEARTBEAT_S, Streams
from config.limits import TEXT_LIMIT
from handoff.asgi.bodies import BodyLimitMiddleware, Refuse
from handoff.asgi.errors import ErrorMiddleware
from handoff.asgi.headers import SecurityHeadersMiddleware
from handoff.asgi.security_txt import security_txt
from handoff.runtime import Runtime
from nlu.understanding import Understanding

BODY_LIMIT = 64 * 1024
"""Bytes. The longest text in the longest spelling fits: 12 bytes for an emoji in a form's old encoding, and in plain JSON."""

FORM_ROOM = 4 * 1024
"""Bytes of a form that are not the text: the other fields, and what separates them."""


def child_app(
    runtime: Runtime,
    understand: Callable[[str], Understanding],
    *,
    is_quick: Callable[[str], bool] = lambda _text: False,
    origin: str = "",
    security_contact: str | None = None,
    body_limit: int = BODY_LIMIT,
    text_limit: int = TEXT_LIMIT,
    heartbeat_s: float = HEARTBEAT_S,
) -> Starlette:
    """Put the child's server together. `origin` is its public address (https:// adds HSTS), `security_contact` is for its
    security.txt; limits in bytes and characters. Open streams end when the store's hub is closed."""
    # a browser lets nobody put more in the box than a form can carry: at most 3 bytes for each UTF-16 unit
    pages = Pages(runtime, assets.load(), text_limit=text_limit, box_limit=(body_limit - FORM_ROOM) // 3)
    chats = Chats(runtime, understand, is_quick)
    streams = Streams(chats, pages, heartbeat_s=heartbeat_s)
    api = Api(chats, pages, streams, text_limit=text_limit)
    bare = last_resort(runtime)
    forms = Forms(chats, pages, bare, origin=origin, text_limit=text_limit)

    refuse = _refusals(api, forms, pages)
    contact = security_txt(security_contact, origin, runtime.clock)

    async def on_http_exception(request: Request, error: Exception) -> Response:
        return await refuse(request, error.status_code if isinstance(error, HTTPException) else 500)

    app = Starlette(
        routes=[*contact, *api.routes(), *forms.routes()],
        middleware=[
            Middleware(SecurityHeadersMiddleware, headers=HEADERS, defaults=DEFAULTS, https=origin.startswith("https://")),
            Middleware(ErrorMiddleware, refuse=refuse, last_resort=bare()),
            Middleware(BodyLimitMiddleware, limit=body_limit, seconds=BODY_SECONDS, refuse=refuse),
        ],
        exception_handlers={HTTPException: on_http_exception},
    )
    app.router.redirect_slashes = False
    app.state.streams = streams
    return app


def _refusals(api: Api, forms: Forms, pages: Pages) -> Refuse:
    async def refuse(request: Request, status: int) -> Response:
        """Answer what is not served, as JSON or as a page; always with the numbers."""
        path = request.url.path
        if path.startswith("/api/"):
            return api.refuse(status)
        if status == 404:
            return page_response(request, pages.unknown(path), 404)
        if status == 413:
            return forms.too_large(request)
        no_files = pages.words(None, None).say("utter_no_files") if status in (400, 415) else ""
        return page_response(request, pages.trouble(no_files), status)

    return refuse
