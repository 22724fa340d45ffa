"""A bot in this process, with the Bot API server of `bot_api` at the other end, for tests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from bot.channels.telegram.channel import TelegramChannel
from bot.channels.telegram.client import TelegramClient
from bot.channels.telegram.limits import RateLimiter
from bot.channels.telegram.polling import Polling
from bot.channels.telegram.turn import door_of
from bot.channels.telegram.updates import Updates
from bot.delivery import deliver_due
from bot.erasing import erase_due
from handoff import keys
from handoff.accounts.sessions import Unlocked
from handoff.chats import conversation, outbox
from handoff.chats.conversation import Chat
from nlu.understanding import Understanding
from tests.make import CITY, House, understood
from tests.telegram.bot_api import BOT, TOKEN, BotApi, bot_api

T = TypeVar("T")


@dataclass(repr=False)
class Rig:
    """One bot on a house. `slept` is what it would have waited to stay below Telegram's limits."""

    house: House
    api: BotApi
    client: TelegramClient
    channel: TelegramChannel
    updates: Updates
    slept: list[float]
    loop: asyncio.AbstractEventLoop

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something in the bot's loop."""
        return self.loop.run_until_complete(work)

    def poll(self) -> int:
        """Fetch and take once, as a bot that was just started."""

        async def once() -> int:
            try:
                return await Polling(self.client, self.updates, seconds=0).once()
            finally:
                await self.channel.settled()

        return self.run(once())

    def deliver(self) -> int:
        """Send until nothing is due."""
        sent, total = 1, 0
        while sent:
            sent = self.run(deliver_due(self.house.runtime, {"telegram": self.channel}))
            total += sent
        return total

    def erase(self) -> None:
        """Say the farewells and delete at Telegram what is due."""
        self.run(erase_due(self.house.runtime, {"telegram": self.channel}))

    @contextmanager
    def store_away(self) -> Iterator[None]:
        """The database is gone for a while (SQLite)."""
        path = self.house.folder / "praat.db"
        path.rename(path.with_suffix(".away"))
        try:
            yield
        finally:
            path.with_suffix(".away").rename(path)

    def settle(self, rounds: int = 8) -> None:
        """Let so much time pass that everything that waits has gone out."""
        for _ in range(rounds):
            self.house.clock.turn(seconds=6)
            self.deliver()

    def chat(self, chat_id: int, bot: str = BOT) -> Chat | None:
        """The stored chat, with the bot of that id."""
        run = self.house.runtime
        return run.store.read(lambda tx: conversation.find(tx, run.vault, door_of(chat_id, bot))).result()

    def words(self, chat_id: int, who: Unlocked, bot: str = BOT) -> list[str]:
        """What the child wrote, opened with a confidant's key."""
        run, chat = self.house.runtime, self.chat(chat_id, bot)
        if chat is None:
            return []
        found = run.store.read(lambda tx: keys.open_conversation(tx, run.vault, chat.id, who)).result()
        return [m.text or "" for m in found if m.role == "child"]

    def states(self, chat_id: int) -> dict[int, str]:
        """How each message to this child stands."""
        chat = self.chat(chat_id)
        return self.house.runtime.store.read(lambda tx: outbox.states(tx, chat.id)).result() if chat else {}


def settled(bot: Rig, rounds: int = 12) -> None:
    """Let everything that waits go out, at the pace of one chat."""
    for _ in range(rounds):
        bot.house.clock.turn(seconds=6)
        bot.deliver()


async def arrived(api: BotApi, count: int) -> None:
    """Return when so many messages have arrived on phones, while something else is sending."""
    async with asyncio.timeout(20):
        while len(api.sent) < count:  # noqa: ASYNC110 - another thread's server
            await asyncio.sleep(0)


@contextmanager
def rig(
    house: House, *, understand: Callable[[str], Understanding] = lambda _: understood(), fallback: str = CITY, timeout: float = 5
) -> Iterator[Rig]:
    """A bot on this house and a fresh Bot API server."""
    api, slept = BotApi(clock=lambda: house.clock().timestamp()), []  # type: tuple[BotApi, list[float]]
    loop = asyncio.new_event_loop()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    with bot_api(api) as url:
        client = TelegramClient(TOKEN, url, timeout=timeout)
        channel = TelegramChannel(client, RateLimiter(lambda: house.clock().timestamp(), sleep))
        try:
            yield Rig(house, api, client, channel, Updates(house.runtime, understand, channel, fallback, bot=BOT), slept, loop)
        finally:
            loop.run_until_complete(client.close())
            loop.close()
