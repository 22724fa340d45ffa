"""A queue of two thousand: the page shows the first fifty by rank, and an update carries what changed and nothing else."""

from __future__ import annotations

import re

import pytest

from handoff import confidant
from handoff.console.pages.queue import PART
from handoff.queue import handoffs
from tests.handoff.desk import Desk, desk, new_child, read, write
from tests.handoff.long_queue import MANY, many_wait
from tests.make import CITY, House, team_id_of

TEAM = team_id_of(CITY)


def _tags(page: str) -> list[str]:
    return re.findall(r'data-tag="([\w-]{8})"', page)


def _update(browser: Desk, tags: list[str], path: str = "/wachtrij-deel") -> str:
    answer = browser.get(path, **{"X-Console": "1", "X-Shown": ",".join(tags)})
    assert answer.status_code == 200
    return answer.text


def _fact(page: str, name: str) -> str:
    found = re.search(rf'data-{name}="([^"]*)"', page)
    assert found, name
    return found[1]


@pytest.fixture
def long_queue(sqlite_house: House) -> House:
    """Two thousand children wait."""
    sqlite_house.confidant("sanne")
    many_wait(sqlite_house)
    return sqlite_house


def test_the_page_shows_the_first_fifty_and_how_many_there_are(long_queue: House) -> None:
    first = read(long_queue, lambda tx: handoffs.waiting(tx, TEAM, first=PART))
    with desk(long_queue, "sanne") as sanne:
        page = sanne.get("/").text
        assert re.findall(r'data-waiting="([\w-]+)"', page) == [item.id for item in first]
        assert f"Wie wacht ({MANY})" in page
        assert f"U ziet plaats 1 tot en met {PART} van {MANY}." in page
        assert len(page) < 80_000


def test_an_update_carries_only_what_changed(house: House) -> None:
    house.confidant("sanne")
    many_wait(house)
    with desk(house, "sanne") as sanne:
        tags = _tags(sanne.get("/").text)
        still = _update(sanne, tags)
        assert len(still) < 5_000, "nothing changed, and nearly nothing is sent"
        assert _tags(still) == []
        assert re.findall(r'data-same="([\w-]{8})"', still) == tags
        acute = new_child(house, "hoi", "acute_danger").handoff_id
        update = _update(sanne, tags)
        assert re.findall(r'data-waiting="([\w-]+)"', update) == [acute]
        assert len(update) < 6_000
        fresh = re.findall(r'data-(?:same|tag)="([\w-]{8})"', update)
        assert fresh[1:] == tags[: PART - 1], "the others keep their order; the last one fell off"
        assert _fact(update, "total") == str(MANY + 1)
        assert (_fact(update, "acute"), _fact(still, "acute")) == ("1", "0")
        assert _fact(update, "newest") > _fact(still, "newest")
        assert _fact(update, "newest-acute") == _fact(update, "newest")


def test_a_child_that_comes_last_is_noticed_though_no_row_changes(long_queue: House) -> None:
    with desk(long_queue, "sanne") as sanne:
        tags = _tags(sanne.get("/").text)
        before = _update(sanne, tags)
        new_child(long_queue)
        after = _update(sanne, tags)
        assert _tags(after) == []
        assert int(_fact(after, "total")) == int(_fact(before, "total")) + 1
        assert _fact(after, "newest") > _fact(before, "newest")


def test_who_is_taken_makes_room_for_the_next(long_queue: House) -> None:
    house = long_queue
    noor = house.confidant("noor")
    first = read(house, lambda tx: handoffs.waiting(tx, TEAM, first=PART + 1))
    with desk(house, "sanne") as sanne:
        tags = _tags(sanne.get("/").text)
        write(house, lambda tx: confidant.claim(tx, house.runtime, noor, first[0].id, house.clock()))
        update = _update(sanne, tags)
        assert re.findall(r'data-waiting="([\w-]+)"', update) == [first[PART].id]
        assert "Noor" in update
        assert len(update) < 7_000


def test_every_child_can_be_reached_without_a_script(sqlite_house: House) -> None:
    house, many = sqlite_house, 3 * PART + 7
    house.confidant("sanne")
    many_wait(house, many - 1)
    new_child(house)  # the last one is real: it can be taken over
    everyone = [item.id for item in read(house, lambda tx: handoffs.waiting(tx, TEAM))]
    with desk(house, "sanne") as sanne:
        seen: list[str] = []
        path: str | None = "/"
        for _ in range(4):
            assert path is not None
            page = sanne.get(path).text
            seen += re.findall(r'data-waiting="([\w-]+)"', page)
            link = re.search(r'href="([^"]+)">Volgende', page)
            path = link[1].replace("&amp;", "&") if link else None
        assert seen == everyone
        assert path is None
        assert "Vorige 50" in page
        assert sanne.post(f"/wachtrij/{everyone[-1]}/overnemen").status_code == 303


def test_a_page_without_a_queue_asks_for_the_counts_alone(long_queue: House) -> None:
    with desk(long_queue, "sanne") as sanne:
        counts = _update(sanne, ["geen"])
        assert (_fact(counts, "total"), _fact(counts, "acute")) == (str(MANY), "0")
        assert len(counts) < 500


@pytest.mark.parametrize("query", ["vanaf=50", "team=x&vanaf=50", "vanaf=-1", "vanaf=1e9", "vanaf=99999999", "team=&vanaf="])
def test_an_address_that_means_nothing_shows_the_beginning(sqlite_house: House, query: str) -> None:
    house = sqlite_house
    house.confidant("sanne")
    many_wait(house, PART + 5)
    with desk(house, "sanne") as sanne:
        assert f"U ziet plaats 1 tot en met {PART} van {PART + 5}." in sanne.get(f"/?{query}").text


def test_a_part_that_is_gone_shows_the_last_one(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    many_wait(house, PART + 5)
    with desk(house, "sanne") as sanne:
        page = sanne.get(f"/?team={TEAM}&vanaf=900").text
        assert f"U ziet plaats {PART + 1} tot en met {PART + 5} van {PART + 5}." in page
        assert 'start="51"' in page
        assert _tags(_update(sanne, _tags(page), f"/wachtrij-deel?team={TEAM}&vanaf=900")) == []
