"""Telegram as a registered channel. Its library is loaded only when there is a token: that takes half a second."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from bot.channels.registration import ChannelService, Registration
from bot.channels.telegram.commands import commands
from bot.channels.telegram.settings import TelegramSettings
from bot.channels.telegram.spec import SPEC

if TYPE_CHECKING:
    from handoff.runtime import Runtime
    from nlu.understanding import Understanding


def open_channel(
    runtime: Runtime,
    understand: Callable[[str], Understanding],
    *,
    ready: Callable[[], bool],
    environment: Mapping[str, str] | None = None,
) -> ChannelService | None:
    """Open Telegram, or return None without a token. Asks Telegram nothing yet. Raises `SettingsFaults`."""
    settings = TelegramSettings.read(environment)
    if settings.token() is None:
        return None
    from bot.channels.telegram.service import open_telegram  # noqa: PLC0415 - half a second of every start without Telegram

    return open_telegram(settings, runtime, understand, ready=ready)


TELEGRAM = Registration(SPEC, settings=TelegramSettings, open=open_channel, commands=commands)
