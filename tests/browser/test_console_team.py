"""A new colleague in a real browser: invited, a passphrase of their own, let in over the telephone, reading. And a new team key."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from handoff.team import people, teamwork
from tests.browser.console_desk import DESK, PHONE, Served, faults_of, served
from tests.handoff.desk import invite, new_child, print_again, write
from tests.make import CITY, House, team_id_of

pytestmark = pytest.mark.browser

LOOKS = {"phone": PHONE, "desk": DESK}


@pytest.fixture
def site(sqlite_house: House, chromium: Browser) -> Iterator[Served]:
    """A console with one confidant who reads and one who was invited."""
    sqlite_house.confidant("sanne")
    with served(sqlite_house, chromium) as made:
        yield made


def _check(page: Page, name: str) -> None:
    """Axe, nothing sticks out, and a picture to look at when `PRAAT_PICTURES` names a folder."""
    folder = os.environ.get("PRAAT_PICTURES")
    if folder:
        page.screenshot(path=Path(folder) / f"team-{name}.png", full_page=True)
    assert faults_of(page) == [], name
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), name


def _first_sign_in(site: Served, page: Page, login: str) -> None:
    """With the printed passphrase, through the page that gives a new one, as a person does."""
    print_again(site.house, login)
    page.goto(f"{site.origin}/inloggen")
    page.get_by_label("Inlognaam").fill(login)
    page.get_by_label("Wachtzin", exact=True).fill(site.house.phrases[login])
    page.get_by_role("button", name="Inloggen").click()
    page.wait_for_url("**/nieuwe-wachtzin")
    words = page.locator(".pe-phrase li").all_inner_texts()
    page.get_by_label("Typ de zes woorden over").fill(" ".join(words))
    page.get_by_role("button", name="Deze wachtzin gebruiken").click()
    expect(page.get_by_text("Uw nieuwe wachtzin is opgeslagen")).to_be_visible()


@pytest.mark.parametrize("look", LOOKS)
def test_invited_renewed_let_in_by_telephone_and_reading(site: Served, look: str) -> None:
    invite(site.house, "noor")
    new_child(site.house, "mn vader slaat me", "disclose_physical_abuse")
    with site.window(viewport=LOOKS[look]) as sanne, site.window(viewport=LOOKS[look]) as noor:
        _first_sign_in(site, sanne, "sanne")
        sanne.get_by_role("link", name="Team").click()
        expect(sanne.get_by_text("Laat Noor eerst inloggen")).to_be_visible()
        _check(sanne, f"{look}-nog-niet-ingelogd")

        _first_sign_in(site, noor, "noor")
        expect(noor.get_by_text("U kunt nog niet meelezen.")).to_be_visible()
        _check(noor, f"{look}-wacht-op-collega")
        queue = noor.context.new_page()
        queue.goto(f"{site.origin}/")
        noor.get_by_role("link", name="Naar uw sleutelcode").click()
        expect(noor.get_by_role("heading", level=1)).to_have_text("U kunt nog niet meelezen")
        expect(noor.get_by_text("Bel Sanne")).to_be_visible()
        _check(noor, f"{look}-sleutelcode")
        read_aloud = " ".join(noor.locator(".pe-phrase li").all_inner_texts())

        sanne.reload()
        box = sanne.get_by_label("De zes woorden van Noor")
        box.fill("zes heel andere woorden dan dit")
        _check(sanne, f"{look}-toelaten")
        box.press("Enter")
        expect(sanne.get_by_role("alert")).to_contain_text("Er is niemand toegelaten")
        _check(sanne, f"{look}-klopt-niet")
        expect(queue.locator("[data-waiting]")).to_have_count(0)
        sanne.get_by_label("De zes woorden van Noor").fill(read_aloud)
        sanne.get_by_role("button", name="Noor toelaten").click()
        expect(sanne.get_by_text("Uw collega kan nu meelezen.")).to_be_visible()
        _check(sanne, f"{look}-toegelaten")

        expect(queue.locator("[data-waiting]")).to_have_count(1, timeout=8000)  # by itself: the open queue page notices
        queue.get_by_role("button", name="Overnemen").click()
        expect(queue.get_by_text("mn vader slaat me")).to_be_visible()


@pytest.mark.parametrize("look", LOOKS)
def test_after_somebody_left_the_key_is_renewed_with_one_click(site: Served, look: str) -> None:
    house = site.house
    house.confidant("kim")
    for number in range(4):
        new_child(house, f"kind {number}")
    write(house, lambda tx: people.disable(tx, site.house.runtime.vault, login="kim", now=house.clock()))
    with site.window("sanne", viewport=LOOKS[look]) as page:
        page.get_by_role("link", name="Team").click()
        expect(page.get_by_text("Kim is gestopt")).to_be_visible()
        _check(page, f"{look}-iemand-gestopt")
        page.get_by_role("button", name="Teamsleutel vernieuwen").click()
        expect(page.get_by_text("De teamsleutel is vernieuwd.")).to_be_visible()
        expect(page.get_by_text("Kim is gestopt")).to_have_count(0)

        who, team_id = house.sign_in("sanne")[0], team_id_of(CITY)
        write(house, lambda tx: teamwork.rotate(tx, house.runtime.vault, who, team_id, 2, house.clock()))
        page.reload()
        expect(page.get_by_role("progressbar")).to_have_attribute("value", "0")
        expect(page.get_by_text("Nog 4 van de 4 gesprekken")).to_be_visible()
        _check(page, f"{look}-bezig")
        page.get_by_role("button", name="Ga verder met vernieuwen").click()
        expect(page.get_by_text("De teamsleutel is vernieuwd.")).to_be_visible()


def test_letting_in_works_without_a_script_and_with_the_keyboard(site: Served) -> None:
    invite(site.house, "noor")
    with site.window(java_script_enabled=False) as noor:
        _first_sign_in(site, noor, "noor")
        noor.get_by_role("link", name="Naar uw sleutelcode").click()
        read_aloud = " ".join(noor.locator(".pe-phrase li").all_inner_texts())
        with site.window("sanne", java_script_enabled=False) as sanne:
            sanne.goto(f"{site.origin}/team")
            sanne.get_by_label("De zes woorden van Noor").focus()
            sanne.keyboard.type(read_aloud.upper())
            sanne.keyboard.press("Enter")
            expect(sanne.get_by_text("Uw collega kan nu meelezen.")).to_be_visible()
        noor.goto(f"{site.origin}/")
        expect(noor.get_by_role("button", name="Ik heb dienst")).to_be_visible()
