"""The address where Telegram brings updates: our own route, because the library's web server logs what it gets.

200 means committed. 503 means: bring it again. Whoever does not know the secret gets the same answer as at any unknown address.
"""

from __future__ import annotations

import hmac
import json

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.channels.telegram_desk import NotTaken, Updates

PATH = "/telegram"
HEADER = "x-telegram-bot-api-secret-token"
LARGEST = 1_048_576
"""Bytes of one update: a long text, escaped, with the message that it answers."""


def webhook_app(updates: Updates, secret: str) -> Starlette:
    """One route. `secret` is compared in constant time, before anything is read."""

    async def bring(request: Request) -> Response:
        given = request.headers.get(HEADER, "")
        if not hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode()):
            return Response(status_code=404)
        body = await _body(request)
        if body is None:
            return Response(status_code=413)
        try:
            update = json.loads(body)
        except (ValueError, RecursionError):
            return Response(status_code=200)  # Telegram would bring the same again for a day
        try:
            await updates.take(update)
        except NotTaken:
            return Response(status_code=503)
        return Response(status_code=200)

    return Starlette(routes=[Route(PATH, bring, methods=["POST"])])


async def _body(request: Request) -> bytes | None:
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST:
                return None
    except ClientDisconnect:
        return None
    return bytes(body)


class TelegramFirst:
    """The child's server with Telegram's address in front: the page's own limits are too small for an update."""

    def __init__(self, webhook: ASGIApp, page: ASGIApp) -> None:
        self._webhook, self._page = webhook, page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Telegram's path to the webhook, everything else to the page."""
        mine = scope["type"] == "http" and scope["path"] == PATH and scope["method"] == "POST"
        await (self._webhook if mine else self._page)(scope, receive, send)
