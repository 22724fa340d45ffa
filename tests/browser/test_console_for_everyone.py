"""The console for who uses a keyboard, a phone, large type, no script; and against a child's text that tries to break out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from bot.channels.web.spec import WEBCHAT
from handoff import confidant
from handoff.chats.conversation import Door, find
from handoff.models import person
from handoff.queue import handoffs
from tests.browser.console_desk import DESK, PHONE, Served, faults_of, served
from tests.handoff.desk import invite, new_child, print_again, read, write
from tests.make import House, rows

pytestmark = pytest.mark.browser

CRUEL = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    '"><iframe src=javascript:alert(1)>',
    "</bdi></p></li></ol><form action=https://evil.example><input name=tekst>",
    "</textarea><script>alert(1)</script>",
    "<style>*{display:none}</style>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<a href='javascript:alert(1)'>klik</a> https://evil.example [x](javascript:alert(1))",
    "{{7*7}} ${7*7} {% raw %}",
    "&lt;b&gt; &#60;b&#62;",
    "\u202e\u2066omgekeerd\u202c links \u200f",
    "Z" + "\u0336\u0301" * 300,
    "x" * 3000,
    "regel\n" * 400,
    "half \ud83d paar \0 nul \x1b[31m",
    "👩\u200d👩\u200d👧\u200d👦 🏳️\u200d🌈",
)


@pytest.fixture
def site(sqlite_house: House, chromium: Browser) -> Iterator[Served]:
    """A console with two confidants."""
    sqlite_house.confidant("sanne")
    sqlite_house.confidant("noor")
    with served(sqlite_house, chromium) as made:
        yield made


def _fills_the_page(page: Page) -> bool:
    """Nothing sticks out sideways: nobody has to scroll in two directions."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def test_a_childs_text_stays_text_first_and_live(site: Served) -> None:
    house = site.house
    child = new_child(house, CRUEL[0])
    for text in CRUEL[1:]:
        child.say(text)
    with site.window("sanne", viewport=PHONE) as page:
        page.get_by_role("button", name="Overnemen").click()
        page.wait_for_url("**/gesprek/*")
        for text in CRUEL:
            child.say(text)
        expect(page.locator(".pe-line--child")).to_have_count(2 * len(CRUEL), timeout=20_000)
        assert page.locator("#regels :is(script, img, svg, iframe, style, meta, form, input, a)").count() == 0
        shown = page.locator(".pe-line--child .pe-words").all_inner_texts()
        assert "<script>alert(1)</script>" in shown
        assert "{{7*7}} ${7*7} {% raw %}" in shown
        assert "U+202EU+2066omgekeerdU+202C links U+200F" in shown
        assert "half U+D83D paar U+0000 nul U+001B[31m" in shown
        assert CRUEL[-1] in shown
        assert _fills_the_page(page)
        assert page.url.startswith(site.origin)
        tallest = page.evaluate(
            "Math.max(...[...document.querySelectorAll('.pe-line')].map(e => e.getBoundingClientRect().height))"
        )
        widest = page.evaluate("Math.max(...[...document.querySelectorAll('.pe-line')].map(e => e.getBoundingClientRect().right))")
        assert tallest < 40 * 400
        assert widest <= 360
        piled = page.locator(".pe-line--child", has_text="accenten").first
        assert "+596 accenten" in piled.inner_text()


def test_trusted_types_hold_in_the_page(site: Served) -> None:
    context = site.browser.new_context()
    page = context.new_page()
    site.sign_in(page, "sanne")
    tries = "try { document.body.innerHTML = '<b>x</b>'; 'in' } catch (e) { e.name }"
    assert page.evaluate(tries) == "TypeError"
    context.close()


def _tab_to(page: Page, wanted: str, limit: int = 40) -> None:
    for _ in range(limit):
        page.keyboard.press("Tab")
        text = page.evaluate("(document.activeElement.innerText || document.activeElement.name || '') + ''")
        if wanted in text:
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", f"{wanted} has no visible focus"
            return
    pytest.fail(f"{wanted} cannot be reached with Tab")


