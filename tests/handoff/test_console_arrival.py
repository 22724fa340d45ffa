"""What a confidant sees of messages to Telegram that never arrived, on the page itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from handoff.queue import handoffs
from tests.handoff.desk import desk, read
from tests.make import CITY, House
from tests.telegram.rig import Rig, rig, settled

KID = 4_512_345_678
NOBODY = "Het kind heeft de bot geblokkeerd of de chat is weg. Wat u schrijft, komt niet aan."


@pytest.fixture(name="bot")
def _bot(sqlite_house: House) -> Iterator[Rig]:
    with rig(sqlite_house) as made:
        made.house.confidant("sanne")
        yield made


def _waiting(bot: Rig) -> str:
    (item,) = read(bot.house, handoffs.all_waiting)
    return item.id


def _states(page: str) -> list[tuple[str, str]]:
    """(role, state) of every line that shows one."""
    found = []
    for line in re.split(r'(?=<li class="pe-line )', page)[1:]:
        role, state = re.search(r'data-role="(\w+)"', line), re.search(r'data-state="(\w+)"', line)
        assert role
        if state:
            found.append((role[1], state[1]))
    return found


def test_a_child_that_blocked_the_bot_is_seen_at_the_top_and_at_each_line(bot: Rig) -> None:
    bot.api.writes(KID, f"/start {CITY}")
    bot.poll()
    bot.deliver()
    bot.api.blocked.add(KID)
    bot.api.writes(KID, "hallo")
    bot.poll()
    settled(bot)
    handoff_id = _waiting(bot)
    with desk(bot.house, "sanne") as sanne:
        sanne.post(f"/wachtrij/{handoff_id}/overnemen")
        settled(bot, 2)
        page = sanne.get(f"/gesprek/{handoff_id}").text
        assert page.count(NOBODY) == 1
        assert page.index(NOBODY) < page.index('id="regels"'), "at the top"
        shown = _states(page)
        assert ("bot", "delivered") in shown
        assert shown[-1] == ("bot", "failed")
        assert "niet aangekomen" in page
        part = sanne.get(f"/gesprek/{handoff_id}/deel?na=1").text
        assert part.count(NOBODY) == 1, "also on a page that was open already"
        bot.api.blocked.clear()
        bot.api.writes(KID, "ik ben er weer")
        bot.poll()
        assert NOBODY not in sanne.get(f"/gesprek/{handoff_id}").text, "who writes is there"


def test_the_line_goes_when_something_arrives_again(bot: Rig) -> None:
    bot.api.writes(KID, f"/start {CITY}")
    bot.poll()
    bot.api.blocked.add(KID)
    settled(bot, 2)
    handoff_id = _waiting(bot)
    with desk(bot.house, "sanne") as sanne:
        sanne.post(f"/wachtrij/{handoff_id}/overnemen")
        assert NOBODY in sanne.get(f"/gesprek/{handoff_id}").text
        bot.api.blocked.clear()
        settled(bot, 2)
        assert NOBODY not in sanne.get(f"/gesprek/{handoff_id}").text


def test_what_stayed_unsaid_or_was_refused_by_itself_does_not_say_that_the_child_is_gone(bot: Rig) -> None:
    bot.api.writes(KID, f"/start {CITY}")
    bot.poll()
    handoff_id = _waiting(bot)
    with desk(bot.house, "sanne") as sanne:
        sanne.post(f"/wachtrij/{handoff_id}/overnemen")
        sanne.send(handoff_id, "\u200b \u2060")
        settled(bot, 3)
        page = sanne.get(f"/gesprek/{handoff_id}").text
        assert NOBODY not in page
        assert "niet gezegd: het klopte niet meer" in page
        assert ("bot", "unsaid") in _states(page)
        assert ("bot", "failed") not in _states(page)
        assert ("confidant", "failed") in _states(page), "Telegram takes no message without a sign that can be seen"
