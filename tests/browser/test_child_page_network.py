"""A phone on a bad network: offline, answers that get lost, streams that do not come through, a server that is broken."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.child_desk import Child, send, served, words
from tests.make import CITY, House

pytestmark = pytest.mark.browser


@pytest.fixture
def child(sqlite_house: House, chromium: Browser) -> Iterator[Child]:
    """A served site."""
    with served(sqlite_house, chromium) as made:
        yield made


def _type(page: Page, text: str) -> None:
    page.get_by_label("Typ hier").fill(text)
    page.get_by_role("button", name="Stuur").click()


def test_without_internet_words_wait_and_are_sent_once(child: Child) -> None:
    with child.window() as page:
        page.context.set_offline(True)
        _type(page, "eerste")
        _type(page, "tweede")
        expect(page.locator(".waits .words")).to_have_text(["eerste", "tweede"])
        expect(page.locator(".waits .meta").first).to_contain_text("Even wachten")
        expect(page.locator("#notice")).to_contain_text("geen internet")
        assert child.said_by_child() == 0
        page.context.set_offline(False)
        expect(page.locator(".waits")).to_have_count(0)
        expect(page.locator("#notice")).to_be_empty()
        expect(page.locator(".bot").first).to_contain_text("112")
        assert [w for w in words(page) if w in ("eerste", "tweede")] == ["eerste", "tweede"]
    assert child.said_by_child() == 2


def test_what_waits_survives_a_reload_and_is_sent_once(child: Child) -> None:
    with child.window() as page:
        send(page, "hoi")
        page.route("**/messages", lambda route: route.abort())
        _type(page, "hoi")
        expect(page.locator(".waits")).to_have_count(1)
        page.unroute("**/messages")
        page.reload()
        expect(page.locator(".me:not(.waits)")).to_have_count(2)
        assert words(page).count("hoi") == 2
    assert child.said_by_child() == 2


def test_an_answer_that_gets_lost_makes_no_second_message(child: Child) -> None:
    lost: list[int] = []

    def lose_first(route: Route) -> None:
        if lost:
            route.fallback()
            return
        lost.append(route.fetch().status)
        route.abort()

    with child.window() as page:
        page.route("**/messages", lose_first)
        send(page, "maar één keer")
        expect(page.locator(".bot")).to_have_count(3)
        assert lost == [200]
        assert words(page).count("maar één keer") == 1
    assert child.said_by_child() == 1


def test_a_proxy_that_fails_after_it_was_stored_makes_no_second_message(child: Child) -> None:
    def spoil(route: Route) -> None:
        assert route.fetch().status == 200
        route.fulfill(status=504, body="")

    with child.window() as page:
        page.route("**/messages", spoil)
        _type(page, "maar één keer")
        expect(page.locator("#notice")).not_to_be_empty()
        page.unroute("**/messages")
        page.get_by_role("button", name="Stuur").click()
        expect(page.locator(".me:not(.waits)")).to_have_count(1)
        expect(page.locator(".bot")).to_have_count(3)
    assert child.said_by_child() == 1


def test_a_database_that_is_gone_keeps_the_text_in_the_box(child: Child) -> None:
    file = child.site.house.folder / "praat.db"
    with child.window() as page:
        away = file.rename(file.with_name("away.db"))
        _type(page, "dit mag niet weg")
        expect(page.locator("#notice")).to_contain_text("ik bewaar nu niks")
        expect(page.locator("#notice a").first).to_have_attribute("href", "tel:112")
        assert page.get_by_label("Typ hier").input_value() == "dit mag niet weg"
        assert words(page) == []
        away.rename(file)
        page.get_by_role("button", name="Stuur").click()
        expect(page.locator(".me:not(.waits) .words")).to_have_text("dit mag niet weg")
        expect(page.locator("#notice")).to_be_empty()
    assert child.said_by_child() == 1


def test_in_a_crowd_the_page_says_whom_to_call_and_comes_again_by_itself(child: Child) -> None:
    turned_away: list[int] = []

    def crowded(route: Route) -> None:
        if turned_away:
            route.fallback()
            return
        turned_away.append(429)
        route.fulfill(status=429, json={"error": "crowded", "text": "Bel 112 als het nu moet.", "numbers": []})

    with child.window() as page:
        page.route("**/messages", crowded)
        _type(page, "maar één keer")
        expect(page.locator("#notice")).to_contain_text("112")
        expect(page.locator(".me:not(.waits)")).to_have_count(1)
        expect(page.locator("#notice")).to_be_empty()
        assert turned_away == [429]
    assert child.said_by_child() == 1


def test_a_server_behind_a_broken_proxy_keeps_the_text_too(child: Child) -> None:
    with child.window() as page:
        page.route("**/messages", lambda route: route.fulfill(status=502, body="<h1>Bad gateway</h1>", content_type="text/html"))
        _type(page, "dit mag niet weg")
        expect(page.locator("#notice")).to_contain_text("112")
        assert page.get_by_label("Typ hier").input_value() == "dit mag niet weg"


def test_a_page_without_a_database_has_no_box_until_it_works_again(child: Child) -> None:
    file = child.site.house.folder / "praat.db"
    away = file.rename(file.with_name("away.db"))
    with child.context() as context:
        page = context.new_page()
        page.clock.install()
        page.goto(f"{child.origin}/{CITY}")
        expect(page.locator("#notice")).to_contain_text("ik bewaar nu niks")
        expect(page.get_by_label("Typ hier")).to_be_hidden()
        expect(page.locator('nav a[href="tel:08000432"]')).to_be_visible()
        expect(page.locator("#duty")).to_be_hidden()
        away.rename(file)
        page.clock.fast_forward("00:06")
        expect(page.get_by_label("Typ hier")).to_be_visible()
        expect(page.locator("#notice")).to_be_empty()
        expect(page.locator("#duty")).to_contain_text("nu geen mens")


@pytest.mark.parametrize("how", ["no stream in this browser", "streams are cut off", "streams are held back"])
def test_a_human_is_heard_where_streams_do_not_come_through(child: Child, how: str) -> None:
    with child.context() as context:
        page = context.new_page()
        page.clock.install()
        if how == "no stream in this browser":
            page.add_init_script("delete window.ReadableStream")
        page.route("**/stream", lambda route: route.abort() if how == "streams are cut off" else _hold(route))
        page.goto(f"{child.origin}/{CITY}")
        send(page, "hoi")
        child.site.write(child.site.claim(), "Hoi, met Sanne.")
        for _ in range(30):
            page.clock.run_for(3_000)
            if page.locator(".human").count():
                break
        expect(page.locator(".human .words")).to_have_text("Hoi, met Sanne.")
        expect(page.locator("#state")).to_have_text("Een mens leest nu mee: Sanne.")
        page.unroute_all(behavior="ignoreErrors")


def _hold(_route: Route) -> None:
    """A proxy that gathers what it should pass on: nothing ever comes."""


def test_a_phone_that_changes_network_goes_on_where_it_was(child: Child) -> None:
    asked: list[str | None] = []
    with child.window() as page:
        page.on("request", lambda r: asked.append(r.headers.get("last-event-id")) if r.url.endswith("/stream") else None)
        with page.expect_response("**/stream"):
            send(page, "hoi")
        expect(page.locator(".bot")).to_have_count(3)
        page.context.set_offline(True)
        child.site.write(child.site.claim(), "Hoi, met Sanne.")
        page.context.set_offline(False)
        page.evaluate("dispatchEvent(new Event('online'))")
        expect(page.locator(".human .words")).to_have_text("Hoi, met Sanne.")
        assert len(words(page)) == len(set(words(page)))
    assert asked[0] == "4"
    assert all(int(last or 0) >= 4 for last in asked), "the history was sent again"
