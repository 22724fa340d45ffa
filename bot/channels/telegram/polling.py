"""Long polling: fetch what waits at Telegram, take it, and only then tell Telegram that it may forget it."""

from __future__ import annotations

import asyncio
import contextlib

import structlog

from bot.channels.channel import DeliveryFailed
from bot.channels.telegram.client import POLL_SECONDS, TelegramClient
from bot.channels.telegram.parse import number_of
from bot.channels.telegram.turns import in_turn
from bot.channels.telegram.updates import NotTaken, StoreAway, Updates

log = structlog.get_logger()

PAUSES_S = (1.0, 2.0, 5.0, 15.0, 30.0)
"""Seconds to wait after the first, second, ... failure in a row; the last one repeats."""


class Polling:
    """The number after the last update that was taken; Telegram itself remembers it over a restart."""

    def __init__(self, client: TelegramClient, updates: Updates, *, seconds: int = POLL_SECONDS) -> None:
        self._client, self._updates, self._seconds = client, updates, seconds
        self._offset: int | None = None
        self._taken: set[int] = set()
        self._ready = False

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. A fault is noted once by its kind, and tried again, ever slower: Telegram keeps updates for a day."""
        failures = 0
        while not stop.is_set():
            try:
                await _unless(stop, self.once())
            except Exception as fault:  # noqa: BLE001 - a loop that ends is a child that waits unheard
                failures += 1
                if failures == 1:
                    ours = isinstance(fault, DeliveryFailed | NotTaken)
                    log.error("telegram_polling_failing", error=str(fault) if ours else type(fault).__name__)
                asked = getattr(fault, "retry_after", None) or 0.0
                await _unless(stop, asyncio.sleep(max(asked, PAUSES_S[min(failures, len(PAUSES_S)) - 1])))
            else:
                if failures:
                    log.info("telegram_polling_recovered")
                failures = 0

    async def once(self) -> int:
        """Fetch and take once. Returns how many were taken. Raises `DeliveryFailed`, or `NotTaken` with the rest left waiting."""
        if not self._ready:
            await self._client.delete_webhook()  # with one, Telegram refuses to be asked
            self._ready = True
        found = await self._client.updates(self._offset, seconds=self._seconds)
        waiting = in_turn([update for update in found if number_of(update) not in self._taken])
        try:
            while waiting:
                await self._updates.take(waiting[0])
                self._taken.update(number for number in (number_of(waiting.pop(0)),) if number is not None)
        except StoreAway:
            for later in waiting[1:]:  # its child waits for the same store, and must not wait for the numbers
                await self._updates.warn(later)
            raise
        finally:
            self._confirm(found)
        return len(found)

    def _confirm(self, found: list[object]) -> None:
        """Telegram may forget what stands before the first that is not taken; what was taken behind it is remembered here."""
        for update in found:
            number = number_of(update)
            if number is None:
                continue
            if number not in self._taken:
                return
            self._taken.discard(number)
            self._offset = number + 1  # also when it is lower: after a quiet week Telegram counts from a number at random


async def _unless(stop: asyncio.Event, work: object) -> None:
    """Do this, or stop: a request that is held open for half a minute must not hold up the end."""
    doing, ending = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())  # type: ignore[call-overload]
    try:
        await asyncio.wait({doing, ending}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ending.cancel()
        if not doing.done():
            doing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await doing
    if doing.done() and not doing.cancelled():
        doing.result()
