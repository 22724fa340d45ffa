"""Browsers that cannot run our script, or not all of it: the page that came from the server stays whole, the exit included."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.child_desk import Child, served, without_script
from tests.make import CITY, House

pytestmark = pytest.mark.browser


def _unknown_words(route: Route) -> None:
    """The script holds words that this browser does not know; its hash is allowed, so that it is really parsed."""
    answer = route.fetch()
    text = answer.text()
    script = re.search(r'<script type="module">(.*?)</script>', text, re.DOTALL)
    assert script
    strange = script.group(1) + "\nthis is no script for me;"
    digest = base64.b64encode(hashlib.sha256(strange.encode()).digest()).decode()
    policy = re.sub(r"script-src '[^']+'", f"script-src 'sha256-{digest}'", answer.headers["content-security-policy"])
    headers = {**answer.headers, "content-security-policy": policy}
    route.fulfill(response=answer, headers=headers, body=text.replace(script.group(1), strange))


LACKING = {
    "AbortController": "delete window.AbortController",
    "fetch": "delete window.fetch",
    "random numbers": "delete Crypto.prototype.getRandomValues",
    "append": "delete Element.prototype.append",
}


def _chat_by_form(child: Child, page: Page) -> None:
    """Everything a child needs, and away."""
    expect(page.locator('nav a[href="tel:08000432"]')).to_be_visible()
    page.get_by_label("Typ hier").fill("hoi")
    page.get_by_role("button", name="Stuur").click()
    expect(page.locator(".bot")).to_have_count(3)
    assert page.evaluate("document.documentElement.className") == ""
    child.site.write(child.site.claim(), "Hoi, met Sanne.")
    page.get_by_role("button", name="Kijk of er antwoord is").click()
    expect(page.locator(".human .words")).to_have_text("Hoi, met Sanne.")
    page.get_by_text("Wis alles", exact=True).click()
    page.get_by_role("button", name="Ja, wis alles").click()
    expect(page.locator("#notice")).to_contain_text("Alles is hier nu weg")


@pytest.mark.parametrize("how", ["no modules", "unknown words", *LACKING])
def test_the_form_and_the_exit_stay_whole(sqlite_house: House, chromium: Browser, how: str) -> None:
    with served(sqlite_house, chromium) as child, child.context() as context:
        page = context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        if how in LACKING:
            page.add_init_script(LACKING[how])
        else:
            page.route(f"{child.origin}/{CITY}", without_script if how == "no modules" else _unknown_words)
        page.goto(f"{child.origin}/{CITY}")
        _chat_by_form(child, page)
        assert bool(errors) == (how == "unknown words"), errors
        child.leave(page)
        assert child.referers == [None]
        assert context.cookies() == []


@pytest.mark.parametrize("lacking", LACKING)
def test_three_presses_leave_also_where_the_chat_cannot_run(sqlite_house: House, chromium: Browser, lacking: str) -> None:
    with served(sqlite_house, chromium) as child, child.context() as context:
        page = context.new_page()
        page.add_init_script(LACKING[lacking])
        page.goto(f"{child.origin}/{CITY}")
        for _ in range(3):
            page.keyboard.press("Escape")
        page.wait_for_url(child.exit)


def test_the_script_draws_a_chat_as_the_server_does(sqlite_house: House, chromium: Browser) -> None:
    """Words, links, directions and names: one look, however a message came."""
    drawn = """() => [...document.querySelectorAll('#log .b')].map(b => {
        const copy = b.cloneNode(true);
        copy.removeAttribute('id');
        return copy.outerHTML.replace(/>\\s+</g, '><');
    })"""
    with served(sqlite_house, chromium) as child, child.window() as page:
        texts = ["bel 0800-0432 of 112", "ik word geslagen", " ", "<b>112</b>\nregel", "z" + "\u0335" * 30, "مرحبا"]
        for text in texts:
            count = page.locator(".me:not(.waits)").count()
            page.get_by_label("Typ hier").fill(text)
            page.get_by_role("button", name="Stuur").click()
            expect(page.locator(".me:not(.waits)")).to_have_count(count + 1)
        child.site.write(child.site.claim(), "Hoi, met Sanne. Bel 112.")
        expect(page.locator(".human")).to_be_visible()
        token = page.evaluate("JSON.parse(sessionStorage.getItem(sessionStorage.key(0))).token")
        answer = page.request.post(
            f"{child.origin}/{CITY}", multipart={"token": token, "id": "m9", "text": "", "action": "refresh"}
        ).text()
        with child.context(java_script_enabled=False) as plain:
            other = plain.new_page()
            other.set_content(answer)
            assert other.evaluate(drawn) == page.evaluate(drawn)
