"""Every channel of this program: one line each, and the only place that names them all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar, overload

from bot.channels.registration import Registration
from bot.channels.telegram.registration import TELEGRAM
from bot.channels.web.registration import WEB
from config import settings
from config.channels import ChannelSpec
from config.settings import Settings, SharedSettings

CHANNELS: tuple[Registration, ...] = (
    WEB,
    TELEGRAM,
)

SPECS: tuple[ChannelSpec, ...] = tuple(registration.spec for registration in CHANNELS)

Kind = TypeVar("Kind", bound=SharedSettings)


@overload
def read_settings(*, environment: Mapping[str, str] | None = None) -> Settings: ...
@overload
def read_settings(kind: type[Kind], environment: Mapping[str, str] | None = None) -> Kind: ...
def read_settings(kind: type[SharedSettings] = Settings, environment: Mapping[str, str] | None = None) -> SharedSettings:
    """`config.settings.read_settings`, which also knows the channels' own settings and tells their faults.

    Raises `SettingsFaults`. Each channel reads its own again when it is opened.
    """
    others = [registration.settings for registration in CHANNELS if registration.settings]
    return settings.read_settings(kind, environment, others=others)
