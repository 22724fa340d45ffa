"""A confidant's day in a real browser: sign in, be on duty, take a child over, talk, hand on. Nothing is reloaded by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from bot import child as child_side
from bot.channels.web.spec import WEBCHAT
from handoff.chats.conversation import Door
from handoff.queue import handoffs
from tests.browser.console_desk import PHONE, Served, served
from tests.handoff.desk import Child, new_child, print_again, read, write
from tests.make import House

pytestmark = pytest.mark.browser


@pytest.fixture
def site(sqlite_house: House, chromium: Browser) -> Iterator[Served]:
    """A console with two confidants."""
    sqlite_house.confidant("sanne")
    sqlite_house.confidant("noor")
    with served(sqlite_house, chromium) as made:
        yield made


def _heard(page: Page) -> str:
    return page.locator("html").get_attribute("data-laatst-geluid") or ""


def _listening(page: Page) -> None:
    """The stream is open: the page has refreshed itself once by it."""
    page.wait_for_function("() => performance.getEntriesByType('resource').some(e => e.name.endsWith('/wachtrij-deel'))")


def test_a_waiting_child_appears_by_itself_with_a_sound_and_a_title(site: Served) -> None:
    with site.window("sanne") as page:
        _listening(page)
        page.get_by_role("button", name="Ik heb dienst").click()
        expect(page.get_by_text("U hebt dienst.")).to_be_visible()
        expect(page.get_by_text("Nu aanwezig: Sanne (u)")).to_be_visible()
        expect(page).to_have_title("Wachtrij – Praat erover")
        _listening(page)
        page.locator("h1").click()
        new_child(site.house, "hoi", "greet")
        expect(page.locator("[data-waiting]")).to_have_count(1)
        expect(page).to_have_title("(1) Wachtrij – Praat erover")
        page.wait_for_function("() => (document.documentElement.dataset.laatstGeluid || '').startsWith('waiting')")
        new_child(site.house, "hij komt", "acute_danger")
        expect(page).to_have_title("(2) Wachtrij – Praat erover")
        expect(page.locator("[data-waiting]").first).to_contain_text("acuut")
        page.wait_for_function("() => (document.documentElement.dataset.laatstGeluid || '').startsWith('acute')")


def test_the_sound_repeats_while_an_acute_child_waits_and_stops_when_taken(site: Served) -> None:
    new_child(site.house, "hij komt", "acute_danger")
    with site.window("sanne") as page:
        _listening(page)
        page.locator("h1").click()
        site.house.clock.turn(seconds=26)
        page.wait_for_function("() => (document.documentElement.dataset.laatstGeluid || '').startsWith('acute')")
        with site.window("noor") as other:
            other.get_by_role("button", name="Overnemen").click()
            other.wait_for_url("**/gesprek/*")
        expect(page.locator("[data-waiting]")).to_have_count(0)
        before = _heard(page)
        with page.expect_response("**/wachtrij-deel"):
            site.house.clock.turn(seconds=26)
        assert _heard(page) == before


def test_sound_and_title_can_be_switched_off_and_stay_off(site: Served) -> None:
    with site.window("sanne") as page:
        page.get_by_label("Geluid als er een kind komt").uncheck()
        page.get_by_label("Aantal in de titel").uncheck()
        page.reload()
        assert not page.get_by_label("Geluid als er een kind komt").is_checked()
        _listening(page)
        page.locator("h1").click()
        new_child(site.house, "hij komt", "acute_danger")
        expect(page.locator("[data-waiting]")).to_have_count(1)
        expect(page).to_have_title("Wachtrij – Praat erover")
        assert _heard(page) == ""
        kept = page.evaluate("JSON.stringify([Object.entries(localStorage).sort(), Object.entries(sessionStorage)])")
        assert kept == '[[["praat-geluid","uit"],["praat-titel","uit"]],[]]'


def test_waiting_time_counts_on(site: Served) -> None:
    new_child(site.house)
    site.house.clock.turn(minutes=3)
    with site.window("sanne") as page:
        timer = page.locator("[data-waiting] time")
        expect(timer).to_have_text(re.compile(r"^3 min 0\d s$"))
        was = timer.text_content() or ""
        expect(timer).not_to_have_text(was)


def _take(page: Page) -> str:
    page.get_by_role("button", name="Overnemen").first.click()
    page.wait_for_url("**/gesprek/*")
    return page.url.rsplit("/", 1)[1].split("#")[0]


def _write(page: Page, text: str) -> None:
    page.get_by_label("Uw bericht aan het kind").fill(text)
    page.keyboard.press("Control+Enter")


@pytest.mark.parametrize("viewport", [None, PHONE], ids=["desk", "phone"])
def test_words_go_both_ways_live_and_arrival_is_shown(site: Served, viewport: dict[str, int] | None) -> None:
    house = site.house
    child = new_child(house, "mn vader slaat me", "disclose_physical_abuse")
    options = {"viewport": viewport} if viewport else {}
    with site.window("sanne", **options) as page:
        _take(page)
        expect(page.get_by_text("mn vader slaat me")).to_be_visible()
        expect(page.get_by_text("lichamelijk geweld, hoog")).to_be_visible()
        expect(page.get_by_text("Het kind heeft de pagina nu open")).to_be_visible()
        _listening(page)
        _write(page, "Hoi, ik ben Sanne.\nBen je veilig?")
        mine = page.locator(".pe-line--confidant", has_text="Ben je veilig?")
        expect(mine).to_have_count(1)
        expect(mine).to_contain_text("onderweg")
        expect(page.get_by_label("Uw bericht aan het kind")).to_have_value("")
        child.say("ja hij is weg", "vague_distress")
        expect(page.get_by_text("ja hij is weg")).to_be_in_viewport()
        _confirm(house, child)
        expect(mine).to_contain_text("aangekomen")
        expect(mine).to_have_count(1)


def _confirm(house: House, child: Child) -> None:
    door = Door(WEBCHAT, child.token)
    write(house, lambda tx: child_side.confirm(tx, house.runtime, door, 99, house.clock()))


def test_give_back_transfer_and_close_reach_the_colleague_live(site: Served) -> None:
    child = new_child(site.house)
    with site.window("sanne") as sanne, site.window("noor") as noor:
        _listening(noor)
        handoff_id = _take(sanne)
        expect(noor.locator("#ander-" + handoff_id)).to_contain_text("Sanne")
        sanne.get_by_text("Overdragen aan een collega").click()
        sanne.get_by_label("Collega").select_option(label="Noor")
        sanne.get_by_role("button", name="Overdragen").click()
        expect(sanne.get_by_text("staat klaar voor uw collega")).to_be_visible()
        expect(noor.locator("#kind-" + handoff_id)).to_contain_text("Gevraagd: u")
        _take(noor)
        noor.get_by_text("Teruggeven aan de wachtrij").click()
        noor.get_by_role("button", name="Teruggeven").click()
        expect(sanne.locator("#kind-" + handoff_id)).to_be_visible()
        _take(sanne)
        sanne.locator("summary", has_text="Afsluiten").click()
        sanne.get_by_label("Gepraat, nu is er niets meer nodig").check()
        sanne.get_by_role("button", name="Gesprek afsluiten").click()
        expect(sanne.get_by_text("U hebt het gesprek afgesloten.")).to_be_visible()
    assert read(site.house, lambda tx: handoffs.get(tx, handoff_id)).outcome == "talked"
    assert child.count == 1


def test_two_confidants_want_the_same_child_and_one_gets_it(site: Served) -> None:
    new_child(site.house)
    with site.window("sanne") as sanne, site.window("noor") as noor:
        sanne.locator("[data-waiting]").wait_for()
        action = noor.locator("[data-waiting] form").get_attribute("action") or ""
        _take(sanne)
        noor.evaluate(
            """action => {
            const form = Object.assign(document.createElement("form"), { method: "post", action });
            document.body.append(form);
            form.submit();
        }""",
            action,
        )
        expect(noor.get_by_role("alert")).to_contain_text("Een collega was u net voor")
        expect(noor.locator("#wachtrij")).to_contain_text("Sanne")


def test_a_claim_that_is_lost_meanwhile_is_said_and_the_text_stays(site: Served) -> None:
    new_child(site.house)
    house = site.house
    with site.window("sanne") as page:
        handoff_id = _take(page)
        _listening(page)
        page.get_by_label("Uw bericht aan het kind").fill("wat ik net wilde zeggen")
        later = house.clock.now.replace(year=2027)
        assert write(house, lambda tx: handoffs.lapse(tx, handoff_id=handoff_id, now=later))
        expect(page.get_by_role("alert")).to_contain_text("in de wachtrij")
        expect(page.get_by_label("Uw bericht aan het kind")).to_have_value("wat ik net wilde zeggen")
        expect(page.get_by_role("button", name="Versturen")).to_be_disabled()


def test_a_child_that_erases_everything_is_told_as_that(site: Served) -> None:
    made = new_child(site.house)
    with site.window("sanne", viewport=PHONE) as page:
        _take(page)
        _listening(page)
        erase = Door(WEBCHAT, made.token)
        write(site.house, lambda tx: child_side.erase(tx, site.house.runtime, erase, site.house.clock()))
        expect(page.get_by_role("alert")).to_contain_text("Het kind heeft dit gesprek gewist")
        expect(page.get_by_role("button", name="Versturen")).to_be_disabled()


def test_offline_a_message_waits_in_the_page_and_is_sent_once(site: Served) -> None:
    new_child(site.house)
    with site.window("sanne") as page:
        handoff_id = _take(page)
        _listening(page)
        page.context.set_offline(True)
        _write(page, "eerste")
        _write(page, "tweede")
        expect(page.locator("#onderweg li")).to_have_count(2)
        expect(page.locator("#onderweg")).to_contain_text("wacht op verbinding")
        page.context.set_offline(False)
        expect(page.locator("#regels .pe-line--confidant")).to_have_count(2, timeout=20_000)
        expect(page.locator("#onderweg li")).to_have_count(0)
        texts = page.locator("#regels .pe-line--confidant .pe-words").all_inner_texts()
        assert texts == ["eerste", "tweede"]
        page.goto(f"{site.origin}/gesprek/{handoff_id}")
        expect(page.locator(".pe-line--confidant")).to_have_count(2)


def test_an_answer_that_got_lost_does_not_make_two_messages(site: Served) -> None:
    new_child(site.house)
    with site.window("sanne") as page:
        _take(page)
        lost: list[str] = []

        def lose_the_first_answer(route: Route) -> None:
            if lost:
                route.continue_()
            else:
                lost.append("x")
                route.fetch()
                route.abort()

        page.route("**/schrijven", lose_the_first_answer)
        _write(page, "precies één keer")
        expect(page.locator("#onderweg li")).to_have_count(0, timeout=15_000)
        expect(page.locator("#regels .pe-line--confidant")).to_have_count(1)


def test_signing_out_in_one_tab_empties_the_others(site: Served) -> None:
    new_child(site.house, "woorden die weg moeten")
    with site.window("sanne") as page:
        _take(page)
        _listening(page)
        second = page.context.new_page()
        second.goto(f"{site.origin}/")
        second.get_by_role("button", name="Uitloggen").click()
        expect(second.get_by_text("U bent uitgelogd.")).to_be_visible()
        expect(page.get_by_text("U bent uitgelogd.")).to_be_visible(timeout=6000)
        assert "woorden die weg moeten" not in page.content()
        second.go_back()
        expect(second.get_by_text("niet meer ingelogd").or_(second.get_by_role("heading", name="Inloggen"))).to_be_visible()


def test_many_tabs_share_one_stream(site: Served) -> None:
    with site.window("sanne") as page:
        _listening(page)
        tabs = [page.context.new_page() for _ in range(7)]
        for tab in tabs:
            tab.goto(f"{site.origin}/")
        new_child(site.house)
        for tab in (page, *tabs):
            expect(tab.locator("[data-waiting]")).to_have_count(1)
        streams = [
            t.evaluate("performance.getEntriesByType('resource').filter(e => e.name.endsWith('/stroom')).length") for t in tabs
        ]
        assert sum(streams) == 0


def test_one_time_passphrase_is_renewed_and_then_the_queue_opens(site: Served) -> None:
    with site.window() as page:
        print_again(site.house, "sanne")
        page.goto(f"{site.origin}/inloggen")
        page.get_by_label("Inlognaam").fill("sanne")
        page.get_by_label("Wachtzin", exact=True).fill(site.house.phrases["sanne"])
        page.keyboard.press("Enter")
        page.wait_for_url("**/nieuwe-wachtzin")
        words = page.locator(".pe-phrase li").all_inner_texts()
        page.get_by_label("Typ de zes woorden over").fill(" ".join(words))
        page.get_by_role("button", name="Deze wachtzin gebruiken").click()
        expect(page.get_by_text("Uw nieuwe wachtzin is opgeslagen")).to_be_visible()
