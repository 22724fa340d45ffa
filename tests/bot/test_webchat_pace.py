"""A flood from one page is slowed down and never refused; another page does not notice."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from bot.channels.web.lanes import Crowded
from bot.channels.web.pace import BURST, LONGEST_S, Pace


class Time:
    """A clock that moves only when somebody sleeps or the test says so."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        """Note it."""
        self.slept.append(seconds)


def test_ten_at_once_then_one_a_second_each_in_its_turn() -> None:
    time = Time()
    pace = Pace(lambda: time.now, time.sleep)

    async def flood() -> None:
        for _ in range(BURST):
            await pace.keep(b"a")
        assert time.slept == []
        await pace.keep(b"a")
        await pace.keep(b"a")
        assert time.slept == [1.0, 2.0]
        await pace.keep(b"b")
        assert len(time.slept) == 2, "another child had to wait"
        time.now += BURST + LONGEST_S
        before = len(time.slept)
        await pace.keep(b"a")
        assert len(time.slept) == before, "a quiet page is still slowed down"

    asyncio.run(flood())


def test_a_thousand_at_the_same_time_are_no_more_than_one_a_second() -> None:
    """Each of them once waited for the longest pause, and then all came through together."""
    time = Time()
    pace = Pace(lambda: time.now, time.sleep)
    passed = 0

    async def one() -> None:
        nonlocal passed
        with suppress(Crowded):
            await pace.keep(b"a")
            passed += 1

    async def flood() -> None:
        for _ in range(1000):
            await one()
        assert passed == BURST + LONGEST_S
        assert len(set(time.slept)) == len(time.slept), "two came through at the same moment"
        for seconds in range(60):
            time.now += 1
            for _ in range(100):
                await one()
            assert passed <= BURST + LONGEST_S + seconds + 1

    asyncio.run(flood())


def test_a_flood_of_tokens_does_not_fill_the_memory() -> None:
    time = Time()
    pace = Pace(lambda: time.now, time.sleep)

    async def flood() -> None:
        for number in range(25_000):
            await pace.keep(number.to_bytes(4, "big"))

    asyncio.run(flood())
    assert len(pace._free_at) <= 10_000
