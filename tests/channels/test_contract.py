"""The contract of `contract.py`, for each channel of the program and for a third one that is one folder and one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.channels.registry import CHANNELS
from tests.bot.web import Site
from tests.channels.contract import ChannelContract, Phone, by_text
from tests.channels.echo.registration import ECHO
from tests.channels.echo.service import EchoService
from tests.channels.phones import EchoPhone, TelegramPhone, WebPhone
from tests.make import House
from tests.telegram.rig import rig

REGISTERED = (
    *CHANNELS,
    ECHO,
)
"""The line of registration."""


def _folder(house: House) -> Path:
    folder = house.folder / "mailbox"
    folder.mkdir()
    return folder


class TestWeb(ChannelContract):
    """The page collects its messages."""

    @contextmanager
    def opened(self, house: House) -> Iterator[Phone]:
        """Serve the page."""
        yield WebPhone(house, Site(house, by_text))


class TestTelegram(ChannelContract):
    """Telegram is pushed to."""

    @contextmanager
    def opened(self, house: House) -> Iterator[Phone]:
        """Run the bot against a Bot API server."""
        with rig(house, understand=by_text) as bot:
            yield TelegramPhone(house, bot)


class TestEcho(ChannelContract):
    """The third one is pushed to, shows no buttons and takes little at a time."""

    @contextmanager
    def opened(self, house: House) -> Iterator[Phone]:
        """Open it as `bot.serve` does."""
        house.runtime.channels = {registration.spec.name: registration.spec for registration in REGISTERED}
        assert ECHO.open is not None
        service = ECHO.open(house.runtime, by_text, ready=lambda: True, environment={"PRAAT_ECHO_FOLDER": str(_folder(house))})
        assert isinstance(service, EchoService)
        yield EchoPhone(house, service)
