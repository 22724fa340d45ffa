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

from bot.channels.telegram.updates import NotTaken, Updates

PATH = "/telegram"
HEADER = "x-telegram-bot-api-secret-token"
AGAIN_S = 5
"""Seconds after which Telegram may bring again what could not be stored."""

LARGEST = 1_048_576
"""Bytes of one update: a long text, escaped, with the message that it answers."""


def webhook_app(updates: Updates) -> Starlette:
    """One route, for who knows the secret: see `WebhookFront`."""

    async def bring(request: Request) -> Response:
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
            return Response(status_code=503, headers={"retry-after": str(AGAIN_S)})
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


class WebhookFront:
    """The child's server with Telegram's address in front: the page's own limits are too small for an update.

    Who does not know the secret is at the page, like at every address; the secret is compared in constant time, before anything
    is read.
    """

    def __init__(self, webhook: ASGIApp, page: ASGIApp, secret: str) -> None:
        self._webhook, self._page, self._secret = webhook, page, secret.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Telegram's own requests to the webhook, everything else to the page."""
        asked = scope["type"] == "http" and scope["path"] == PATH and scope["method"] == "POST"
        await (self._webhook if asked and self._knows(scope) else self._page)(scope, receive, send)

    def _knows(self, scope: Scope) -> bool:
        given = next((value for name, value in scope["headers"] if name == HEADER.encode()), b"")
        return hmac.compare_digest(given, self._secret)