def test_the_whole_day_with_the_keyboard_alone(site: Served) -> None:
    new_child(site.house, "mn vader slaat me", "disclose_physical_abuse")
    with site.window("sanne") as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.innerText") == "Naar de inhoud"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "inhoud"
        _tab_to(page, "Ik heb dienst")
        page.keyboard.press("Enter")
        expect(page.get_by_text("U hebt dienst.")).to_be_visible()
        _tab_to(page, "Overnemen")
        page.keyboard.press("Enter")
        page.wait_for_url("**/gesprek/*")
        _tab_to(page, "tekst")
        page.keyboard.type("Hoi")
        page.keyboard.press("Enter")
        page.keyboard.type("ik ben er")
        page.keyboard.press("Control+Enter")
        expect(page.locator(".pe-line--confidant .pe-words")).to_have_text("Hoi\nik ben er")
        _tab_to(page, "Afsluiten")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        _tab_to(page, "Gesprek afsluiten")
        page.keyboard.press("Enter")
        expect(page.get_by_text("U hebt het gesprek afgesloten.")).to_be_visible()


def test_focus_stays_where_it_was_when_the_queue_changes(site: Served) -> None:
    first = new_child(site.house).handoff_id
    with site.window("sanne") as page:
        page.wait_for_function("() => performance.getEntriesByType('resource').some(e => e.name.endsWith('/wachtrij-deel'))")
        page.locator(f"#neem-{first}").focus()
        new_child(site.house, "hij komt", "acute_danger")
        expect(page.locator("[data-waiting]")).to_have_count(2)
        assert page.evaluate("document.activeElement.id") == f"neem-{first}"


def test_everything_works_without_a_script(site: Served) -> None:
    child = new_child(site.house, "mn vader slaat me", "disclose_physical_abuse")
    with site.window("sanne", java_script_enabled=False) as page:
        expect(page.get_by_text("Zonder JavaScript ververst")).to_be_visible()
        page.get_by_role("button", name="Ik heb dienst").click()
        page.get_by_role("button", name="Overnemen").click()
        page.get_by_label("Uw bericht aan het kind").fill("Dag, ik ben Sanne")
        page.get_by_role("button", name="Versturen").click()
        expect(page.get_by_text("Dag, ik ben Sanne")).to_be_visible()
        child.say("dag sanne")
        page.get_by_role("link", name="Kijk of er een antwoord is").click()
        expect(page.get_by_text("dag sanne")).to_be_visible()
        page.locator("summary", has_text="Afsluiten").click()
        page.get_by_label("Gepraat, nu is er niets meer nodig").check()
        page.get_by_role("button", name="Gesprek afsluiten").click()
        page.get_by_role("button", name="Uitloggen").click()
        expect(page.get_by_text("U bent uitgelogd.")).to_be_visible()


def test_a_page_whose_script_did_not_arrive_says_that_it_does_not_refresh(site: Served) -> None:
    """A new module is unknown to an old browser, and a network can lose it: the page must not look alive."""
    with site.window("sanne") as page:
        note = page.get_by_text("Zonder JavaScript ververst")
        expect(note).to_be_hidden()
        page.route("**/console.js", lambda route: route.abort())
        page.reload()
        expect(note).to_be_visible()
        new_child(site.house)
        note.get_by_role("link", name="Ververs de pagina").click()
        page.get_by_role("button", name="Overnemen").click()
        expect(page.get_by_label("Uw bericht aan het kind")).to_be_visible()
        expect(page.get_by_text("Ctrl+Enter verstuurt")).to_be_hidden()


LOOKS: dict[str, dict[str, Any]] = {
    "phone": {"viewport": PHONE},
    "desk": {"viewport": DESK},
    "dark": {"viewport": PHONE, "color_scheme": "dark"},
    "large": {"viewport": {"width": 640, "height": 400}, "device_scale_factor": 2},
    "narrow": {"viewport": {"width": 320, "height": 256}},
    "contrast": {"viewport": DESK, "forced_colors": "active"},
}


