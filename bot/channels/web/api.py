"""The JSON side of the child's page. The token is in the `Authorization` header: never in a cookie, an address or a log."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.channels.web.chats import Chats, is_message_id, read_token
from bot.channels.web.lanes import Crowded
from bot.channels.web.pages import Pages, ended_text, erased_text
from bot.channels.web.payloads import json_response, refusal, view_json
from bot.channels.web.stream import Streams
from handoff.asgi.errors import log_error
from handoff.chats.conversation import Ended
from handoff.errors import HandoffError, NotFound

_MOST = 2**31 - 1
"""No chat has more messages; larger numbers are refused before they reach the database."""


class BadRequest(Exception):
    """The request does not have the form it must have. `status` is what to answer; nothing of it is repeated."""

    def __init__(self, status: int = 400) -> None:
        super().__init__(f"status {status}")
        self.status = status


Endpoint = Callable[[Request], Awaitable[Response]]


def bearer(request: Request) -> bytes:
    """The token of a request. Raises `NotFound`, whatever is wrong with it."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return read_token(token if scheme.lower() == "bearer" else None)


def slug_of(request: Request) -> str:
    """The gemeente in the address."""
    return str(request.path_params["slug"])


def sequence(value: object) -> int:
    """A sequence number. Raises `BadRequest`."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 10:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST:
        raise BadRequest
    return value


async def body_of(request: Request) -> dict[str, Any]:
    """The JSON object that was sent. Raises `BadRequest`."""
    try:
        value = json.loads(await request.body())
    except (ValueError, RecursionError):
        raise BadRequest from None
    if not isinstance(value, dict):
        raise BadRequest
    return value


class Api:
    """The endpoints under `/api/{slug}`."""

    def __init__(self, chats: Chats, pages: Pages, streams: Streams, *, text_limit: int) -> None:
        self._chats = chats
        self._pages = pages
        self._streams = streams
        self._text_limit = text_limit

    def routes(self) -> list[Route]:
        """What is served."""
        return [
            Route("/api/{slug}/messages", self._guarded(self.send), methods=["POST"]),
            Route("/api/{slug}/messages", self._guarded(self.look), methods=["GET"]),
            Route("/api/{slug}/stream", self._guarded(self.stream), methods=["GET"]),
            Route("/api/{slug}/received", self._guarded(self.received), methods=["POST"]),
            Route("/api/{slug}/erase", self._guarded(self.erase), methods=["POST"]),
            Route("/api/{slug}/status", self._guarded(self.status), methods=["GET"]),
        ]

    def refuse(self, status: int) -> Response:
        """An answer that says no, with the numbers."""
        return refusal(status, self._pages.words(None, None))

    def _ended(self, request: Request, ended: Ended) -> Response:
        words = self._pages.words(self._chats.runtime.configuration.municipalities.get(slug_of(request)), None)
        return refusal(404, words, ended_text(words, ended.days))

    def _guarded(self, endpoint: Endpoint) -> Endpoint:
        async def answer(request: Request) -> Response:
            try:
                return await endpoint(request)
            except Ended as ended:
                return self._ended(request, ended)
            except NotFound:
                return self.refuse(404)
            except BadRequest as error:
                return self.refuse(error.status)
            except Crowded:  # not told in the log: it may be thousands a second
                return self.refuse(429)
            except HandoffError as error:  # the database is gone, or nothing can be sealed: no words are taken
                log_error(error)
                return self.refuse(503)

        return answer

    async def send(self, request: Request) -> Response:
        """`{id, text, after}`: 200 once it is committed, with everything new."""
        slug, token = slug_of(request), bearer(request)
        municipality = self._chats.runtime.municipality(slug)
        body = await body_of(request)
        message_id, text, after = body.get("id"), body.get("text"), sequence(body.get("after", 0))
        if not is_message_id(message_id) or not isinstance(text, str):
            raise BadRequest
        if len(text) > self._text_limit:
            raise BadRequest(422)
        view = await self._chats.send(slug, token, message_id=str(message_id), text=text, after=after)
        return json_response(view_json(view, self._pages.words(municipality, view.chat.on_duty)))

    async def look(self, request: Request) -> Response:
        """`?after=N`: everything after that number; for browsers and networks that let no stream through."""
        slug, token = slug_of(request), bearer(request)
        after = sequence(request.query_params.get("after", "0"))
        view = await self._chats.look(slug, token, after=after)
        words = self._pages.words(self._chats.runtime.municipality(slug), view.chat.on_duty)
        return json_response(view_json(view, words))

    async def stream(self, request: Request) -> Response:
        """Server-sent events from `Last-Event-ID` on."""
        return await self._streams.open(slug_of(request), bearer(request), request.headers.get("last-event-id", ""))

    async def received(self, request: Request) -> Response:
        """`{seq}`: the page shows everything up to there."""
        slug, token = slug_of(request), bearer(request)
        await self._chats.confirm(slug, token, sequence((await body_of(request)).get("seq")))
        return json_response({})

    async def erase(self, request: Request) -> Response:
        """Everything is gone when this is answered."""
        slug = slug_of(request)
        was_read = await self._chats.erase(slug, bearer(request))
        words = self._pages.words(self._chats.runtime.municipality(slug), None)
        return json_response({"text": erased_text(words, was_read=was_read)})

    async def status(self, request: Request) -> Response:
        """Who is there now, for a page without a chat. Never fails for want of a database: then `on_duty` is null."""
        slug = slug_of(request)
        municipality = self._chats.runtime.municipality(slug)
        return json_response(self._pages.words(municipality, await self._chats.on_duty(slug)).live())
