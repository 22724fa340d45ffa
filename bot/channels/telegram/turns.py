"""In whose turn updates are taken: one at a time, and one chat after the other, so that nobody stands behind a loud chat."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Hashable, Sequence
from contextlib import asynccontextmanager

from bot.channels.telegram.parse import number_of, parse_update


def chat_of(update: object) -> Hashable:
    """The chat that this update is of; an update that is of none stands alone."""
    chat_id = getattr(parse_update(update), "chat_id", None)
    return ("alone", number_of(update)) if chat_id is None else chat_id


def in_turn(updates: Sequence[object]) -> list[object]:
    """The first of each chat, then the second of each, and so on; those of one chat in their order."""
    lines: OrderedDict[Hashable, deque[object]] = OrderedDict()
    for update in updates:
        lines.setdefault(chat_of(update), deque()).append(update)
    order: list[object] = []
    while lines:
        order += [line.popleft() for line in lines.values()]
        lines = OrderedDict((chat, line) for chat, line in lines.items() if line)
    return order


class Turns:
    """A lock: those that wait are let in by chat in turn, and within a chat in their order. For one event loop."""

    def __init__(self) -> None:
        self._taken = False
        self._lines: OrderedDict[Hashable, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def of(self, chat: Hashable) -> AsyncIterator[None]:
        """Hold the lock, in this chat's turn."""
        if self._taken:
            await self._wait(chat)
        self._taken = True
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, chat: Hashable) -> None:
        ours: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lines.setdefault(chat, deque()).append(ours)
        try:
            await ours
        except BaseException:
            if ours.done() and not ours.cancelled():
                self._pass_on()  # the turn came in the same moment: it is somebody else's now
            raise

    def _pass_on(self) -> None:
        """Let in the next chat's first; those who went away meanwhile are passed over."""
        while self._lines:
            chat, line = self._lines.popitem(last=False)
            while line and line[0].done():
                line.popleft()
            if line:
                line.popleft().set_result(None)
                if line:
                    self._lines[chat] = line
                return
        self._taken = False
