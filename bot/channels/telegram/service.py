"""Telegram's parts put together for a running program: none without a token, a webhook with a secret, else long polling."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from starlette.types import ASGIApp

from bot.channels.channel import DeliveryFailed
from bot.channels.telegram.channel import TelegramChannel
from bot.channels.telegram.client import TelegramClient
from bot.channels.telegram.polling import PAUSES_S, Polling
from bot.channels.telegram.settings import TelegramSettings
from bot.channels.telegram.updates import Updates
from bot.channels.telegram.webhook import PATH, WebhookFront, webhook_app
from config.settings import PREFIX, SettingsFaults
from handoff.runtime import Runtime
from nlu.understanding import Understanding

log = structlog.get_logger()

LOOK_S = 300.0
"""Seconds between two looks whether Telegram still brings updates to us."""


def fallback_of(settings: TelegramSettings, runtime: Runtime) -> str:
    """The gemeente for children who named none: the one that is set, or the only one there is. Raises `SettingsFaults`."""
    known = {municipality.id for municipality in runtime.configuration.listed}
    if settings.telegram_fallback is None and len(known) == 1:
        return next(iter(known))
    if settings.telegram_fallback is not None and settings.telegram_fallback in known:
        return settings.telegram_fallback
    some = ", ".join(sorted(known)[:5])
    told = f"moet de id van een gemeente zijn (zoals {some}): het team ervan krijgt de kinderen die er geen noemen"
    raise SettingsFaults({f"{PREFIX}TELEGRAM_FALLBACK": told})


@dataclass(frozen=True, slots=True)
class TelegramService:
    """`secret` is empty when updates are fetched by polling."""

    client: TelegramClient
    channel: TelegramChannel
    updates: Updates
    secret: str
    url: str

    def front(self, page: ASGIApp) -> ASGIApp:
        """The child's server, with Telegram's address in front where Telegram brings the updates."""
        return WebhookFront(webhook_app(self.updates), page, self.secret) if self.secret else page

    async def run(self, stop: asyncio.Event) -> None:
        """Fetch updates until `stop`, or see that Telegram brings them."""
        if self.secret:
            await self._announce(stop)
        else:
            await Polling(self.client, self.updates).run(stop)

    async def close(self) -> None:
        """Let go of the connections."""
        await self.client.close()

    async def announce(self, *, first: bool) -> None:
        """Tell Telegram where to bring updates: at `first` always, later when it has forgotten. Raises `DeliveryFailed`."""
        if not first:
            if await self.client.brings_to(self.url):
                return
            log.warning("telegram_webhook_was_gone")  # somebody deleted it, or set another one with the same token
        await self.client.set_webhook(self.url, self.secret)

    async def _announce(self, stop: asyncio.Event) -> None:
        failures, first = 0, True
        while not stop.is_set():
            try:
                await self.announce(first=first)
            except DeliveryFailed as fault:
                log.error("telegram_webhook_not_set", error=str(fault))
                failures += 1
            else:
                failures, first = 0, False
            pause = PAUSES_S[min(failures, len(PAUSES_S)) - 1] if failures else LOOK_S
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await stop.wait()


STARTS_S = 5.0
"""Seconds that a start may take before a child that writes meanwhile is told that something is broken."""


def open_telegram(
    settings: TelegramSettings, runtime: Runtime, understand: Callable[[str], Understanding], *, ready: Callable[[], bool]
) -> TelegramService | None:
    """Telegram, or None without a token. Asks Telegram nothing yet. `ready`: see `Updates`. Raises `SettingsFaults`."""
    token = settings.token()
    if token is None:
        return None
    client = TelegramClient(token, settings.telegram_base_url)
    channel = TelegramChannel(client)
    updates = Updates(
        runtime, understand, channel, fallback_of(settings, runtime), bot=token.partition(":")[0], ready=ready, patience_s=STARTS_S
    )
    secret = settings.telegram_webhook_secret.get_secret_value()
    return TelegramService(client, channel, updates, secret, runtime.child_origin + PATH)
