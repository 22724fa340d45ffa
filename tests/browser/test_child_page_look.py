"""What the page is to eyes, fingers, a keyboard and a screen reader: axe, target sizes, zoom, focus, languages."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.child_desk import DESK, PHONE, Child, faults_of_axe, send, served, without_script
from tests.make import CITY, House

pytestmark = pytest.mark.browser


@pytest.fixture
def child(sqlite_house: House, chromium: Browser) -> Iterator[Child]:
    """A served site."""
    with served(sqlite_house, chromium) as made:
        yield made


def _first(_child: Child, _page: Page) -> None:
    """As it opens."""


def _chat(child: Child, page: Page) -> None:
    """A chat with a human in it, one more message waiting, and the question about erasing open."""
    send(page, "hoi")
    child.site.write(child.site.claim(), "Hoi, met Sanne.")
    expect(page.locator(".human")).to_be_visible()
    page.context.set_offline(True)
    page.get_by_label("Typ hier").fill("dit wacht")
    page.get_by_role("button", name="Stuur").click()
    expect(page.locator("#notice")).not_to_be_empty()
    page.get_by_text("Wis alles", exact=True).click()


def _night(child: Child, page: Page) -> None:
    """Late in the evening: a third line is shown."""
    child.site.house.clock.turn(hours=10)
    page.reload()
    expect(page.locator("#extra")).to_be_visible()


def _broken(child: Child, page: Page) -> None:
    """Nothing can be stored."""
    file = child.site.house.folder / "praat.db"
    file.rename(file.with_name("away.db"))
    page.reload()
    expect(page.locator("#notice")).not_to_be_empty()


VIEWS: dict[str, tuple[str, Callable[[Child, Page], None]]] = {
    "first": (f"/{CITY}", _first),
    "chat": (f"/{CITY}", _chat),
    "night": (f"/{CITY}", _night),
    "broken": (f"/{CITY}", _broken),
    "start": ("/", _first),
    "unknown": ("/nergens", _first),
}
SMALL = """() => [...document.querySelectorAll('a, button, input, textarea, summary')]
    .filter(e => e.checkVisibility({visibilityProperty: true}) && !e.matches('p a, .words a'))
    .map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])
    .filter(([, box]) => box.height < 44 || box.width < 44).map(([html]) => html)"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing_and_every_target_is_large(child: Child, view: str, scheme: str) -> None:
    path, play = VIEWS[view]
    with child.window(path, color_scheme=scheme, reduced_motion="reduce") as page:
        play(child, page)
        assert faults_of_axe(page) == []
        assert page.evaluate(SMALL) == []


def test_axe_finds_nothing_without_javascript(child: Child) -> None:
    with child.context() as context:
        page = context.new_page()
        page.route(child.origin + "/**", without_script)
        page.goto(f"{child.origin}/{CITY}")
        page.get_by_label("Typ hier").fill("hoi")
        page.get_by_role("button", name="Stuur").click()
        expect(page.locator(".bot")).to_have_count(3)
        expect(page.get_by_role("button", name="Kijk of er antwoord is")).to_be_visible()
        assert faults_of_axe(page) == []
        assert page.evaluate(SMALL) == []


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("how", ["narrow", "zoomed in", "letters twice as large", "desk"])
def test_nothing_falls_off_the_side(child: Child, view: str, how: str) -> None:
    path, play = VIEWS[view]
    size = {"narrow": {"width": 320, "height": 256}, "zoomed in": {"width": 180, "height": 320}, "desk": DESK}.get(how, PHONE)
    with child.window(path, viewport=size) as page:
        if how == "letters twice as large":
            page.evaluate("() => { document.documentElement.style.fontSize = '200%'; dispatchEvent(new Event('resize')) }")
        play(child, page)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        expect(page.locator("#exit")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("how", ["keyboard open", "zoomed in", "letters twice as large"])
def test_where_there_is_little_room_the_words_get_it(child: Child, how: str) -> None:
    size = {"keyboard open": {"width": 360, "height": 300}, "zoomed in": {"width": 180, "height": 320}}.get(how, PHONE)
    with child.window(viewport=size) as page:
        if how == "letters twice as large":
            page.evaluate("() => { document.documentElement.style.fontSize = '200%'; dispatchEvent(new Event('resize')) }")
        send(page, "hoi")
        expect(page.locator(".bot")).to_have_count(3)
        page.evaluate("scrollTo(0, document.querySelector('.me').offsetTop - 100)")
        expect(page.locator(".me .words")).to_be_in_viewport(ratio=1)
        expect(page.locator("#exit")).to_be_in_viewport(ratio=1)
        if how != "keyboard open":
            page.get_by_label("Typ hier").blur()
            page.get_by_label("Typ hier").focus()
        expect(page.get_by_label("Typ hier")).to_be_in_viewport(ratio=1)


def test_on_a_phone_what_matters_is_there_without_scrolling(child: Child) -> None:
    child.site.on_duty()
    with child.window() as page:
        for needed in (
            "h1",
            "#exit",
            'nav a[href="tel:112"]',
            'nav a[href="tel:08000432"]',
            "#duty",
            "#numbers",
            "#text",
            "#f .send",
        ):
            expect(page.locator(needed)).to_be_in_viewport(ratio=1)


def test_everything_goes_by_keyboard_and_shows_where_it_is(child: Child) -> None:
    with child.window(viewport=DESK) as page:
        names = []
        for _ in range(12):
            page.keyboard.press("Tab")
            at, ring = page.evaluate(
                "() => [document.activeElement.innerText || document.activeElement.id,"
                " getComputedStyle(document.activeElement).outlineStyle + getComputedStyle(document.activeElement).outlineWidth]"
            )
            assert ring == "solid3px", at
            names.append(at.replace("\n", " "))
            if at == "text":
                break
        assert names[:3] == ["Snel weg", "112 bij gevaar", "0800-0432 Kindertelefoon"]
        assert names[-2:] == ["Wis alles", "text"]
        page.keyboard.type("hoi")
        page.keyboard.press("Shift+Enter")
        page.keyboard.type("daar")
        page.keyboard.press("Enter")
        expect(page.locator(".me .words")).to_have_text("hoi\ndaar")
        expect(page.locator(".bot")).to_have_count(3)
        expect(page.get_by_label("Typ hier")).to_be_focused()
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == "erase-now"
        page.keyboard.press("Enter")
        expect(page.locator("#notice")).to_contain_text("Alles is hier nu weg")
        expect(page.locator("#notice")).to_be_focused()


def test_a_screen_reader_hears_new_words_and_who_speaks(child: Child) -> None:
    with child.window() as page:
        send(page, "hoi")
        log = page.get_by_role("log", name="Gesprek")
        expect(log.locator(".bot").first).to_contain_text("Computer")
        expect(log.locator(".me").first).to_contain_text("Jij")
        assert page.get_by_role("status").filter(has_text="Er is nu geen mens. Je bericht blijft staan.").count() == 1


def test_who_wants_no_motion_gets_none(child: Child) -> None:
    for wish, name in (("reduce", "none"), ("no-preference", "rise")):
        with child.window(reduced_motion=wish) as page:
            send(page, "hoi")
            assert page.locator(".me").evaluate("e => getComputedStyle(e).animationName") == name


def test_nothing_is_left_on_paper(child: Child) -> None:
    with child.window() as page:
        page.emulate_media(media="print")
        assert page.locator("body").evaluate("e => getComputedStyle(e).display") == "none"
