"""The use cases of the child's page, each in one transaction: what `bot.child` does, for one gemeente's address."""

from __future__ import annotations

import asyncio
import base64
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import Connection

from bot import child
from bot.channels.web.lanes import Lanes
from bot.channels.web.pace import Pace
from bot.channels.web.spec import WEBCHAT
from bot.child import Listening, Snapshot, Standing
from bot.message import Incoming
from bot.turn import pressed
from config.intents import FALLBACK, URGENCY_OF
from handoff.asgi.errors import log_error
from handoff.chats import conversation
from handoff.chats.conversation import Door
from handoff.database import awaited
from handoff.errors import Denied, HandoffError, NotFound, StoreUnavailable
from handoff.runtime import Runtime
from nlu.understanding import Understanding

UNDERSTANDING_SECONDS = 1.0
"""The reader has a deadline of its own (200 ms); this one is for when even that fails."""

STATUS_SECONDS = 1.0
"""A page does not wait longer than this to say who is there: the numbers come first."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def new_token() -> str:
    """A fresh secret of 256 bits, as the page writes it (base64url, 43 characters)."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")


def read_token(text: str | None) -> bytes:
    """The 32 bytes behind a token. Raises `NotFound`: a token that is none opens nothing, like one that is unknown."""
    if text is None or not _TOKEN.fullmatch(text):
        raise NotFound("no such conversation")
    return base64.urlsafe_b64decode(text + "=")


def is_message_id(value: object) -> bool:
    """Whether this can be the page's own id for a message."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


@dataclass(frozen=True, slots=True)
class View:
    """What the page gets. `own_ids` gives the page's own id of each message of the child, by sequence number."""

    chat: Snapshot
    own_ids: dict[int, str]


@dataclass(frozen=True, slots=True)
class Chats:
    """The use cases. Each raises `NotFound` for what the token does not open, `StoreUnavailable` when nothing can be kept."""

    runtime: Runtime
    understand: Callable[[str], Understanding]
    is_quick: Callable[[str], bool] = lambda _text: False
    """Whether a text is understood so quickly that no thread is needed for it."""
    pace: Pace = field(default_factory=Pace)
    lanes: Lanes = field(default_factory=Lanes)
    _days: set[str] = field(default_factory=set)
    """The expiry days whose key was made or seen by this process."""

    async def send(self, slug: str, token: bytes, *, message_id: str, text: str, after: int | None) -> View:
        """Take a turn; returns after the commit. The same `message_id` twice is one message.
        What cannot be read after the commit is left out (`Snapshot.whole`): it is stored all the same.

        `after` is 0 when the page has shown nothing yet, None when that is not known. Raises `Crowded`: nothing was taken in.
        """
        municipality = self.runtime.municipality(slug)
        await self.pace.keep(token)
        await self._make_day(conversation.expiry_day(self.runtime.clock(), municipality.retention_days))
        exists = None if after == 0 else partial(self._exists, slug, token)
        async with self.lanes.place(token, exists):
            return await self._turn(slug, token, message_id, text, after or 0)

    async def _exists(self, slug: str, token: bytes) -> bool:
        try:
            await self.find(slug, token)
        except NotFound:
            return False
        return True

    async def _turn(self, slug: str, token: bytes, message_id: str, text: str, after: int) -> View:
        runtime = self.runtime
        understanding = pressed(await self._read(text), runtime.script_for(slug), text)
        incoming = Incoming(WEBCHAT, slug, token, message_id, text)

        def work(tx: Connection) -> Snapshot:
            return child.take(tx, runtime, incoming, understanding, runtime.clock(), after=after)

        def shown(tx: Connection) -> Snapshot:
            return child.look(tx, runtime, Door(WEBCHAT, token), runtime.clock(), after=after, municipality_id=slug)

        known = await runtime.store.write_short(work)
        if not known.whole:
            with suppress(StoreUnavailable):  # it is stored, and that is what is said; the lines come when they can be read
                known = await awaited(runtime.store.read(shown))
        return _view(known)

    async def _make_day(self, day: str) -> None:
        """Make the key of the day on which a new chat would expire, once: written to the disk here, it would hold the loop."""
        if day not in self._days:
            with suppress(HandoffError):  # a chat that has its key needs none; a new one is told in its turn
                await asyncio.to_thread(self.runtime.vault.make_bucket, day)
                self._days.add(day)

    async def look(self, slug: str, token: bytes, *, after: int) -> View:
        """What stands in the chat after sequence number `after`."""
        runtime = self.runtime

        def work(tx: Connection) -> View:
            return _view(child.look(tx, runtime, Door(WEBCHAT, token), runtime.clock(), after=after, municipality_id=slug))

        try:
            return await awaited(runtime.store.read(work))
        except Denied:  # expired, or no longer to be opened: for the child it is gone
            raise NotFound("no such conversation") from None

    async def find(self, slug: str, token: bytes) -> Listening:
        """Return what to listen to."""
        door = Door(WEBCHAT, token)
        return await awaited(self.runtime.store.read(lambda tx: child.find(tx, self.runtime, door, municipality_id=slug)))

    async def standing(self, conversation_id: str) -> Standing:
        """How this chat stands, without opening a word of it."""
        return await awaited(self.runtime.store.read(lambda tx: child.standing(tx, conversation_id)))

    async def confirm(self, slug: str, token: bytes, seq: int) -> None:
        """The page shows everything up to `seq`."""
        runtime = self.runtime
        await runtime.store.write_short(lambda tx: child.confirm(tx, runtime, self._own(tx, slug, token), seq, runtime.clock()))

    async def erase(self, slug: str, token: bytes) -> bool:
        """'Wis alles'. Returns whether a human had read the chat."""
        runtime = self.runtime
        gone = await awaited(runtime.store.write(lambda tx: child.erase(tx, runtime, self._own(tx, slug, token), runtime.clock())))
        return gone.was_read

    async def on_duty(self, slug: str) -> bool | None:
        """Whether a human is there now; None when that cannot be found out in time, and then nothing is said about it."""
        runtime = self.runtime
        try:
            async with asyncio.timeout(STATUS_SECONDS):
                return await awaited(runtime.store.read(lambda tx: child.somebody_there(tx, runtime, slug, runtime.clock())))
        except (HandoffError, TimeoutError, RuntimeError, OSError):
            return None

    async def _read(self, text: str) -> Understanding:
        """The reading of a text; a failure to understand stops nothing (promise 2)."""
        try:
            async with asyncio.timeout(UNDERSTANDING_SECONDS):
                return self.understand(text) if self.is_quick(text) else await asyncio.to_thread(self.understand, text)
        except Exception as error:  # noqa: BLE001 (whatever a model does wrong, the child is handed off)
            log_error(error)
            return Understanding(FALLBACK, 0.0, URGENCY_OF[FALLBACK], "nl")

    def _own(self, tx: Connection, slug: str, token: bytes) -> Door:
        """The door behind a token. Raises `NotFound` when its chat is with another gemeente."""
        door = Door(WEBCHAT, token)
        chat = conversation.find(tx, self.runtime.vault, door)
        if chat is not None and chat.municipality_id != slug:
            raise NotFound("no such conversation")
        return door


def _view(chat: Snapshot) -> View:
    return View(chat, chat.own_ids)
