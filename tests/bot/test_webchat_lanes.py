"""In a crowd a chat that exists comes before a new one, both lines are bounded, and nobody is shut out by the other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bot.channels.web.lanes import LONGEST, LOOKS, Crowded, Lanes


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


class Turns:
    """Turns that last until `finish`."""

    def __init__(self, at_once: int = 1) -> None:
        self.lanes = Lanes({True: at_once, False: at_once}, calm_s=0)
        self.began: list[str] = []
        self.crowded: list[str] = []
        self._under_way: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def come(self, name: str, exists: Callable[[], Awaitable[bool]] | None = None) -> None:
        """One more asks for a turn."""
        self._tasks[name] = asyncio.create_task(self._turn(name, exists))
        await settle()

    async def _turn(self, name: str, exists: Callable[[], Awaitable[bool]] | None) -> None:
        try:
            async with self.lanes.place(name.encode(), exists):
                self.began.append(name)
                self._under_way[name] = asyncio.Event()
                await self._under_way[name].wait()
        except Crowded:
            self.crowded.append(name)

    async def finish(self, name: str) -> None:
        """This turn ends."""
        self._under_way.pop(name).set()
        await settle()

    async def leave(self, name: str) -> None:
        """Whoever waits goes away."""
        self._tasks[name].cancel()
        await settle()

    async def finish_all(self) -> None:
        """Until nobody has or waits for a turn."""
        while self._under_way:
            await self.finish(next(iter(self._under_way)))


async def yes() -> bool:
    return True


async def no() -> bool:
    return False


def test_a_chat_that_exists_comes_before_those_that_are_new() -> None:
    async def play() -> None:
        turns = Turns()
        await turns.come("a child")
        await turns.finish("a child")
        for name in ("new 1", "new 2", "new 3", "a child"):
            await turns.come(name)
        assert turns.began == ["a child", "new 1", "a child"]
        await turns.finish_all()
        assert turns.began[-2:] == ["new 2", "new 3"]

    asyncio.run(play())


def test_one_that_began_in_another_process_is_looked_for() -> None:
    async def play() -> None:
        turns = Turns()
        for name, exists in (("new 1", None), ("new 2", None), ("unknown", no), ("from elsewhere", yes)):
            await turns.come(name, exists)
        assert turns.began == ["new 1", "from elsewhere"]
        await turns.finish_all()
        assert turns.began[-2:] == ["new 2", "unknown"]

    asyncio.run(play())


def test_looks_are_bounded_too() -> None:
    async def play() -> None:
        turns, held, asked = Turns(), asyncio.Event(), 0

        async def slow() -> bool:
            nonlocal asked
            asked += 1
            await held.wait()
            return True

        await turns.come("busy")
        for number in range(3 * LOOKS):
            await turns.come(f"claims {number}", slow)
        assert asked == LOOKS
        held.set()
        await settle()
        await turns.finish_all()
        assert len(turns.began) == 1 + 3 * LOOKS

    asyncio.run(play())


def test_chats_that_exist_do_not_shut_new_ones_out() -> None:
    async def play() -> None:
        turns = Turns()
        await turns.come("child")
        await turns.finish("child")
        await turns.come("child")
        await turns.come("new")
        assert turns.began[-1] == "new"

    asyncio.run(play())


@pytest.mark.parametrize("existing", [True, False])
def test_each_line_is_bounded_and_leaves_the_other_alone(*, existing: bool) -> None:
    async def play() -> None:
        turns, most = Turns(), LONGEST[existing]
        await turns.come("first")
        for number in range(most + 3):
            await turns.come(f"{number}", yes if existing else None)
        crowded = most + 2 if existing else most + 3
        assert len(turns.crowded) == crowded - most
        await turns.come("another", None if existing else yes)
        await turns.finish_all()
        assert "another" in turns.began

    asyncio.run(play())


def test_who_went_away_holds_no_place() -> None:
    async def play() -> None:
        turns = Turns()
        for name in ("first", "second", "third"):
            await turns.come(name)
        await turns.leave("second")
        await turns.leave("first")
        assert turns.began == ["first", "third"]
        await turns.finish("third")
        await turns.come("fourth")
        assert turns.began[-1] == "fourth"

    asyncio.run(play())


def test_a_turn_that_fails_gives_its_place_back() -> None:
    async def play() -> None:
        lanes = Lanes({True: 1, False: 1})
        for _ in range(3):
            with pytest.raises(ValueError, match="x"):
                async with lanes.place(b"a", None):
                    raise ValueError("x")

    asyncio.run(asyncio.wait_for(play(), 5))
