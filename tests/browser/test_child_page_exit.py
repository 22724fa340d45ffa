"""Away at once, and nothing to come back to: the quick exit, the cover after five minutes, and the Back button."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.child_desk import Child, send, served, words
from tests.make import CITY, House

pytestmark = pytest.mark.browser

SECRET = "dit is geheim"


@pytest.fixture
def child(sqlite_house: House, chromium: Browser) -> Iterator[Child]:
    """A served site."""
    with served(sqlite_house, chromium) as made:
        yield made


def _press(key: str) -> Callable[[Page], None]:
    def three_times(page: Page) -> None:
        for _ in range(3):
            page.keyboard.press(key)

    return three_times


WAYS: dict[str, Callable[[Page], None]] = {
    "button": lambda page: page.locator("#exit").click(),
    "shift": _press("Shift"),
    "escape": _press("Escape"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("where", ["chat", "start", "unknown"])
def test_away_at_once_and_back_shows_nothing(child: Child, way: str, where: str) -> None:
    path = {"chat": f"/{CITY}", "start": "/", "unknown": "/nergens"}[where]
    with child.window(path) as page:
        if where == "chat":
            send(page, SECRET)
        length = page.evaluate("history.length")
        WAYS[way](page)
        page.wait_for_url(child.exit)
        assert page.evaluate("history.length") == length, "an extra page to come back to"
        assert child.referers == [None], "the neutral site was told where the child came from"
        page.go_back()
        assert SECRET not in page.content()
        assert not page.url.startswith(child.origin)

        page.goto(f"{child.origin}/{CITY}")
        assert words(page) == []
        assert page.evaluate("sessionStorage.length + localStorage.length") == 0


def test_everything_is_covered_before_the_other_site_answers(child: Child) -> None:
    with child.window() as page:
        send(page, SECRET)
        seen = page.evaluate(
            """() => {
                document.getElementById('exit').click();
                return [document.body.innerText.trim(), document.documentElement.className, sessionStorage.length, document.title];
            }"""
        )
        assert seen == ["", "gone", 0, "\u200b"]


def test_a_way_back_through_the_browsers_memory_shows_nothing(child: Child) -> None:
    with child.window() as page:
        send(page, SECRET)
        page.evaluate("sessionStorage.clear()")
        page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
        page.wait_for_load_state()
        expect(page.locator("#exit")).to_be_visible()
        assert words(page) == []


def test_the_exit_is_always_in_view(child: Child) -> None:
    with child.window() as page:
        for _ in range(4):
            send(page, "een wat langere zin die over een paar regels gaat " * 3)
        for y in (0, 400, 100_000):
            page.evaluate("y => scrollTo(0, y)", y)
            expect(page.locator("#exit")).to_be_in_viewport()
        page.set_viewport_size({"width": 360, "height": 300})  # the keyboard is open
        page.evaluate("scrollTo(0, 500)")
        expect(page.locator("#exit")).to_be_in_viewport()


def test_writing_capitals_does_not_leave(child: Child) -> None:
    with child.window() as page:
        page.get_by_label("Typ hier").focus()
        for letter in "ABCDEF":
            page.keyboard.press(f"Shift+{letter}")
        page.keyboard.press("Shift")
        page.keyboard.press("Shift")
        page.keyboard.press("a")
        page.keyboard.press("Shift")
        page.keyboard.press("Escape")
        page.keyboard.press("Shift")
        assert page.get_by_label("Typ hier").input_value().lower() == "abcdefa"
        assert page.url.startswith(child.origin)


def test_three_presses_that_are_far_apart_do_not_leave(child: Child) -> None:
    with child.context() as context:
        page = context.new_page()
        page.clock.install()
        page.goto(f"{child.origin}/{CITY}")
        for _ in range(4):
            page.keyboard.press("Shift")
            page.clock.fast_forward("00:03")
        assert page.url.startswith(child.origin)
        page.keyboard.press("Shift")
        expect(page.locator("#steps")).to_have_text("Nog één keer om weg te gaan")


def test_after_five_minutes_without_a_touch_nothing_is_to_be_seen(child: Child) -> None:
    with child.context() as context:
        page = context.new_page()
        page.clock.install()
        page.goto(f"{child.origin}/{CITY}")
        send(page, SECRET)
        page.get_by_label("Typ hier").fill("half getypt")
        page.clock.fast_forward("04:50")
        expect(page.get_by_text(SECRET)).to_be_visible()
        page.clock.fast_forward("00:20")
        expect(page.get_by_text(SECRET)).not_to_be_visible()
        assert page.evaluate("document.body.innerText.trim()") == "Tik om verder te gaan"
        page.get_by_role("button", name="Tik om verder te gaan").click()
        expect(page.get_by_text(SECRET)).to_be_visible()
        assert page.get_by_label("Typ hier").input_value() == "half getypt"
        expect(page.get_by_label("Typ hier")).to_be_focused()


def test_a_message_that_waits_does_not_survive_the_exit(child: Child) -> None:
    with child.window() as page:
        page.context.set_offline(True)
        page.get_by_label("Typ hier").fill(SECRET)
        page.get_by_role("button", name="Stuur").click()
        expect(page.locator(".waits")).to_have_count(1)
        assert page.evaluate("sessionStorage.length") == 1
        page.context.set_offline(False)
        page.locator("#exit").click()
        page.wait_for_url(child.exit)
        page.goto(f"{child.origin}/{CITY}")
        assert page.evaluate("sessionStorage.length") == 0
        assert words(page) == []
