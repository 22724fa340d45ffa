"""Two thousand children wait, and a person can still work: by hand, by keyboard, and with the page changing under the hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Response, expect

from handoff import confidant
from tests.browser.console_desk import Served, faults_of, served
from tests.handoff.desk import new_child, write
from tests.handoff.long_queue import MANY, many_wait
from tests.make import House

WAITING = "[data-waiting]"


@pytest.fixture
def site(sqlite_house: House, chromium: Browser) -> Iterator[Served]:
    """A console with a confidant."""
    sqlite_house.confidant("sanne")
    with served(sqlite_house, chromium) as made:
        yield made


def _settled(page: Page) -> None:
    page.wait_for_function("() => performance.getEntriesByType('resource').some(e => e.name.endsWith('/wachtrij-deel'))")


def test_a_long_queue_is_worked_from_its_first_fifty(site: Served) -> None:
    house = site.house
    many_wait(house)
    sizes: list[int] = []

    def weigh(answer: Response) -> None:
        if "wachtrij-deel" in answer.url:
            sizes.append(len(answer.body()))

    with site.window("sanne") as page:
        _settled(page)
        expect(page.locator(WAITING)).to_have_count(50)
        expect(page).to_have_title(f"({MANY}) Wachtrij – Praat erover")
        expect(page.locator("#teller")).to_have_text(f" ({MANY})")
        assert faults_of(page) == []
        third = page.locator(WAITING).nth(2)
        button = third.get_by_role("button")
        button.focus()
        held = button.get_attribute("id")
        page.on("response", weigh)
        acute = new_child(house, "hoi", "acute_danger").handoff_id
        expect(page.locator(WAITING).first).to_have_attribute("data-waiting", acute)
        expect(page.locator(WAITING)).to_have_count(50)
        assert page.evaluate("document.activeElement.id") == held, "the row under one's hand stayed the same element"
        expect(page.locator("html")).to_have_attribute("data-laatst-geluid", "acute 1")
        assert sizes
        assert max(sizes) < 6_000
        page.get_by_role("link", name="Volgende 50").click()
        expect(page.get_by_text(f"U ziet plaats 51 tot en met 100 van {MANY + 1}.")).to_be_visible()
        new_child(house, "hoi")
        expect(page.get_by_text(f"U ziet plaats 51 tot en met 100 van {MANY + 2}.")).to_be_visible()
        expect(page.locator(WAITING)).to_have_count(50)
        page.get_by_role("link", name="Vorige 50").click()
        expect(page.locator(WAITING).first).to_have_attribute("data-waiting", acute)


@pytest.mark.parametrize("look", ["phone", "dark"])
def test_a_long_queue_can_be_read_on_every_screen(site: Served, look: str) -> None:
    many_wait(site.house, 120)
    looks: dict[str, dict[str, Any]] = {"phone": {"viewport": {"width": 360, "height": 640}}, "dark": {"color_scheme": "dark"}}
    with site.window("sanne", **looks[look]) as page:
        page.get_by_role("link", name="Volgende 50").click()
        expect(page.get_by_role("link", name="Volgende 20")).to_be_visible()
        assert faults_of(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_chat_that_stands_elsewhere_on_the_page_stays_when_another_child_comes(site: Served) -> None:
    """What the page shows already is named, not sent: in each of its lists."""
    house = site.house
    noor = house.confidant("noor")
    mine, theirs = new_child(house, "hoi").handoff_id, new_child(house, "hallo").handoff_id
    with site.window("sanne") as page:
        _settled(page)
        sanne = next(who for who in house._signed_in if who.first_name == "Sanne")
        write(house, lambda tx: confidant.claim(tx, house.runtime, sanne, mine, house.clock()))
        write(house, lambda tx: confidant.claim(tx, house.runtime, noor, theirs, house.clock()))
        rows = page.locator(f"#mijn-{mine}, #ander-{theirs}")
        expect(rows).to_have_count(2)
        for _ in range(3):
            came = new_child(house, "hoi").handoff_id
            expect(page.locator(f"#kind-{came}")).to_be_visible()
            assert rows.count() == 2
