"""A page on which nothing changes is not touched: a selection, the focus on a phone number, and a live region stay as they are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.child_desk import Child, send, served
from tests.make import CITY, House

pytestmark = pytest.mark.browser

HOLD = """() => {
    const links = document.querySelectorAll('#numbers a'), link = links[links.length - 1];
    const range = document.createRange();
    range.selectNodeContents(link);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    link.focus();
    window.touched = [];
    new MutationObserver(all => all.forEach(m => window.touched.push(m.type + ' ' + (m.target.id || m.target.nodeName))))
        .observe(document, {subtree: true, childList: true, characterData: true, attributes: true});
}"""
HELD = "() => [getSelection().toString(), document.activeElement.textContent, window.touched]"


@pytest.fixture
def child(sqlite_house: House, chromium: Browser) -> Iterator[Child]:
    """A served site."""
    with served(sqlite_house, chromium) as made:
        yield made


COUNT = """path => {
    const real = window.fetch;
    window.asks = {begun: 0, answered: 0};
    window.fetch = async (url, ...rest) => {
        if (!String(url).includes(path)) return real(url, ...rest);
        window.asks.begun += 1;
        try { return await real(url, ...rest); } finally { window.asks.answered += 1; }
    };
}"""


@dataclass
class Asked:
    """What the page asks for by itself, counted in the page, under a clock that the test turns and that stands still while an
    answer is on its way: else a slow machine looks like a network that is down. Made before the page is opened."""

    page: Page
    path: str

    def __post_init__(self) -> None:
        self.page.add_init_script(f"({COUNT})({json.dumps(self.path)})")

    def count(self, what: str) -> int:
        """How many were `begun` or `answered`."""
        found: int = self.page.evaluate(f"window.asks.{what}")
        return found

    def until(self, count: int) -> None:
        """Let time pass, by seconds, until so many were answered, and the last answer is drawn."""
        for _ in range(400):
            while self.count("begun") > self.count("answered"):
                pass  # real time passes with each look
            if self.count("answered") >= count:
                break
            self.page.clock.run_for(1_000)
        assert self.count("answered") >= count
        self.page.clock.run_for(1_000)

    def more(self, count: int) -> None:
        """Let time pass until so many more were begun and answered."""
        self.until(self.count("begun") + count)


def test_before_the_first_word(child: Child) -> None:
    with child.context() as context:
        page = context.new_page()
        page.clock.install()
        asked = Asked(page, "/status")
        page.goto(f"{child.origin}/{CITY}")
        page.evaluate(HOLD)
        asked.until(3)
        assert page.evaluate(HELD) == ["0800-0432", "0800-0432", []]
        child.site.on_duty()
        asked.more(2)
        expect(page.locator("#duty")).to_contain_text("Er is nu een mens")
        text, focus, touched = page.evaluate(HELD)
        assert (text, focus) == ("0800-0432", "0800-0432")
        assert {what.split()[1] for what in touched} == {"duty"}


@pytest.mark.parametrize("claimed", [False, True], ids=["waiting", "with a human"])
def test_in_a_chat_that_streams(child: Child, claimed: bool) -> None:
    with child.window() as page:
        send(page, "hoi")
        expect(page.locator(".bot")).to_have_count(3)
        handoff_id = child.site.claim() if claimed else ""
        expect(page.locator("#state")).to_contain_text("Een mens leest nu mee" if claimed else "Er is nu geen mens")
        page.evaluate(HOLD)
        for _ in range(2):  # each time the stream begins anew, the server says all again
            with page.expect_response("**/stream"):
                page.evaluate("dispatchEvent(new Event('online'))")
        if claimed:
            child.site.write(handoff_id, "Hoi, met Sanne.")
            expect(page.locator(".human")).to_be_visible()
        else:
            child.site.on_duty()
            expect(page.locator("#duty")).to_contain_text("Er is nu een mens")
        text, focus, touched = page.evaluate(HELD)
        assert (text, focus) == ("0800-0432", "0800-0432")
        assert {what.split()[1] for what in touched} == ({"log"} if claimed else {"duty", "state"})


def test_in_a_chat_that_asks_every_few_seconds(child: Child) -> None:
    with child.context() as context:
        page = context.new_page()
        page.clock.install()
        page.route("**/stream", lambda route: route.abort())
        asked = Asked(page, "/messages?after=")
        page.goto(f"{child.origin}/{CITY}")
        send(page, "hoi")
        expect(page.locator(".bot")).to_have_count(3)
        asked.until(2)
        page.evaluate(HOLD)
        asked.until(25)  # also when a stream is tried in between, and fails again
        assert page.evaluate(HELD) == ["0800-0432", "0800-0432", []]
        page.unroute_all(behavior="ignoreErrors")
