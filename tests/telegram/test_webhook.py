"""Telegram brings updates itself: only with the secret, 200 after the commit, 503 when it must come again."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from bot.channels.telegram_service import TelegramService, open_telegram
from bot.channels.telegram_webhook import HEADER, LARGEST, PATH, TelegramFirst, webhook_app
from config.settings import read_settings
from tests.make import CITY, understood
from tests.telegram.bot_api import TOKEN, Fault
from tests.telegram.rig import Rig

KID = 4_512_345_678
SECRET = "kanarie-webhook-geheim-0123456789abcdef"


def _post(bot: Rig, body: bytes, headers: dict[str, str] | None = None, method: str = "POST", path: str = PATH) -> int:
    page = Starlette(routes=[Route("/{rest:path}", lambda _: PlainTextResponse("page"), methods=["GET", "PUT"])])
    app = TelegramFirst(webhook_app(bot.updates, SECRET), page)

    async def ask() -> int:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://praat") as http:
            return (await http.request(method, path, content=body, headers=headers or {HEADER: SECRET})).status_code

    return bot.run(ask())


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
    assert _post(bot, json.dumps(_update(bot, "hoi")).encode(), raw) == 404  # type: ignore[arg-type]
    assert bot.chat(KID) is None


def test_other_paths_and_methods_are_the_pages(bot: Rig) -> None:
    assert _post(bot, b"", method="GET") == 200
    assert _post(bot, b"", method="PUT", path="/voorbeeldstad") == 200


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
    assert _post(bot, body) == 503
    path.with_suffix(".away").rename(path)
    assert _post(bot, body) == 200
    who, _ = bot.house.sign_in("sanne")
    assert bot.words(KID, who) == ["hoi"]


def test_telegram_is_told_where_to_bring_them(bot: Rig) -> None:
    import asyncio  # noqa: PLC0415

    environment = {
        "PRAAT_TELEGRAM_TOKEN": TOKEN, "PRAAT_TELEGRAM_WEBHOOK_SECRET": SECRET, "PRAAT_TELEGRAM_FALLBACK": CITY,
        "PRAAT_CHILD_ORIGIN": "https://praat.voorbeeldstad.nl",
        "PRAAT_TELEGRAM_BASE_URL": bot.client._bot.base_url.partition("/bot")[0],
    }  # fmt: skip
    settings = read_settings(environment=environment)
    assert TOKEN not in repr(settings)
    assert SECRET not in repr(settings)
    made = open_telegram(settings, bot.house.runtime, lambda _: understood(), ready=lambda: True)
    assert isinstance(made, TelegramService)
    bot.api.fail("setWebhook", Fault("502"))
    bot.run(made.run(asyncio.Event()))
    wish = bot.api.webhook
    assert wish["url"] == "https://praat.voorbeeldstad.nl/telegram"
    assert wish["secret_token"] == SECRET
    assert wish["max_connections"] == 1
    assert "message" in wish["allowed_updates"]
    bot.run(made.client.close())


def test_without_a_token_there_is_no_telegram(bot: Rig) -> None:
    assert open_telegram(read_settings(environment={}), bot.house.runtime, lambda _: understood(), ready=lambda: True) is None
