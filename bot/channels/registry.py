"""Every channel of this program: one line each, and the only place that names them all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar, overload

from bot.channels.registration import Registration
from bot.channels.telegram.registration import TELEGRAM
from bot.channels.web.registration import WEB
from config import settings
from config.channels import ChannelSpec
from config.settings import Settings, SharedSettings, UnderstandingSettings

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
    """`config.settings.read_settings`, which also knows the channels' own settings.

    Raises `SettingsFaults`; those of the channels are told where channels are opened, and each reads its own again then.
    """
    others = [registration.settings for registration in CHANNELS if registration.settings]
    return settings.read_settings(kind, environment, others=others if opens_channels(kind) else (), named=others)


def opens_channels(kind: type[SharedSettings]) -> bool:
    """Whether a process with these settings opens the channels: whoever understands messages."""
    return issubclass(kind, UnderstandingSettings)


def forget_others(kind: type[SharedSettings]) -> None:
    """Take every setting out of this process's environment that a process with settings of this `kind` does not read."""
    channels = [registration.settings for registration in CHANNELS if registration.settings]
    settings.forget_others([kind, *channels] if opens_channels(kind) else [kind])
