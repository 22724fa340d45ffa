"""A confidant behind a proxy that holds streams back: who waits is seen within seconds, and nobody is thrown out."""

from __future__ import annotations

import threading

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.buffering import buffering_proxy
from tests.browser.console_desk import Served, served
from tests.handoff.desk import new_child
from tests.make import House
from tests.serving import serving

pytestmark = pytest.mark.browser


def _pass(page: Page, seconds: int) -> None:
    """Seconds in the page; what it asked meanwhile is answered, for a question of ours comes after it."""
    for _ in range(seconds // 3):
        page.clock.run_for(3_000)
        page.evaluate("fetch('/wachtrij-deel', {headers: {'X-Console': '1'}}).then(answer => answer.text())")


@pytest.mark.parametrize("head_first", [False, True], ids=["all", "all but the head"])
def test_who_waits_is_seen_within_seconds(sqlite_house: House, chromium: Browser, head_first: bool) -> None:
    sqlite_house.confidant("sanne")
    stop = threading.Event()
    with (
        served(sqlite_house, chromium) as direct,
        serving(buffering_proxy(direct.origin, head_first=head_first), stop.set) as proxy,
    ):
        site = Served(sqlite_house, proxy.geturl(), chromium)
        with site.window() as page:
            page.clock.install()
            site.sign_in(page, "sanne")
            _pass(page, 6)
            for number in range(3):
                new_child(sqlite_house, f"kind {number}")
                _pass(page, 6)
                expect(page.locator("[data-waiting]")).to_have_count(number + 1)
            expect(page.locator("#verbinding")).to_be_hidden()
