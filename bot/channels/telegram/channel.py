"""Telegram as a channel: sends what waits in the outbox, and does what else has to happen at Telegram itself.

Why it works as it does: docs/decisions/0020-telegram.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog
from cachetools import LRUCache

from bot.channels.channel import DeliveryFailed
from bot.channels.telegram.client import TelegramClient
from bot.channels.telegram.limits import RateLimiter
from bot.channels.telegram.spec import SPEC
from bot.message import Outgoing

log = structlog.get_logger()

_ROW = 2
"""Buttons beside each other on the keyboard."""

_SOON_S = 1.0
"""Who says something while others wait behind it may wait so long for one chat, and no longer."""

_LEAVING_S = (1.0, 5.0, 30.0)
"""Seconds before the second, third, ... try to leave a group."""

_REMEMBERED = 1000


class TelegramChannel:
    """A `Channel`. The address is the chat's id, in digits."""

    spec = SPEC

    def __init__(self, client: TelegramClient, limiter: RateLimiter | None = None) -> None:
        self._client = client
        self._limiter = limiter or RateLimiter()
        self._said: LRUCache[int, list[int]] = LRUCache(_REMEMBERED)
        self._behind: set[asyncio.Task[None]] = set()
        self._leaving: set[int] = set()

    async def send(self, address: bytes, outgoing: Outgoing) -> int:
        """Send one message; returns Telegram's number of it.

        Raises `DeliveryFailed`, also when this chat had a few just now: the others do not wait.
        """
        chat_id = int(address)
        if (seconds := self._limiter.wait(chat_id)) > 0:
            raise DeliveryFailed("telegram: too fast for one chat", permanent=False, retry_after=seconds)
        titles = [*(button.title for button in outgoing.buttons), *outgoing.choices]
        keyboard = [titles[i : i + _ROW] for i in range(0, len(titles), _ROW)]
        shown = keyboard if keyboard or outgoing.from_human or outgoing.last else None
        await self._limiter.take(chat_id)
        return await self._client.send(chat_id, outgoing.text, shown)

    async def say(self, chat_id: int, text: str) -> None:
        """Send words that belong to no stored chat. Their numbers are kept in memory alone, for `said_to`.

        Raises `DeliveryFailed`, also when the chat had so much just now that others would have to wait for it.
        """
        if self._limiter.wait(chat_id) > _SOON_S:
            raise DeliveryFailed("telegram: too fast for one chat", permanent=False)
        await self._limiter.take(chat_id)
        self._said.setdefault(chat_id, []).append(await self._client.send(chat_id, text, []))

    def said_to(self, chat_id: int) -> list[int]:
        """The numbers of what this process said outside any stored chat."""
        return list(self._said.get(chat_id, ()))

    def forget(self, chat_id: int) -> None:
        """They are stored to be deleted now."""
        self._said.pop(chat_id, None)

    async def delete(self, address: bytes, numbers: Sequence[int]) -> None:
        """Delete at most 100 messages; when Telegram refuses one of them, none is deleted. Raises `DeliveryFailed`."""
        await self._client.delete(int(address), list(numbers))

    async def leave(self, chat_id: int, farewell: str, left: Callable[[], None]) -> None:
        """Say why, and leave a group or channel, behind the back of the caller: no child's update waits for it.

        `left` is called when that was done, or when it is not for us to do; else it is to be tried again another time.
        """
        if chat_id in self._leaving:
            return
        self._leaving.add(chat_id)
        task = asyncio.create_task(self._leave_at_last(chat_id, farewell, left))
        self._behind.add(task)
        task.add_done_callback(self._behind.discard)

    async def settled(self) -> None:
        """What was begun behind the caller's back is done."""
        while self._behind:
            await asyncio.wait(self._behind)

    async def _leave_at_last(self, chat_id: int, farewell: str, left: Callable[[], None]) -> None:
        try:
            if await self._leave(chat_id, farewell):
                left()
        finally:
            self._leaving.discard(chat_id)

    async def _leave(self, chat_id: int, farewell: str) -> bool:
        steps: list[Callable[[], Awaitable[object]]] = [
            lambda: self._client.send(chat_id, farewell, None),
            lambda: self._client.leave(chat_id),
        ]
        waits = list(_LEAVING_S)
        while steps:
            try:
                await steps[0]()
            except DeliveryFailed as fault:
                if not fault.permanent:  # not being allowed to speak there changes nothing
                    log.warning("telegram_not_left", error=str(fault))
                    if not waits:
                        return False
                    await self._limiter.sleep(fault.retry_after or waits.pop(0))
                    continue
            steps.pop(0)
        return True

    async def answer(self, query_id: str) -> None:
        """End the waiting sign of a button; when that fails it ends by itself."""
        try:
            await self._client.answer(query_id)
        except DeliveryFailed as fault:
            log.warning("telegram_not_answered", error=str(fault))
