"""Words that try to be more than words, in the real browser: nothing runs, nothing leaves its bubble."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from config.intents import Urgency
from nlu.understanding import Understanding
from tests.bot.web import Site
from tests.browser.child_desk import Child, send, served, words
from tests.make import House

pytestmark = pytest.mark.browser

ATTACKS = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "\"><svg onload=alert(1)>", "</p></div><h1>groot</h1>",
    "javascript:alert(1)", "{{constructor.constructor('alert(1)')()}}", "<a href=javascript:alert(1)>klik</a>",
    "</textarea><script>alert(1)</script>", "<iframe srcdoc='<script>alert(1)</script>'>",
    "data:text/html,<script>alert(1)</script>",
    "event: gone\ndata: {}\n\n", "<base href=https://elders.example/>", "&lt;b&gt; &amp; &#x41;", "112 0800-0432",
]  # fmt: skip


@pytest.fixture
def child(sqlite_house: House, chromium: Browser) -> Iterator[Child]:
    """A served site."""
    with served(sqlite_house, chromium) as made:
        yield made


def _plain(page: Page) -> None:
    """Nothing but our own elements is in the log, and words of people hold no element at all."""
    assert page.locator("#log .me .words *, #log .human .words *").count() == 0
    assert page.locator("#log :not(div, p, span, a[href^='tel:'])").count() == 0
    assert page.locator("script").count() == 1


def test_words_of_a_child_and_of_a_human_stay_words(child: Child) -> None:
    with child.window() as page:
        for attack in ATTACKS:
            send(page, attack)
        handoff_id = child.site.claim()
        for number, attack in enumerate(ATTACKS):
            child.site.write(handoff_id, attack, f"c{number}")
        expect(page.locator(".human")).to_have_count(len(ATTACKS))
        assert page.locator(".me .words").evaluate_all("all => all.map(e => e.textContent)") == ATTACKS
        assert page.locator(".human .words").evaluate_all("all => all.map(e => e.textContent)") == ATTACKS
        _plain(page)
        page.reload()
        expect(page.locator(".human")).to_have_count(len(ATTACKS))
        _plain(page)


def test_words_stay_words_without_javascript(child: Child) -> None:
    with child.window(java_script_enabled=False) as page:
        for attack in ATTACKS:
            page.get_by_label("Typ hier").fill(attack)
            page.get_by_role("button", name="Stuur").click()
        expect(page.locator(".me")).to_have_count(len(ATTACKS))
        _plain(page)


def test_no_text_can_become_code(child: Child) -> None:
    with child.context() as context:
        page = context.new_page()
        page.goto(child.origin + "/voorbeeldstad")
        for attempt in (
            "document.body.innerHTML = '<b>x</b>'",
            "document.createElement('script').text = 'x'",
            "new DOMParser().parseFromString('<b>', 'text/html')",
            "trustedTypes.createPolicy('default', {createHTML: x => x})",
        ):
            assert (
                page.evaluate(f"() => {{ try {{ {attempt}; return 'went through' }} catch (e) {{ return e.name }} }}")
                == "TypeError"
            )
        refused = page.evaluate(
            """async () => {
                const seen = [];
                document.addEventListener('securitypolicyviolation', event => seen.push(event.effectiveDirective));
                const image = document.createElement('img');
                image.src = 'https://elders.example/x.png';
                document.body.append(image);
                await fetch('https://elders.example/').catch(() => 0);
                const element = document.createElement('p');
                element.setAttribute('style', 'color: red');
                await new Promise(done => setTimeout(done, 200));
                return seen.sort();
            }"""
        )
        assert refused == ["connect-src", "img-src", "style-src-attr"]


def test_each_bubble_reads_in_its_own_direction(sqlite_house: House, chromium: Browser) -> None:
    site = Site(sqlite_house, lambda _text: Understanding("greet", 0.9, Urgency.NORMAL, "ar"))
    with served(sqlite_house, chromium, site) as child, child.window() as page:
        send(page, "مرحبا، أنا خائف")
        bot, mine = page.locator(".bot .words"), page.locator(".me .words")
        expect(bot).to_have_attribute("dir", "rtl")
        expect(bot).to_have_attribute("lang", "ar")
        assert bot.evaluate("e => getComputedStyle(e).direction") == "rtl"
        assert mine.evaluate("e => getComputedStyle(e).direction") == "rtl"
        assert bot.get_by_role("link", name="0800-0432").evaluate("e => getComputedStyle(e).direction") == "ltr"
        assert page.evaluate("getComputedStyle(document.body).direction") == "ltr"
        send(page, "hoi")
        assert mine.last.evaluate("e => getComputedStyle(e).direction") == "ltr"


def test_odd_letters_stay_inside_their_bubble(child: Child) -> None:
    with child.window() as page:
        send(page, "gewoon")
        plain = page.locator(".me").last.bounding_box()
        for text in ("z" + "\u0335\u0301" * 500, "\u202enegietsrev", "a\u0000b", "\u2066\u2067\u2068x"):
            send(page, text)
            box = page.locator(".me").last.bounding_box()
            assert plain
            assert box
            assert box["height"] <= plain["height"] * 1.5
        after = page.locator(".me .meta").last
        expect(after).to_contain_text("Bewaard")
        long = "aaaaaaaaaa" * 60
        send(page, long)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert words(page).count(long) == 1


def test_a_lone_half_of_a_letter_does_not_break_the_page(child: Child) -> None:
    with child.window() as page:
        page.evaluate("document.getElementById('text').value = 'half \\ud83d en \\udc00'")
        page.get_by_role("button", name="Stuur").click()
        expect(page.locator(".me:not(.waits)")).to_have_count(1)
        page.reload()
        expect(page.locator(".me .words")).to_have_count(1)
        assert page.locator(".me .words").evaluate("e => e.textContent") == "half \ud83d en \udc00"
