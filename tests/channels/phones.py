"""A `Phone` for each channel: the web page over ASGI, Telegram over its Bot API server, the mailbox in a folder."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from bot.channels.telegram.spec import SPEC as TELEGRAM_SPEC
from bot.channels.web.spec import SPEC as WEB_SPEC
from bot.delivery import deliver_due
from bot.erasing import erase_due
from tests.bot.web import Site, new_token
from tests.channels.contract import Phone, Shown
from tests.channels.echo.service import EchoService
from tests.channels.echo.spec import SPEC as ECHO_SPEC
from tests.make import CITY, House
from tests.telegram.rig import Rig

KID = 4_512_345_678


@dataclass
class WebPhone(Phone):
    """A browser. What the page says by itself, when the server refuses, stands in `notes`."""

    house: House
    site: Site
    token: str = field(default_factory=new_token)
    sent: list[str] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)
    notes: list[Shown] = field(default_factory=list)
    open: bool = True
    spec = WEB_SPEC

    def write(self, text: str) -> None:
        """Press send."""
        self.sent.append(text)
        self.again()

    def again(self) -> None:
        """The page tries what it sent last once more, under the same id."""
        answer = self.site.send(self.token, self.sent[-1], message_id=f"m{len(self.sent)}")
        self.notes = [] if answer.status_code == 200 else [_note(answer)]

    def screen(self) -> list[Shown]:
        """Collect what is there, and say that it is shown."""
        answer = self.site.look(self.token) if self.open else None
        if answer is not None and answer.status_code == 200:
            lines = answer.json()["messages"]
            self.shown = [Shown(line["text"], tuple(line["buttons"])) for line in lines if line["role"] != "child"]
            self.site.ask("POST", f"/api/{CITY}/received", self.token, json={"seq": lines[-1]["seq"]})
        return [*self.shown, *self.notes]

    def erase(self) -> None:
        """Press 'Wis alles'."""
        self.shown, self.notes = [], [_note(self.site.ask("POST", f"/api/{CITY}/erase", self.token, json={}))]

    def unreachable(self) -> None:
        """The page is closed."""
        self.open = False

    def world(self) -> list[Path]:
        """A browser keeps no file."""
        return []


def _note(answer: httpx.Response) -> Shown:
    """What the page shows of a refusal: its text, and the lines to call."""
    body = answer.json()
    return Shown("\n".join([body["text"], *(line["number"] for line in body.get("numbers", ()))]))


@dataclass
class TelegramPhone(Phone):
    """A private chat with the bot."""

    house: House
    bot: Rig
    last: object = None
    spec = TELEGRAM_SPEC

    def write(self, text: str) -> None:
        """Send, and let the bot fetch."""
        self.last = self.bot.api.writes(KID, text)
        self._fetch()

    def again(self) -> None:
        """Telegram brings what waits there, and the last update once more."""
        self._fetch()
        with contextlib.suppress(Exception):
            self.bot.run(self.bot.updates.take(self.last))

    def screen(self) -> list[Shown]:
        """Let everything go out at Telegram's pace."""
        with contextlib.suppress(Exception):
            self.bot.settle(rounds=5)
        there = [m for m in self.bot.api.sent if m.chat_id == KID and (KID, m.message_id) not in self.bot.api.deleted]
        return [Shown(m.text, tuple(title for row in m.keyboard for title in row)) for m in there]

    def erase(self) -> None:
        """Type /wis."""
        self.bot.api.writes(KID, "/wis")
        self._fetch()
        for _ in range(3):
            self.house.clock.turn(seconds=6)
            self.bot.erase()

    def unreachable(self) -> None:
        """The child blocks the bot."""
        self.bot.api.blocked.add(KID)

    def world(self) -> list[Path]:
        """The phone is in memory."""
        return []

    def _fetch(self) -> None:
        with contextlib.suppress(Exception):  # what could not be stored waits at Telegram
            self.bot.poll()


@dataclass
class EchoPhone(Phone):
    """A child with a mailbox."""

    house: House
    service: EchoService
    name: str = "kind"
    spec = ECHO_SPEC

    def write(self, text: str) -> None:
        """Put a line in the file."""
        self.service.mailbox.write(self.name, text)
        self.again()

    def again(self) -> None:
        """Every line is read again each time."""
        asyncio.run(self.service.once())

    def screen(self) -> list[Shown]:
        """Read what came."""
        channels = {self.spec.name: self.service.channel}
        with contextlib.suppress(Exception):
            while asyncio.run(deliver_due(self.house.runtime, channels)):
                continue
        return [Shown(letter.text, tuple(letter.buttons)) for letter in self.service.mailbox.read(self.name)]

    def erase(self) -> None:
        """Write /wis."""
        self.write("/wis")
        asyncio.run(erase_due(self.house.runtime, {self.spec.name: self.service.channel}))

    def unreachable(self) -> None:
        """The box is closed."""
        (self.service.mailbox.folder / f"{self.name}.closed").touch()

    def world(self) -> list[Path]:
        """The mailbox."""
        return list(self.service.mailbox.folder.iterdir())
