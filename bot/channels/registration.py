"""What a channel's folder hands to the program: one `Registration`, listed in `bot.channels.registry`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bot.channels.channel import Channel
from config.channels import ChannelSpec
from config.settings import ChannelSettings

if TYPE_CHECKING:
    import typer
    from starlette.types import ASGIApp

    from handoff.runtime import Runtime
    from nlu.understanding import Understanding

    OpenRuntime = Callable[[], AbstractContextManager[Runtime]]
    """The parts of the program for a command, closed afterwards."""


class ChannelService(Protocol):
    """A channel that was opened, in a running program."""

    @property
    def channel(self) -> Channel:
        """Where the outbox is sent to."""
        ...

    def front(self, page: ASGIApp) -> ASGIApp:
        """The child's server with this channel's own addresses in front; `page` itself when it has none."""
        ...

    async def run(self, stop: asyncio.Event) -> None:
        """Take what children send until `stop`. A fault is told in the log and tried again; nothing is raised."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class OpenChannel(Protocol):
    """How a channel is opened."""

    def __call__(
        self,
        runtime: Runtime,
        understand: Callable[[str], Understanding],
        *,
        ready: Callable[[], bool],
        environment: Mapping[str, str] | None = None,
    ) -> ChannelService | None:
        """Open the channel, or return None when its settings (from `environment`, else the process's own) leave it off.

        `ready` tells whether the database was ever prepared: until then a child is told the numbers. Raises `SettingsFaults`.
        """
        ...


@dataclass(frozen=True, slots=True)
class Registration:
    """One channel."""

    spec: ChannelSpec
    """What the rest of the program knows of it."""
    settings: type[ChannelSettings] | None = None
    """What it reads of the environment."""
    open: OpenChannel | None = None
    """None for the page: `bot.serve` serves it."""
    commands: Callable[[OpenRuntime], typer.Typer] | None = None
    """The commands under `praat <name>`."""
