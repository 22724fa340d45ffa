"""A child on a phone and at a desk: writes, is answered, meets a human, reloads, opens another tab, erases everything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from handoff.models import conversation, outbox
from tests.browser.child_desk import DESK, PHONE, Child, send, served, without_script, words
from tests.make import CITY, House, rows

pytestmark = pytest.mark.browser

_REACHED = """button => {
    const at = button.getBoundingClientRect();
    return document.elementFromPoint(at.x + at.width / 2, at.bottom - 2) === button;
}"""


@pytest.fixture
def child(sqlite_house: House, chromium: Browser) -> Iterator[Child]:
    """A served site."""
    with served(sqlite_house, chromium) as made:
        yield made


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_a_child_is_answered_at_once_and_then_by_a_human(child: Child, viewport: dict[str, int]) -> None:
    with child.window(viewport=viewport) as page:
        expect(page.get_by_role("heading", level=1)).to_contain_text("Ik ben een computer")
        for needed in (page.locator("#exit"), page.locator('nav a[href="tel:112"]'), page.locator('nav a[href="tel:08000432"]')):
            expect(needed).to_be_in_viewport()
        expect(page.get_by_label("Typ hier")).to_be_in_viewport()

        send(page, "hoi")
        expect(page.locator(".bot")).to_have_count(3)
        expect(page.locator(".me .meta")).to_contain_text("✓ Bewaard")
        expect(page.locator(".bot").first.get_by_role("link", name="0800-0432")).to_have_attribute("href", "tel:08000432")
        expect(page.locator("#state")).to_have_text("Er is nu geen mens. Je bericht blijft staan.")
        expect(page.get_by_role("button", name="Ik wil een mens")).to_be_visible()

        handoff_id = child.site.claim()
        expect(page.locator("#state")).to_have_text("Een mens leest nu mee: Sanne.")
        expect(page.locator("#quick button")).to_have_count(0)
        child.site.write(handoff_id, "Hoi, met Sanne. Fijn dat je er bent.")
        expect(page.locator(".human .words")).to_have_text("Hoi, met Sanne. Fijn dat je er bent.")
        expect(page.locator(".human .who")).to_have_text("Sanne")
        expect(page.locator(".human")).to_be_in_viewport()

        send(page, "dank je")
        assert words(page)[-1] == "dank je", "the bot spoke while a human was there"
        with page.expect_response(lambda r: r.url.endswith("/received") and '"seq":8' in (r.request.post_data or "")):
            child.site.write(handoff_id, "Graag gedaan.", "c2")
    assert all(row.delivered_at for row in rows(child.site.house, outbox))


def test_who_reads_further_up_stays_there_and_is_told_of_new_words(child: Child) -> None:
    with child.window() as page:
        for _ in range(3):
            send(page, "een wat langere zin die over een paar regels gaat " * 3)
        page.mouse.move(180, 400)
        page.mouse.wheel(0, -3000)
        expect(page.locator("#numbers")).to_be_in_viewport()
        child.site.write(child.site.claim(), "Hoi, met Sanne.")
        page.get_by_role("button", name="Nieuw bericht").click()
        expect(page.locator(".human")).to_be_in_viewport()
        expect(page.locator("#new")).to_be_hidden()


def test_a_quick_reply_is_one_press(child: Child) -> None:
    with child.window() as page:
        page.get_by_role("button", name="Ik ben nu in gevaar").click()
        expect(page.locator(".me .words")).to_have_text("Ik ben nu in gevaar")
        expect(page.locator(".bot").first).to_contain_text("112")


def test_pressing_send_without_words_is_an_answer_too(child: Child) -> None:
    with child.window() as page:
        page.get_by_role("button", name="Stuur").click()
        expect(page.locator(".bot").first).to_contain_text("112")
        expect(page.locator(".me .words")).to_have_text("(leeg)")


def test_a_reload_keeps_the_chat_and_another_tab_shows_nothing(child: Child) -> None:
    with child.window() as page:
        send(page, "dit is geheim")
        expect(page.locator(".bot")).to_have_count(3)
        before = words(page)
        page.reload()
        expect(page.locator("#log .words")).to_have_count(len(before))
        assert words(page) == before
        expect(page.locator("#state")).to_have_text("Er is nu geen mens. Je bericht blijft staan.")

        other = page.context.new_page()
        other.goto(f"{child.origin}/{CITY}")
        assert words(other) == []
        assert other.evaluate("sessionStorage.length + localStorage.length") == 0
        with page.expect_popup() as opening:
            page.evaluate("window.open(location.href, '_blank', 'noopener')")
        assert words(opening.value) == []
        assert page.context.cookies() == []


def test_nothing_is_kept_before_something_was_sent(child: Child) -> None:
    with child.window() as page:
        page.get_by_label("Typ hier").fill("nog niet gestuurd")
        assert page.evaluate("sessionStorage.length + localStorage.length") == 0


def test_wis_alles_asks_once_and_leaves_nothing(child: Child) -> None:
    with child.window() as page:
        send(page, "dit moet weg")
        page.get_by_text("Wis alles", exact=True).click()
        expect(page.get_by_text("echt weg")).to_be_visible()
        page.get_by_role("button", name="Ja, wis alles").click()
        expect(page.locator("#notice")).to_contain_text("Alles is hier nu weg")
        expect(page.locator("#notice a").first).to_have_attribute("href", "tel:112")
        assert words(page) == []
        assert rows(child.site.house, conversation) == []
        assert page.evaluate("sessionStorage.length") == 0
        page.reload()
        assert words(page) == []
        send(page, "ik begin opnieuw")
        expect(page.locator(".bot")).to_have_count(3)


def test_wis_alles_without_network_says_that_it_was_not_done(child: Child) -> None:
    with child.window(viewport={"width": 360, "height": 640}) as page:
        send(page, "dit moet weg")
        page.get_by_text("Wis alles", exact=True).click()
        button = page.get_by_role("button", name="Ja, wis alles")
        expect(button).to_be_in_viewport(ratio=1)
        assert button.evaluate(_REACHED), "the box covers it"
        page.context.set_offline(True)
        button.click()
        expect(page.locator("#notice")).to_contain_text("Misschien is nog niet alles weg")
        expect(page.locator("#notice")).not_to_contain_text("bewaar")
        assert words(page)[0] == "dit moet weg"
        page.context.set_offline(False)
        button.click()
        expect(page.locator("#notice")).to_contain_text("Alles is hier nu weg")


def test_erased_in_one_window_is_gone_in_its_copy(child: Child) -> None:
    with child.window() as page:
        send(page, "dit moet weg")
        copy = page.context.new_page()
        copy.goto(f"{child.origin}/{CITY}")
        copy.evaluate(
            "kept => Object.keys(kept).forEach(k => sessionStorage.setItem(k, kept[k]))", page.evaluate("({...sessionStorage})")
        )
        copy.reload()
        expect(copy.locator(".bot")).to_have_count(3)
        page.get_by_text("Wis alles", exact=True).click()
        page.get_by_role("button", name="Ja, wis alles").click()
        expect(copy.locator("#log .words")).to_have_count(0)
        expect(copy.locator("#notice")).to_contain_text("Alles is hier nu weg")
        assert copy.evaluate("sessionStorage.length") == 0


def test_who_is_there_changes_while_the_page_is_open(child: Child) -> None:
    with child.window() as page:
        expect(page.locator("#duty")).to_contain_text("nu geen mens")
        send(page, "hoi")
        child.site.on_duty()
        expect(page.locator("#duty")).to_contain_text("Er is nu een mens")


def test_who_is_there_changes_before_anything_was_said(child: Child) -> None:
    with child.context() as context:
        page = context.new_page()
        page.clock.install()
        page.goto(f"{child.origin}/{CITY}")
        expect(page.locator("#duty")).to_contain_text("nu geen mens")
        child.site.on_duty()
        page.clock.fast_forward("00:31")
        expect(page.locator("#duty")).to_contain_text("Er is nu een mens")


def test_too_long_stays_in_the_box(child: Child) -> None:
    with child.window() as page:
        page.get_by_label("Typ hier").fill("a" * 4001)
        page.get_by_role("button", name="Stuur").click()
        expect(page.locator("#notice")).to_contain_text("te lang")
        assert len(page.get_by_label("Typ hier").input_value()) == 4001
        send(page, "😀" * 4000)
    assert child.said_by_child() == 1


def test_choosing_a_gemeente_leaves_no_extra_page_behind(child: Child) -> None:
    with child.window("/") as page:
        length = page.evaluate("history.length")
        page.get_by_label("Jouw dorp of stad").fill("voor")
        expect(page.locator("#towns li:visible")).to_have_count(1)
        page.get_by_role("link", name="Voorbeeldstad").click()
        page.wait_for_url(f"**/{CITY}")
        assert page.evaluate("history.length") == length


def test_without_javascript_everything_works_by_form(child: Child) -> None:
    with child.window(java_script_enabled=False) as page:
        expect(page.locator('nav a[href="tel:08000432"]')).to_be_in_viewport()
        page.get_by_label("Typ hier").fill("hoi")
        page.get_by_role("button", name="Stuur").click()
        expect(page.locator(".bot")).to_have_count(3)
        expect(page.locator(".me")).to_be_in_viewport()
        child.site.write(child.site.claim(), "Hoi, met Sanne.")
        page.get_by_role("button", name="Kijk of er antwoord is").click()
        expect(page.locator(".human .words")).to_have_text("Hoi, met Sanne.")
        page.get_by_text("Wis alles", exact=True).click()
        page.get_by_role("button", name="Ja, wis alles").click()
        expect(page.locator("#notice")).to_contain_text("Alles is hier nu weg")
        expect(page.locator("#notice")).to_be_in_viewport(ratio=1)
        child.leave(page)
        assert child.referers == [None]
        assert page.context.cookies() == []


def test_a_chat_begun_without_script_goes_on_with_it(child: Child) -> None:
    with child.context() as context:
        page = context.new_page()
        block = {"on": True}
        page.route("**/*", lambda route: without_script(route) if block["on"] else route.fallback())
        page.goto(f"{child.origin}/{CITY}")
        page.get_by_label("Typ hier").fill("hoi")
        block["on"] = False
        page.get_by_role("button", name="Stuur").click()
        expect(page.locator(".bot")).to_have_count(3)
        send(page, "ben je er nog")
        assert child.said_by_child() == 2
        assert len(rows(child.site.house, conversation)) == 1


EMOJI = "\U0001f622"


@pytest.mark.parametrize("text", [EMOJI * 4000, "verhaal " * 499], ids=["emoji", "letters"])
def test_without_javascript_the_longest_text_is_sent(child: Child, text: str) -> None:
    with child.window(java_script_enabled=False) as page:
        page.get_by_label("Typ hier").fill(text)
        page.get_by_role("button", name="Stuur").click()
        expect(page.locator(".me .words")).to_have_text(text.strip())
    assert child.said_by_child() == 1


@pytest.mark.parametrize("text", [EMOJI * 4001, "verhaal " * 2125], ids=["emoji", "letters"])
def test_without_javascript_a_text_that_is_too_long_is_in_the_box_again(child: Child, text: str) -> None:
    with child.window(java_script_enabled=False) as page:
        page.get_by_label("Typ hier").fill(text)
        page.get_by_role("button", name="Stuur").click()
        expect(page.locator("#notice")).to_contain_text("te lang")
        expect(page.locator("#notice")).to_be_in_viewport(ratio=1)
        assert page.get_by_label("Typ hier").input_value() == text
    assert child.said_by_child() == 0


def test_without_javascript_a_box_that_is_full_comes_back_full(child: Child) -> None:
    with child.window(java_script_enabled=False) as page:
        box = page.get_by_label("Typ hier")
        box.focus()
        page.keyboard.insert_text("\u4e2d" * 30_000)  # as when pasting: the browser takes what fits
        full = box.input_value()
        assert 20_000 < len(full) < 30_000
        page.get_by_role("button", name="Stuur").click()
        expect(page.locator("#notice")).to_contain_text("te lang")
        assert box.input_value() == full


def test_with_javascript_nothing_of_a_long_text_is_cut_off(child: Child) -> None:
    with child.window() as page:
        page.get_by_label("Typ hier").focus()
        page.keyboard.insert_text("a" * 30_000)
        page.get_by_role("button", name="Stuur").click()
        expect(page.locator("#notice")).to_contain_text("te lang")
        assert len(page.get_by_label("Typ hier").input_value()) == 30_000


def test_without_javascript_what_cannot_be_stored_is_in_the_box_again(child: Child) -> None:
    with child.window(java_script_enabled=False) as page:
        file = child.site.house.folder / "praat.db"
        away = file.rename(file.with_name("away.db"))
        page.get_by_label("Typ hier").fill("dit mag niet weg")
        page.get_by_role("button", name="Stuur").click()
        expect(page.locator("#notice")).to_contain_text("ik bewaar nu niks")
        expect(page.locator("#notice")).to_be_in_viewport(ratio=1)
        assert page.get_by_label("Typ hier").input_value() == "dit mag niet weg"
        away.rename(file)
        page.get_by_role("button", name="Stuur").click()
        expect(page.locator(".me .words")).to_have_text("dit mag niet weg")


def test_without_javascript_a_chat_that_was_erased_elsewhere_gives_the_text_back(child: Child) -> None:
    with child.window(java_script_enabled=False) as page:
        page.get_by_label("Typ hier").fill("hoi")
        page.get_by_role("button", name="Stuur").click()
        token = page.locator("input[name=token]").get_attribute("value")
        erase: dict[str, Any] = {"token": token or "", "id": "m9", "text": "", "action": "erase"}
        assert page.request.post(f"{child.origin}/{CITY}", multipart=erase).ok
        page.get_by_label("Typ hier").fill("dit mag niet weg")
        page.get_by_role("button", name="Stuur").click()
        expect(page.locator("#notice")).to_contain_text("Alles is hier nu weg")
        assert page.get_by_label("Typ hier").input_value() == "dit mag niet weg"
        page.get_by_role("button", name="Stuur").click()
        expect(page.locator(".me .words")).to_have_text("dit mag niet weg")
