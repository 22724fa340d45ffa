"""Telegram as a channel: sends what waits in the outbox, and does what else has to happen at Telegram itself.

Why it works as it does: docs/decisions/0020-telegram.md.
"""

from __future__ import annotations

import structlog

from bot.channels.channel import DeliveryFailed
from bot.channels.telegram_client import TelegramClient
from bot.channels.telegram_pace import Pace
from bot.channels.telegram_turn import NAME
from bot.message import Outgoing

log = structlog.get_logger()

LONGEST = 4096
"""UTF-16 units in one message of Telegram."""

DELETE_AT_ONCE = 100
_ROW = 2
"""Buttons beside each other on the keyboard."""


class TelegramChannel:
    """A `Channel`. The address is the chat's id, in digits."""

    name = NAME

    def __init__(self, client: TelegramClient, pace: Pace | None = None) -> None:
        self._client = client
        self._pace = pace or Pace()

    async def send(self, address: bytes, outgoing: Outgoing) -> int:
        """Send one message, in pieces when a human wrote more than Telegram takes; returns the number of the last.

        Raises `DeliveryFailed`, also when this chat had a few just now: the others do not wait for it.
        """
        chat_id = int(address)
        if (seconds := self._pace.wait(chat_id)) > 0:
            raise DeliveryFailed("telegram: too fast for one chat", permanent=False, retry_after=seconds)
        titles = [*(button.title for button in outgoing.buttons), *outgoing.choices]
        keyboard = [titles[i : i + _ROW] for i in range(0, len(titles), _ROW)]
        sent = 0
        for piece in pieces(outgoing.text):
            await self._pace.take(chat_id)
            sent = await self._client.send(chat_id, piece, keyboard if keyboard or outgoing.from_human else None)
        return sent

    async def say(self, chat_id: int, text: str) -> None:
        """Send words that belong to no stored chat. Raises `DeliveryFailed`."""
        await self._pace.take(chat_id)
        await self._client.send(chat_id, text, [])

    async def delete(self, address: bytes, message_ids: list[int]) -> None:
        """Delete what can be deleted at Telegram; a fault is noted and changes nothing here."""
        for start in range(0, len(message_ids), DELETE_AT_ONCE):
            try:
                await self._client.delete(int(address), message_ids[start : start + DELETE_AT_ONCE])
            except DeliveryFailed as fault:
                log.warning("telegram_not_deleted", error=str(fault))

    async def leave(self, chat_id: int, farewell: str) -> bool:
        """Say why, and leave a group or channel. Not being allowed to speak there changes nothing. False: try again later."""
        left = True
        for step in (lambda: self._client.send(chat_id, farewell, None), lambda: self._client.leave(chat_id)):
            try:
                await step()
            except DeliveryFailed as fault:
                if not fault.permanent:
                    log.warning("telegram_not_left", error=str(fault))
                left = fault.permanent
            else:
                left = True
        return left

    async def answer(self, query_id: str) -> None:
        """End the waiting sign of a button; when that fails it ends by itself."""
        try:
            await self._client.answer(query_id)
        except DeliveryFailed as fault:
            log.warning("telegram_not_answered", error=str(fault))


def pieces(text: str) -> list[str]:
    """The text in pieces that Telegram takes, cut between words where that is possible. A half of a surrogate pair is shown as
    a replacement mark: it cannot be sent."""
    rest = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    found = []
    while _units(rest) > LONGEST:
        end = _fitting(rest)
        cut = max(rest.rfind("\n", 0, end), rest.rfind(" ", 0, end))
        end = cut if cut > end // 2 else end
        found.append(rest[:end])
        rest = rest[end:].lstrip()
    return [*found, rest]


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _fitting(text: str) -> int:
    end = min(len(text), LONGEST)
    while _units(text[:end]) > LONGEST:
        end -= 1
    return end
