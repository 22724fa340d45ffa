"""Behind a proxy that gathers what it should pass on: a human's words come within seconds, and go on coming."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.buffering import buffering_proxy
from tests.browser.child_desk import Child, send, served
from tests.make import CITY, House
from tests.serving import serving

pytestmark = pytest.mark.browser


@contextmanager
def _behind_proxy(house: House, browser: Browser, *, head_first: bool) -> Iterator[Child]:
    with served(house, browser) as direct:
        proxy = buffering_proxy(direct.origin, head_first=head_first)
        with serving(proxy, direct.site.stop) as address:
            yield replace(direct, origin=address.geturl())


def _pass(page: Page, ms: int = 1_000) -> None:
    """So long passes in the page, and what it asked meanwhile is answered: two questions of ours come after it."""
    page.clock.run_for(ms)
    for _ in range(2):
        page.evaluate(f"fetch('/api/{CITY}/status').then(answer => answer.text())")


def _seconds_until(page: Page, words: str) -> int:
    for seconds in range(60):
        if page.locator(".human .words", has_text=words).count():
            return seconds
        _pass(page)
    raise AssertionError(words)


@pytest.mark.parametrize("head_first", [False, True], ids=["all", "all but the head"])
def test_a_human_is_heard_within_seconds_and_the_page_stays_with_what_works(
    sqlite_house: House, chromium: Browser, head_first: bool
) -> None:
    with _behind_proxy(sqlite_house, chromium, head_first=head_first) as child, child.context() as context:
        page = context.new_page()
        page.clock.install()
        page.goto(f"{child.origin}/{CITY}")
        streams: list[str] = []
        page.on("request", lambda request: streams.append(request.url) if request.url.endswith("/stream") else None)
        send(page, "hoi")
        handoff_id = child.site.claim()
        child.site.write(handoff_id, "eerste", "c1")
        assert _seconds_until(page, "eerste") <= 6
        child.site.write(handoff_id, "tweede", "c2")
        assert _seconds_until(page, "tweede") <= 4
        for _ in range(23):  # more than a minute: long enough to try a stream again, if it did
            _pass(page, 3_000)
        child.site.write(handoff_id, "derde", "c3")
        assert _seconds_until(page, "derde") <= 4
        assert len(streams) == 1
        expect(page.locator("#state")).to_have_text("Een mens leest nu mee: Sanne.")


def test_a_network_that_fell_silent_is_no_proxy(sqlite_house: House, chromium: Browser) -> None:
    """Streams are tried again when it works: only who can be asked, but does not stream, is left alone."""
    with served(sqlite_house, chromium) as child, child.context() as context:
        page = context.new_page()
        page.clock.install()
        silent = {"on": True}
        page.route("**/stream", lambda route: None if silent["on"] else route.fallback())
        page.goto(f"{child.origin}/{CITY}")
        send(page, "hoi")
        page.route("**/messages?after=*", lambda route: route.abort())
        page.clock.run_for(6_000)
        expect(page.locator("#state")).to_contain_text("Geen verbinding")
        silent["on"] = False
        page.unroute("**/messages?after=*")
        streams: list[str] = []
        page.on("response", lambda answer: streams.append(answer.url) if answer.url.endswith("/stream") else None)
        for _ in range(60):
            if streams:
                break
            _pass(page)
        assert len(streams) == 1
        expect(page.locator("#state")).to_contain_text("Er is nu geen mens")
        page.unroute_all(behavior="ignoreErrors")
