"""The only module that touches python-telegram-bot: one `Bot` over one HTTP client, and its faults as ours.

The bot's token stands in the address of every request. httpx notes addresses, and the library puts the token in the text of
some errors: so nothing of theirs is logged as it is, and no error of theirs leaves this module.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import cache
from ssl import SSLContext
from typing import Any, TypeVar

from httpx import create_ssl_context
from telegram import Bot, BotCommand, LinkPreviewOptions, ReplyKeyboardMarkup, ReplyKeyboardRemove
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken, RetryAfter, TelegramError, TimedOut
from telegram.request import HTTPXRequest

from bot.channels.channel import DeliveryFailed
from bot.channels.telegram.parse import ALLOWED

PUBLIC = "https://api.telegram.org"
POLL_SECONDS = 25
"""How long Telegram holds a request for updates open when there are none."""

TIMEOUT_SECONDS = 10.0
POOL = 32
"""Connections at once: what `bot.delivery` and `bot.erasing` send side by side, and one that asks for updates."""

CONNECTIONS = 1
"""Webhook requests at once: one, so that a child's messages come in order."""

_LOUD = ("httpx", "httpcore", "telegram")
_TOKEN = re.compile(r"(?:bot)?\d{3,}:[A-Za-z0-9_-]{5,}")
_HIDDEN = "[token]"
_NO_CHAT = frozenset({"chat not found", "peer_id_invalid"})
"""A BadRequest that says so is about the chat; every other one is about this one request."""

T = TypeVar("T")

os.environ.setdefault("PTB_TIMEDELTA", "true")
"""The library's own switch (22.2): `retry_after` is a timedelta, as it will be; without it every 429 is also a warning."""


