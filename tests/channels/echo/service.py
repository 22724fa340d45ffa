"""The mailbox in a running program: takes what children wrote, answers through the outbox, and can be deleted from."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import structlog
from sqlalchemy import Connection
from starlette.types import ASGIApp

from bot import child
from bot.channels.channel import DeliveryFailed
from bot.message import Incoming, Outgoing
from bot.turn import take_turn
from config.channels import ChannelSpec
from config.intents import FALLBACK, URGENCY_OF
from config.settings import ChannelSettings
from handoff.chats import conversation, deletions, outbox
from handoff.chats.conversation import Door
from handoff.database import awaited
from handoff.errors import NotFound
from handoff.runtime import Runtime
from handoff.wording import Moment, Wording
from nlu.understanding import Understanding
from tests.channels.echo.mailbox import Letter, Mailbox
from tests.channels.echo.spec import NAME, SPEC

log = structlog.get_logger()

EVERY_S = 0.05


class EchoSettings(ChannelSettings):
    """`PRAAT_ECHO_...`."""

    echo_folder: Path | None = None
    echo_municipality: str = "voorbeeldstad"


class EchoChannel:
    """A `Channel`. The address is the child's name."""

    spec: ChannelSpec = SPEC

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def send(self, address: bytes, outgoing: Outgoing) -> int:
        """Put one letter; returns its number. Raises `DeliveryFailed`."""
        titles = [*(button.title for button in outgoing.buttons), *outgoing.choices]
        return self._mailbox.put(address.decode(), outgoing.text, titles)

    async def delete(self, address: bytes, numbers: Sequence[int]) -> None:
        """Take letters away. Raises `DeliveryFailed`."""
        self._mailbox.remove(address.decode(), numbers)


class EchoService:
    """A `ChannelService`."""

    def __init__(self, mailbox: Mailbox, runtime: Runtime, understand: Callable[[str], Understanding], municipality: str) -> None:
        self.mailbox, self.channel = mailbox, EchoChannel(mailbox)
        self._runtime, self._understand, self._municipality = runtime, understand, municipality
        self._warned: set[tuple[str, int]] = set()

    def front(self, page: ASGIApp) -> ASGIApp:
        """It has no address of its own."""
        return page

    async def run(self, stop: asyncio.Event) -> None:
        """Look again and again."""
        while not stop.is_set():
            await self.once()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), EVERY_S)

    async def close(self) -> None:
        """Nothing is open."""

    async def once(self) -> None:
        """Take every letter that there is; what cannot be stored now comes again, and its child is told the numbers once."""
        for name, letter in self.mailbox.written():
            understanding = self._read(letter.text)
            try:
                taking = partial(self._take, name=name, letter=letter, understanding=understanding)
                await awaited(self._runtime.store.write(taking))
            except Exception as error:  # noqa: BLE001 - whatever it is, the child must not be left without a number
                log.error("not_taken", channel=NAME, error=type(error).__name__)
                if (name, letter.number) not in self._warned:
                    self._warned.add((name, letter.number))
                    with contextlib.suppress(DeliveryFailed):
                        self.mailbox.put(name, self._trouble())

    def _trouble(self) -> str:
        return Wording(self._runtime, Moment(self._runtime.clock(), SPEC.capabilities, None, None)).say("utter_trouble")

    def _read(self, text: str) -> Understanding:
        try:
            return self._understand(text)
        except Exception:  # noqa: BLE001 - whatever a model does wrong, the child is handed off
            return Understanding(FALLBACK, 0.0, URGENCY_OF[FALLBACK], "nl")

    def _take(self, tx: Connection, name: str, letter: Letter, understanding: Understanding) -> None:
        runtime, now = self._runtime, self._runtime.clock()
        door = Door(NAME, name.encode(), name.encode())
        if conversation.was_erased(tx, runtime.vault, door, letter.number):
            return
        if letter.text == "/wis":
            self._erase(tx, door, letter)
            return
        with contextlib.suppress(NotFound):
            incoming = Incoming(
                NAME,
                self._municipality,
                door.token,
                str(letter.number),
                letter.text,
                address=door.address,
                order=letter.number,
            )
            take_turn(tx, runtime, incoming, understanding, now)

    def _erase(self, tx: Connection, door: Door, letter: Letter) -> None:
        runtime, now = self._runtime, self._runtime.clock()
        chat = conversation.find(tx, runtime.vault, door, lock=True)
        if chat is None:
            return
        since = now - (SPEC.capabilities.deletes_for or now - now)
        there = [letter.number, *outbox.provider_ids(tx, chat.id, since), *map(int, conversation.own_ids(tx, chat.id, since))]
        child.erase(tx, runtime, door, now, up_to=letter.number)
        auth = runtime.vault.child_auth(door.channel, door.token)
        deletions.put(tx, runtime.vault, channel=SPEC, auth=auth, address=door.token, numbers=there, wish=letter.number, now=now)


def open_echo(
    runtime: Runtime,
    understand: Callable[[str], Understanding],
    *,
    ready: Callable[[], bool],
    environment: Mapping[str, str] | None = None,
) -> EchoService | None:
    """Open the mailbox, or return None without a folder."""
    settings = EchoSettings.read(environment)
    if settings.echo_folder is None:
        return None
    return EchoService(Mailbox(settings.echo_folder), runtime, understand, settings.echo_municipality)
