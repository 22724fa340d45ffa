"""A chat whose time is over is gone, and whoever still looks for it is told so truly: how old it was. Both databases."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.upkeep import STEADY, Upkeep
from handoff.chats import retention
from handoff.chats.retention import ENDING_KEPT, GRACE, LEAP, WARNED
from handoff.models import conversation, ended, handoff
from tests.bot.test_erased import _notice
from tests.bot.test_webchat_stream import listen
from tests.bot.web import Site, Stream, new_token
from tests.handoff.desk import desk
from tests.make import CITY, House, rows, team_id_of

LAST = 30 + 1
"""Days after which a closed chat of this gemeente is gone."""


class Loops:
    """The loops of a house, on days that pass."""

    def __init__(self, house: House) -> None:
        self.house, self.ran = house, 0.0
        self.upkeep = Upkeep(house.runtime, lambda: self.ran)

    def pass_days(self, days: float) -> None:
        """Let days pass, with a round of retention on each."""
        left = timedelta(days=days) + STEADY
        while left > timedelta(0):
            step = min(LEAP / 2, left)
            self.house.clock.now += step
            self.ran += step.total_seconds()
            left -= step
            asyncio.run(self.upkeep.retain())


@pytest.fixture
def site(house: House) -> Site:
    """The child's server."""
    return Site(house)


def _says(text: str, days: int) -> bool:
    return f"Dit gesprek was {days} dagen oud" in text and "112" in text and "Alles is hier nu weg" in text


def test_a_child_that_waited_is_told_how_old_its_chat_became_and_may_begin_anew(site: Site) -> None:
    token, loops = new_token(), Loops(site.house)
    site.send(token, "hoi")
    loops.pass_days(LAST - 2)
    assert site.send(token, "ben je er al", message_id="m2").status_code == 200
    loops.pass_days(GRACE.days - 1)
    assert site.look(token).json()["state"] == "waiting"
    loops.pass_days(2)
    assert rows(site.house, conversation) == []
    (mark,) = rows(site.house, ended)
    days = mark._mapping["days"]
    assert LAST - 2 + GRACE.days <= days <= LAST + GRACE.days
    answer = site.look(token)
    assert (answer.status_code, answer.json()["ended"]) == (404, True)
    assert _says(answer.json()["text"], days)
    assert _says(_notice(site.form(token=token, id="m3", text="", action="refresh")), days)
    assert "dagen oud" not in site.ask("GET", "/api/elders/messages?after=0", token).text, "another gemeente knows nothing of it"
    assert "dagen oud" not in site.look(new_token()).text
    assert site.send(token, "hallo?", message_id="m4", after=5).status_code == 404, "a page with the old chat would show no answer"
    assert rows(site.house, conversation) == []
    assert site.send(token, "hallo?", message_id="m4").status_code == 200
    assert site.look(token, after=99).status_code == 404
    assert site.look(token).json()["state"] == "waiting"


def test_a_page_that_is_open_at_that_moment_hears_it(site: Site) -> None:
    token, loops = new_token(), Loops(site.house)
    site.send(token, "hoi")
    loops.pass_days(LAST - 2)

    async def play(heard: Stream) -> None:
        await heard.next("state")
        await asyncio.to_thread(loops.pass_days, GRACE.days + 1)
        assert "dagen oud" in (await heard.next("gone"))["text"]
        assert await heard.ended()

    listen(site, token, play)


def test_who_talked_with_the_child_is_told_too_and_nobody_else(site: Site) -> None:
    house, loops = site.house, Loops(site.house)
    house.confidant("els", "elders")
    site.send(new_token(), "hoi")
    handoff_id = site.claim()
    loops.pass_days(LAST)
    assert rows(house, conversation) == []
    with desk(house, "sanne") as sanne, desk(house, "els") as els:
        told = sanne.get(f"/gesprek/{handoff_id}")
        assert told.status_code == 404
        assert "De bewaartermijn was voorbij" in told.text
        assert "bewaartermijn" not in els.get(f"/gesprek/{handoff_id}").text


def test_after_a_month_nobody_knows_that_there_was_a_chat(site: Site) -> None:
    token, loops = new_token(), Loops(site.house)
    site.send(token, "hoi")
    loops.pass_days(LAST + 1)
    assert rows(site.house, ended)
    loops.pass_days(ENDING_KEPT.days + 1)
    assert rows(site.house, ended) == []
    assert "dagen oud" not in site.look(token).text


def test_the_team_sees_which_chats_go_and_when_in_the_queue_and_in_the_chat(site: Site) -> None:
    token, loops = new_token(), Loops(site.house)
    site.send(token, "hoi")
    loops.pass_days(1)
    warned = "als niemand schrijft"
    with desk(site.house, "sanne") as sanne:
        assert warned not in sanne.get("/").text
    loops.pass_days(LAST - WARNED.days)
    site.send(new_token(), "ik kom net")
    with desk(site.house, "sanne") as sanne:
        assert sanne.get("/").text.count(warned) == 1
        (item,) = [
            row._mapping["id"] for row in rows(site.house, handoff) if row._mapping["opened_at"] < site.house.clock() - WARNED
        ]
        sanne.post(f"/wachtrij/{item}/overnemen")
        assert sanne.get("/").text.count(warned) == 1
        assert "Wordt gewist op 26 dec 01:00" in sanne.get(f"/gesprek/{item}").text
    site.send(token, "ben je er", message_id="m2")
    ends = site.house.runtime.store.read(lambda tx: retention.endings(tx, team_id_of(CITY), site.house.clock())).result()
    assert ends == {item: site.house.clock() + GRACE}, "a word gives it a week more"
