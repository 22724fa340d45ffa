"""Telegram brings updates itself: only with the secret, 200 after the commit, 503 when it must come again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from bot.channels.telegram.service import TelegramService, open_telegram
from bot.channels.telegram.settings import TelegramSettings
from bot.channels.telegram.webhook import HEADER, LARGEST, PATH, WebhookFront, webhook_app
from tests.make import CITY, understood
from tests.telegram.bot_api import TOKEN, Fault
from tests.telegram.rig import Rig

KID = 4_512_345_678
SECRET = "kanarie-webhook-geheim-0123456789abcdef"


def _ask(bot: Rig, body: bytes, headers: dict[str, str] | None = None, method: str = "POST", path: str = PATH) -> httpx.Response:
    page = Starlette(routes=[Route("/", lambda _: PlainTextResponse("page"), methods=["GET", "PUT"])])
    app = WebhookFront(webhook_app(bot.updates), page, SECRET)

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://praat") as http:
            return await http.request(method, path, content=body, headers=headers or {HEADER: SECRET})

    return bot.run(ask())


def _post(bot: Rig, body: bytes, headers: dict[str, str] | None = None, path: str = PATH) -> int:
    return _ask(bot, body, headers, path=path).status_code


def _update(bot: Rig, text: str) -> dict[str, Any]:
    return bot.api.writes(KID, text)


def test_an_update_is_committed_before_the_200(bot: Rig) -> None:
    bot.house.confidant("sanne")
    body = json.dumps(_update(bot, "hoi")).encode()
    assert _post(bot, body) == 200
    assert _post(bot, body) == 200, "brought twice"
    who, _ = bot.house.sign_in("sanne")
    assert bot.words(KID, who) == ["hoi"]


@pytest.mark.parametrize(
    "headers", [{"x-other": "1"}, {HEADER: ""}, {HEADER: SECRET[:-1]}, {HEADER: SECRET + "x"}, {HEADER: "é" * 39}]
)
def test_without_the_secret_there_is_nothing_here(bot: Rig, headers: dict[str, str]) -> None:
    raw = {name: value.encode() for name, value in headers.items()}
    body = json.dumps(_update(bot, "hoi")).encode()
    found, elsewhere = (_ask(bot, body, raw, path=path) for path in (PATH, "/ergens"))  # type: ignore[arg-type]
    assert found.status_code == 404
    assert (found.status_code, found.content, found.headers) == (elsewhere.status_code, elsewhere.content, elsewhere.headers)
    assert bot.chat(KID) is None


def test_other_paths_and_methods_are_the_pages(bot: Rig) -> None:
    for method, path in (("GET", "/"), ("PUT", "/")):
        assert _ask(bot, b"", method=method, path=path).text == "page"
    assert _ask(bot, b"", method="GET").status_code == 404


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b'"x"', b"\xff\xfe", b"1e999", b'{"update_id": 1e999}'])
def test_what_is_no_update_is_taken_and_forgotten(bot: Rig, body: bytes) -> None:
    assert _post(bot, body) == 200


def test_too_much_is_refused(bot: Rig) -> None:
    assert _post(bot, b" " * (LARGEST + 1)) == 413


def test_the_longest_text_that_telegram_has_fits(bot: Rig) -> None:
    bot.house.confidant("sanne")
    long = "🙂" * 4096
    first = bot.api.message(KID, text=long)
    body = json.dumps({"update_id": 5, "message": {**bot.api.message(KID, text=long), "reply_to_message": first}}).encode()
    assert _post(bot, body) == 200
    who, _ = bot.house.sign_in("sanne")
    assert bot.words(KID, who) == [long]


def test_when_nothing_can_be_stored_telegram_brings_it_again(bot: Rig) -> None:
    bot.house.confidant("sanne")
    body = json.dumps(_update(bot, "hoi")).encode()
    path = bot.house.folder / "praat.db"
    path.rename(path.with_suffix(".away"))
    away = _ask(bot, body)
    assert (away.status_code, away.headers["retry-after"]) == (503, "5")
    path.with_suffix(".away").rename(path)
    assert _post(bot, body) == 200
    who, _ = bot.house.sign_in("sanne")
    assert bot.words(KID, who) == ["hoi"]


@pytest.fixture
def service(bot: Rig) -> Iterator[TelegramService]:
    """Telegram by webhook."""
    environment = {
        "PRAAT_TELEGRAM_TOKEN": TOKEN, "PRAAT_TELEGRAM_WEBHOOK_SECRET": SECRET, "PRAAT_TELEGRAM_FALLBACK": CITY,
        "PRAAT_TELEGRAM_BASE_URL": bot.client._bot.base_url.partition("/bot")[0],
    }  # fmt: skip
    settings = TelegramSettings.read(environment)
    bot.house.runtime.child_origin = "https://praat.voorbeeldstad.nl"
    assert TOKEN not in repr(settings)
    assert SECRET not in repr(settings)
    made = open_telegram(settings, bot.house.runtime, lambda _: understood(), ready=lambda: True)
    assert isinstance(made, TelegramService)
    yield made
    bot.run(made.client.close())


def test_telegram_is_told_where_to_bring_them(bot: Rig, service: TelegramService) -> None:
    bot.api.fail("setWebhook", Fault("502"))

    async def play() -> None:
        stop = asyncio.Event()
        going = asyncio.create_task(service.run(stop))
        while not bot.api.webhook:  # noqa: ASYNC110 - the server's thread has no event of ours
            await asyncio.sleep(0.02)
        stop.set()
        await asyncio.wait_for(going, 3)

    bot.run(play())
    wish = bot.api.webhook
    assert wish["url"] == "https://praat.voorbeeldstad.nl/telegram"
    assert wish["secret_token"] == SECRET
    assert wish["max_connections"] == 1
    assert "message" in wish["allowed_updates"]


@pytest.mark.parametrize("found", [{}, {"url": "https://elders.nl/telegram"}, {"allowed_updates": ["poll"]}])
def test_a_webhook_that_is_gone_or_differs_is_set_again(bot: Rig, service: TelegramService, found: dict[str, Any]) -> None:
    bot.run(service.announce(first=True))
    good = dict(bot.api.webhook)
    bot.api.webhook = {**good, **found} if found else {}
    bot.run(service.announce(first=False))
    assert bot.api.webhook == good
    bot.run(service.announce(first=False))
    assert bot.api.calls.count("setwebhook") == 2, "what is right is left alone"


def test_without_a_token_there_is_no_telegram(bot: Rig) -> None:
    assert open_telegram(TelegramSettings.read({}), bot.house.runtime, lambda _: understood(), ready=lambda: True) is None