def keep_quiet() -> None:
    """Let no library write a token, a chat id or words to a log: warnings alone, without values. Done once a process."""
    for name in _LOUD:
        logging.getLogger(name).setLevel(logging.WARNING)
    made = logging.getLogRecordFactory()
    if getattr(made, "keeps_quiet", False):
        return

    def factory(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = made(*args, **kwargs)
        if record.name.partition(".")[0] in _LOUD:
            record.msg, record.args = _TOKEN.sub(_HIDDEN, str(record.msg)), ()  # the form of the message, never its values
            record.exc_info, record.exc_text, record.stack_info = None, None, None
        return record

    factory.keeps_quiet = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(factory)


@cache
def _certificates() -> SSLContext:
    """Return whom TLS trusts, as httpx does; reading them takes 40 ms of CPU, so once a process."""
    return create_ssl_context()


class TelegramClient:
    """Telegram's Bot API, as far as we use it. Every method raises `DeliveryFailed`, and nothing else."""

    def __init__(self, token: str, base_url: str = PUBLIC, *, timeout: float = TIMEOUT_SECONDS) -> None:
        keep_quiet()
        self._request = HTTPXRequest(
            connection_pool_size=POOL, connect_timeout=timeout, read_timeout=timeout, write_timeout=timeout, pool_timeout=timeout,
            httpx_kwargs={"verify": _certificates()},
        )  # fmt: skip
        address = f"{base_url.rstrip('/')}/bot"
        self._bot = Bot(token, base_url=address, request=self._request, get_updates_request=self._request)
        self._timeout = timeout

    def __repr__(self) -> str:
        return "TelegramClient()"

    async def close(self) -> None:
        """Let go of the connections."""
        await self._request.shutdown()

    async def me(self) -> str:
        """The bot's own user name; also proof that the token works."""
        return str((await _try(self._bot.get_me)).username)

    async def updates(self, offset: int | None, *, seconds: int = POLL_SECONDS) -> list[object]:
        """What waits at Telegram, as plain JSON; asking with an `offset` tells Telegram to forget everything before it.

        Plain, because a kind that the library does not know yet must not stop the others.
        """
        asked: dict[str, Any] = {"timeout": seconds, "allowed_updates": list(ALLOWED)}
        if offset is not None:
            asked["offset"] = offset
        # Telegram's names do not look at case; in the library's own spelling it would make its own objects of it
        ask = self._bot.do_api_request
        found = await _try(lambda: ask("GetUpdates", api_kwargs=asked, read_timeout=seconds + self._timeout))
        return list(found) if isinstance(found, list) else []

    async def send(self, chat_id: int, text: str, keyboard: list[list[str]] | None) -> int:
        """Send one message: silent, not to be forwarded, without a preview of links. Returns Telegram's number of it.

        `keyboard` holds the buttons in rows; without rows it is taken away, and None leaves it as it is.
        """
        markup: ReplyKeyboardMarkup | ReplyKeyboardRemove | None = None
        if keyboard is not None:
            shown = ReplyKeyboardMarkup(keyboard, resize_keyboard=True, one_time_keyboard=True) if keyboard else None
            markup = shown or ReplyKeyboardRemove()
        sent = await _try(
            lambda: self._bot.send_message(
                chat_id, text, reply_markup=markup, disable_notification=True, protect_content=True,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
            ),
            within=2 * self._timeout,
        )  # fmt: skip
        return sent.message_id

    async def delete(self, chat_id: int, message_ids: list[int]) -> None:
        """Delete at most 100 messages of a chat, all or none; what cannot be found any more is passed over."""
        await _try(lambda: self._bot.delete_messages(chat_id, message_ids), within=2 * self._timeout)

    async def leave(self, chat_id: int) -> None:
        """Leave a group or channel."""
        await _try(lambda: self._bot.leave_chat(chat_id))

    async def answer(self, query_id: str) -> None:
        """End the waiting sign of a button."""
        await _try(lambda: self._bot.answer_callback_query(query_id))

    async def set_webhook(self, url: str, secret: str) -> None:
        """Let Telegram bring the updates itself."""
        await _try(
            lambda: self._bot.set_webhook(
                url, secret_token=secret, allowed_updates=list(ALLOWED), max_connections=CONNECTIONS, drop_pending_updates=False
            )
        )

    async def brings_to(self, url: str) -> bool:
        """Whether Telegram still brings updates to this address, of the kinds that we ask for (the secret it does not tell)."""
        found = await _try(self._bot.get_webhook_info)
        return found.url == url and set(found.allowed_updates or ()) == set(ALLOWED)

    async def delete_webhook(self) -> None:
        """Fetch the updates ourselves again; what waits is kept."""
        await _try(lambda: self._bot.delete_webhook(drop_pending_updates=False))

    async def profile(self, name: str, about: str, short: str, commands: Mapping[str, str]) -> None:
        """Set what Telegram shows of the bot."""
        await _try(lambda: self._bot.set_my_name(name))
        await _try(lambda: self._bot.set_my_description(about))
        await _try(lambda: self._bot.set_my_short_description(short))
        menu = [BotCommand(command, told) for command, told in commands.items()]
        await _try(lambda: self._bot.set_my_commands(menu))


async def _try(ask: Callable[[], Awaitable[T]], *, within: float | None = None) -> T:
    """`within` (seconds) bounds the whole of it: the library's own limits begin again with every byte that comes."""
    try:
        async with asyncio.timeout(within):
            return await ask()
    except TelegramError as error:
        fault = _ours(error)
    except Exception as error:  # noqa: BLE001 - an answer that is none of Telegram's: try again later
        fault = DeliveryFailed(f"telegram: {type(error).__name__}", permanent=False)
    raise fault  # outside the handler: a chained error would carry the token to whoever prints it


def _ours(error: TelegramError) -> DeliveryFailed:
    """Their fault as ours; its text is the kind of fault alone."""
    name = f"telegram: {type(error).__name__}"
    if isinstance(error, RetryAfter):
        wait = error.retry_after
        seconds = wait.total_seconds() if isinstance(wait, timedelta) else float(wait)
        return DeliveryFailed(name, permanent=False, retry_after=seconds)
    if isinstance(error, InvalidToken | TimedOut):  # a wrong token is the admin's fault, and no reason to lose words
        return DeliveryFailed(name, permanent=False)
    gone = isinstance(error, Forbidden | ChatMigrated) or str(error).casefold() in _NO_CHAT
    return DeliveryFailed(name, permanent=gone or isinstance(error, BadRequest), gone=gone)
