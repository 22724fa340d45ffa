"""What both apps put around themselves, on its own: limits, headers, and a fault whose text goes nowhere."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from config.limits import TEXT_LIMIT
from config.settings import ChildSettings
from handoff.asgi.bodies import BodyLimitMiddleware
from handoff.asgi.errors import ErrorMiddleware
from handoff.asgi.headers import SecurityHeadersMiddleware
from nlu.text import LONGEST


async def refuse(_: Request, status: int) -> Response:
    """A refusal that names its status."""
    return PlainTextResponse(f"refused {status}", status)


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the body that it was given."""
    await PlainTextResponse(await Request(scope, receive).body())(scope, receive, send)


def call(app: ASGIApp, body: Iterable[bytes] | None, *, method: str = "POST", length: str | None = None) -> list[Message]:
    """Send a request whose body comes in these pieces (None: never) and return what was answered."""
    pieces = [{"type": "http.request", "body": piece, "more_body": True} for piece in body or ()]
    sent: list[Message] = []

    async def receive() -> Message:
        if pieces:
            return pieces.pop(0)
        if body is None:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"content-length", length.encode())] if length is not None else []
    scope = {"type": "http", "method": method, "path": "/", "headers": headers, "query_string": b""}

    async def main() -> None:
        await app(scope, receive, send)

    asyncio.run(main())
    return sent


def status(sent: list[Message]) -> int:
    """The status of an answer."""
    return int(sent[0]["status"])


def limited(app: ASGIApp = echo) -> BodyLimitMiddleware:
    """Ten bytes, within a moment."""
    return BodyLimitMiddleware(app, limit=10, seconds=0.02, refuse=refuse)


def test_a_body_that_fits_is_handed_on_whole() -> None:
    sent = call(limited(), [b"12345", b"67890"])
    assert (status(sent), sent[1]["body"]) == (200, b"1234567890")


@pytest.mark.parametrize(
    ("body", "length", "expected"),
    [
        ([b"12345", b"678901"], None, 413),
        ([b"x"], "11", 413),
        ([b"x"], "9" * 5000, 413),
        ([b"x"], "-1", 413),
        ([b"x"], "¹", 413),
        (None, None, 408),
    ],
)
def test_a_body_that_is_too_large_or_too_slow_is_refused_and_the_connection_ends(
    body: list[bytes] | None, length: str | None, expected: int
) -> None:
    sent = call(limited(), body, length=length)
    assert status(sent) == expected
    assert (b"connection", b"close") in sent[0]["headers"]


def test_a_reading_request_has_no_body_to_wait_for() -> None:
    async def there(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("there")(scope, receive, send)

    assert status(call(limited(there), None, method="GET")) == 200
    assert status(call(limited(there), None, method="GET", length="11")) == 413


def test_who_goes_away_is_not_answered() -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(limited()({"type": "http", "method": "POST", "path": "/", "headers": []}, receive, send))
    assert sent == []


def failing(error: Exception) -> ASGIApp:
    """An app with a fault."""

    async def app(_: Scope, __: Receive, ___: Send) -> None:
        raise error

    return app


def test_a_fault_is_answered_and_its_text_goes_nowhere(capsys: pytest.CaptureFixture[str]) -> None:
    sent = call(ErrorMiddleware(failing(ValueError("een geheim")), refuse=refuse, last_resort=b"112"), [b""])
    assert (status(sent), sent[1]["body"]) == (500, b"refused 500")
    written = "".join(capsys.readouterr())
    assert "ValueError" in written
    assert "geheim" not in written


def test_a_refusal_that_fails_too_leaves_the_last_resort() -> None:
    async def broken(_: Request, __: int) -> Response:
        raise RuntimeError("also broken")

    sent = call(ErrorMiddleware(failing(ValueError()), refuse=broken, last_resort=b"112"), [b""])
    assert (status(sent), sent[1]["body"]) == (500, b"112")


def test_a_client_that_left_is_no_fault(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(ErrorMiddleware(failing(ClientDisconnect()), refuse=refuse, last_resort=b""), [b""]) == []
    assert "trouble" not in "".join(capsys.readouterr())


def test_headers_are_added_and_what_an_answer_says_of_being_kept_stands() -> None:
    async def stream(scope: Scope, receive: Receive, send: Send) -> None:
        kept = {"Cache-Control": "no-store, no-transform", "Referrer-Policy": "unsafe-url", "Content-Security-Policy": "own"}
        await Response(headers=kept)(scope, receive, send)

    app = SecurityHeadersMiddleware(
        stream, headers={"Referrer-Policy": "no-referrer"}, defaults={"Content-Security-Policy": "none"}, https=True
    )
    found = {name.decode(): value.decode() for name, value in call(app, [b""])[0]["headers"]}
    assert found["cache-control"] == "no-store, no-transform"
    assert found["referrer-policy"] == "no-referrer"
    assert found["content-security-policy"] == "own"
    assert found["x-frame-options"] == "DENY"
    assert found["strict-transport-security"].startswith("max-age=")


def test_one_limit_for_a_message_everywhere() -> None:
    assert TEXT_LIMIT == LONGEST == ChildSettings.model_fields["text_limit"].default