@pytest.mark.parametrize("look", LOOKS)
def test_every_page_passes_axe_and_fits(site: Served, look: str) -> None:
    house = site.house
    one, two = new_child(house, "mn vader slaat me", "disclose_physical_abuse"), new_child(house, "hoi")
    new_child(house, "hij komt nu", "acute_danger")
    invite(house, "kim")
    held = two.handoff_id
    with site.window(**LOOKS[look]) as page:
        checked = _Checked(page, look)
        page.goto(f"{site.origin}/inloggen")
        checked("inloggen")
        page.get_by_label("Inlognaam").fill("sanne")
        page.get_by_label("Wachtzin", exact=True).fill("fout")
        page.get_by_role("button", name="Inloggen").click()
        expect(page.get_by_role("alert")).to_be_visible()
        checked("inloggen-fout")
        (proof,) = (row.own_proof for row in rows(house, person) if row.login == "sanne")
        print_again(house, "sanne")
        page.get_by_label("Inlognaam").fill("sanne")
        page.get_by_label("Wachtzin", exact=True).fill(house.phrases["sanne"])
        page.get_by_role("button", name="Inloggen").click()
        page.wait_for_url("**/nieuwe-wachtzin")
        checked("nieuwe-wachtzin")
        write(house, lambda tx: tx.execute(person.update().where(person.c.login == "sanne").values(own_proof=proof)))
        site.sign_in(page, "sanne")
        page.get_by_role("button", name="Ik heb dienst").click()
        noor = next(w for w in house._signed_in if w.first_name == "Noor")
        write(house, lambda tx: confidant.claim(tx, house.runtime, noor, held, house.clock()))
        expect(page.locator("#ander-" + held)).to_be_visible()
        checked("wachtrij")
        page.locator(f"#neem-{_of(house, one.token)}").click()
        page.wait_for_url("**/gesprek/*")
        for text in ("\u202egekke tekens\0", "ja hij is weg. ik ben boven op mn kamer"):
            one.say(text, "vague_distress")
        page.get_by_label("Uw bericht aan het kind").fill("Hoi, ik ben Sanne. Goed dat je schrijft.")
        page.get_by_role("button", name="Versturen").click()
        expect(page.locator("#regels .pe-line--confidant")).to_have_count(1)
        for section in page.locator(".pe-actions summary").all():
            section.click()
        checked("gesprek")
        page.goto(f"{site.origin}/gesprek/{held}")
        checked("niet-van-u")
        page.goto(f"{site.origin}/team")
        checked("team")
        page.goto(f"{site.origin}/nergens")
        checked("niet-gevonden")


def _of(house: House, token: bytes) -> str:
    chat = read(house, lambda tx: find(tx, house.runtime.vault, Door(WEBCHAT, token)))
    assert chat is not None
    found = read(house, lambda tx: handoffs.open_of(tx, chat.id))
    assert found is not None
    return found.id


class _Checked:
    """Axe, no sideways scrolling, and a picture to look at when `PRAAT_PICTURES` names a folder."""

    def __init__(self, page: Page, look: str) -> None:
        self._page = page
        self._look = look

    def __call__(self, name: str) -> None:
        """Check the page as it is now."""
        folder = os.environ.get("PRAAT_PICTURES")
        if folder:
            self._page.screenshot(path=Path(folder) / f"{self._look}-{name}.png", full_page=True)
        assert faults_of(self._page) == [], name
        assert _fills_the_page(self._page), f"{name} sticks out at {self._look}"


STILL = """() => {
    document.getElementById('inhoud').focus();
    window.touched = [];
    const counts = m => !(m.target.closest && m.target.closest('time')) && m.attributeName !== 'data-now';
    const name = m => m.type + ' ' + (m.target.id || m.target.nodeName);
    new MutationObserver(all => window.touched.push(...all.filter(counts).map(name)))
        .observe(document, {subtree: true, childList: true, characterData: true, attributes: true});
}"""


def _settle(page: Page) -> None:
    """What the page asked before is answered and drawn: two questions of ours come after it."""
    for _ in range(2):
        page.evaluate("fetch('/wachtrij-deel', {headers: {'X-Console': '1'}}).then(answer => answer.text())")


@pytest.mark.parametrize("where", ["queue", "chat"])
def test_a_page_on_which_nothing_changes_is_not_touched(site: Served, where: str) -> None:
    """A live region that gets the same text again may be spoken again; what is selected or focused would be lost."""
    new_child(site.house)
    with site.window("sanne") as page:
        if where == "chat":
            page.get_by_role("button", name="Overnemen").click()
            expect(page.get_by_label("Uw bericht aan het kind")).to_be_visible()
        expect(page.locator("#verbinding")).to_be_hidden()
        with page.expect_response("**/deel?na=*" if where == "chat" else "**/wachtrij-deel"):
            page.evaluate("new BroadcastChannel('praat-console').postMessage({name: 'klop'})")
        _settle(page)
        page.evaluate(STILL)
        for _ in range(3):
            with page.expect_response("**/deel?na=*" if where == "chat" else "**/wachtrij-deel"):
                page.evaluate("new BroadcastChannel('praat-console').postMessage({name: 'klop'})")
            page.evaluate("new BroadcastChannel('praat-console').postMessage({up: true})")
        _settle(page)
        assert page.evaluate("window.touched") == []
