"""Where every update of Telegram comes in, polled or brought: exactly one answer for each, and nothing that can stop the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from bot.channels.channel import DeliveryFailed
from bot.channels.telegram.channel import TelegramChannel
from bot.channels.telegram.erase import erase
from bot.channels.telegram.parse import ButtonPress, Group, Post, number_of, parse_update
from bot.channels.telegram.recent import RecentMessages
from bot.channels.telegram.routing import own_words
from bot.channels.telegram.spec import CAPABILITIES, GROUP, NAME
from bot.channels.telegram.turn import take
from bot.channels.telegram.turns import Turns, chat_of
from bot.turn import pressed
from config.intents import FALLBACK, URGENCY_OF
from handoff.database import awaited
from handoff.errors import HandoffError, StoreUnavailable
from handoff.queue.rerouting import OPENING_INTENT
from handoff.runtime import Runtime
from handoff.wording import Moment, Wording
from nlu.understanding import Understanding

log = structlog.get_logger()

UNDERSTANDING_SECONDS = 1.0
"""The reader has a deadline of its own (200 ms); this one is for when even that fails."""

TRIES = 3
"""After so many failures of our own an update is passed over, so that the children behind it are heard."""

_STOP = frozenset({"/stop", "stop", "stoppen"})
_REMEMBERED = 1000


_LOOK_S = 0.1
"""Seconds between two looks whether the start is over."""


class NotTaken(Exception):
    """An update could not be stored now: do not confirm it, so that Telegram brings it again."""


class StoreAway(NotTaken):
    """Nothing can be stored now, whoever writes: every child that waits is told the numbers."""


class Updates:
    """Takes updates. `fallback` is the gemeente whose team gets the children that named none; `bot` is the bot's id.

    `ready` says whether the database was ever prepared. A start is given `patience_s` for that, once; after it a child is told the
    numbers until the database is there, and Telegram keeps its words.
    """

    def __init__(
        self,
        runtime: Runtime,
        understand: Callable[[str], Understanding],
        channel: TelegramChannel,
        fallback: str,
        *,
        bot: str,
        ready: Callable[[], bool] = lambda: True,
        patience_s: float = 0.0,
    ) -> None:
        self._runtime, self._understand, self._channel, self._fallback = runtime, understand, channel, fallback
        self._ready, self._bot, self._recent = ready, bot, RecentMessages()
        self._patience_s = patience_s
        self._failures: dict[int, int] = {}
        self._warned: dict[int, None] = {}
        self._left: dict[int, None] = {}
        self._turns = Turns()

    async def take(self, update: object) -> None:
        """Do what this update asks; returns after the commit. Raises `NotTaken` (`StoreAway`), and nothing else."""
        async with self._turns.of(chat_of(update)):  # a child's messages are turns in the order in which they come
            meaning = self._meant(update)
            try:
                await self._do(meaning)
            except StoreUnavailable as error:
                await self._numbers(meaning)
                raise StoreAway("the store is unavailable") from error
            except Exception as error:  # noqa: BLE001 - one update that breaks us must not silence every child behind it
                await self._failed(number_of(update), meaning, error)
            else:
                self._failures.pop(number_of(update) or 0, None)

    def _meant(self, update: object) -> Post | ButtonPress | Group | None:
        meaning = parse_update(update)
        return own_words(self._runtime.configuration, meaning) if isinstance(meaning, Post) else meaning

    async def warn(self, update: object) -> None:
        """Tell the child whose update cannot be taken yet who can be called. Raises nothing; the update stays at Telegram."""
        async with self._turns.of(chat_of(update)):
            await self._numbers(parse_update(update))

    async def _do(self, meaning: Post | ButtonPress | Group | None) -> None:
        if isinstance(meaning, Post):
            await self._started()
            await (self._erase(meaning) if meaning.kind == "erase" else self._turn(meaning))
            self._recent.note(meaning)
            self._warned.pop(meaning.chat_id, None)
        elif isinstance(meaning, ButtonPress):
            await self._channel.answer(meaning.query_id)
        elif isinstance(meaning, Group):
            await self._leave(meaning)

    async def _started(self) -> None:
        """Wait out an ordinary start, in which nothing is broken. Raises `StoreUnavailable` when it takes longer than that."""
        while not self._ready():
            if self._patience_s <= 0:
                raise StoreUnavailable("the database is not prepared yet")
            self._patience_s -= _LOOK_S
            await asyncio.sleep(_LOOK_S)

    async def _turn(self, post: Post) -> None:
        if self._recent.unchanged(post):
            return
        runtime, understanding = self._runtime, await self._read(post)
        given = {"bot": self._bot, "fallback": self._fallback}
        await awaited(
            runtime.store.write(lambda tx: take(tx, runtime, post, understanding, runtime.clock(), recent=self._recent, **given))
        )

    async def _erase(self, post: Post) -> None:
        if self._recent.unchanged(post):
            return
        runtime, told = self._runtime, self._channel.said_to(post.chat_id)
        self._recent.forget(post.chat_id)
        await awaited(runtime.store.write(lambda tx: erase(tx, runtime, post, told, runtime.clock(), self._bot)))
        self._channel.forget(post.chat_id)  # the loops do the rest: nobody waits here for Telegram (`bot.erasing`)

    async def _leave(self, group: Group) -> None:
        if group.added or group.chat_id not in self._left:
            self._left.pop(group.chat_id, None)
            farewell = self._words(GROUP)
            await self._channel.leave(group.chat_id, farewell, lambda: _remember(self._left, group.chat_id))

    async def _read(self, post: Post) -> Understanding:
        """The reading of what a child wrote; a failure to understand stops nothing (promise 2)."""
        if post.kind == "start":
            return Understanding(OPENING_INTENT, 1.0, URGENCY_OF[OPENING_INTENT], "nl")
        try:
            async with asyncio.timeout(UNDERSTANDING_SECONDS):
                found = await asyncio.to_thread(self._understand, post.text)
        except Exception as error:  # noqa: BLE001 - whatever a model does wrong, the child is handed off
            log.error("not_understood", channel=NAME, error=type(error).__name__)
            found = Understanding(FALLBACK, 0.0, URGENCY_OF[FALLBACK], "nl")
        if post.text.strip().casefold() in _STOP:
            return Understanding("stop_or_delete", 1.0, max(found.urgency, URGENCY_OF["stop_or_delete"]), "nl")
        return pressed(found, self._runtime.script_for(self._fallback), post.text)

    async def _failed(self, number: int | None, meaning: object, error: Exception) -> None:
        """Numbers at once: the tries that follow may take half a minute. What can never succeed holds nobody up."""
        fault, tries = type(error).__name__, self._failures.get(number or 0, 0) + 1
        told = await self._numbers(meaning, again=tries == 1)
        hopeless = isinstance(error, HandoffError) and error.permanent and told
        if number is not None and tries < TRIES and not hopeless:
            self._failures[number] = tries
            raise NotTaken(fault)
        self._failures.pop(number or 0, None)
        log.error("update_passed_over", channel=NAME, error=fault, tries=tries)

    async def _numbers(self, meaning: object, *, again: bool = False) -> bool:
        """Nothing can be kept now: say so, and who can be called (promise 1). Once until it works again, unless `again`.

        False when the child does not know it yet.
        """
        if not isinstance(meaning, Post) or (meaning.chat_id in self._warned and not again):
            return True
        told = await self._say(meaning.chat_id, "utter_trouble")
        if told:
            _remember(self._warned, meaning.chat_id)
        return told

    async def _say(self, chat_id: int, utterance: str) -> bool:
        """Say something that belongs to no stored chat: there is nowhere to keep it. False when it may arrive another time."""
        try:
            await self._channel.say(chat_id, self._words(utterance))
        except DeliveryFailed as fault:
            log.warning("telegram_not_said", utterance=utterance, error=str(fault))
            return fault.permanent
        return True

    def _words(self, utterance: str) -> str:
        return Wording(self._runtime, Moment(self._runtime.clock(), CAPABILITIES, None, None)).say(utterance)


def _remember(ids: dict[int, None], number: int) -> None:
    ids[number] = None
    if len(ids) > _REMEMBERED:
        ids.pop(next(iter(ids)))
