"""What can be said is chosen once a second for all: also while turns on several threads ask at once."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from bot.channels.web.spec import CAPABILITIES
from handoff.wording import Moment, wording_at
from tests.make import CITY, NOON, House


@pytest.fixture
def hasty() -> Iterator[None]:
    """Threads change places as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hasty")
def test_threads_that_ask_at_once_across_a_second_all_get_the_words_of_their_own_moment(sqlite_house: House) -> None:
    faults: list[str] = []

    def ask(start: int) -> None:
        for turn in range(1500):
            moment = Moment(NOON + timedelta(seconds=(turn * 7 + start) % 3), CAPABILITIES, CITY, on_duty=turn % 2 == 0)
            try:
                if wording_at(sqlite_house.runtime, moment).moment != moment:
                    faults.append("another moment")
            except Exception as error:  # noqa: BLE001 - a thread's own would be lost
                faults.append(type(error).__name__)

    threads = [threading.Thread(target=ask, args=(start,)) for start in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
