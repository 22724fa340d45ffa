"""Pages as they go over the wire: headers, size, numbers on every one of them, and nothing in an address."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
import socket

import pytest
from structlog.testing import capture_logs

from bot.channels.web.labels import LABELS, STATES
from bot.channels.web.text import parts
from config.schema import Configuration
from config.search import search
from handoff.display import shown
from tests.bot.web import Site, new_token
from tests.make import CITY, House, configuration
from tests.serving import serving

ROUND_TRIP = 14 * 1024
"""Bytes that reach a phone in the first round trip (ten TCP segments)."""

HEADERS = {
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
POLICY = (
    "default-src 'none'; script-src 'sha256-…'; style-src 'sha256-…'; connect-src 'self'; form-action 'self'; img-src data:; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
BARE = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

PLACES = [
    ("GET", f"/{CITY}", 200), ("GET", "/", 200), ("GET", "/nergens", 404), ("GET", "/a/b/c", 404), ("PUT", f"/{CITY}", 405),
    ("GET", f"/api/{CITY}/status", 200), ("GET", f"/api/{CITY}/messages", 404), ("GET", "/api", 404),
    ("DELETE", f"/api/{CITY}/erase", 405),
    ("GET", "/weg", 303), ("GET", f"/weg/{CITY}", 303), ("GET", "/favicon.ico", 404), ("GET", "/api/x/y/z", 404),
    ("HEAD", f"/{CITY}", 200),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "status"), PLACES)
def test_every_answer_has_the_same_strict_headers(site: Site, method: str, path: str, status: int) -> None:
    answer = site.ask(method, path)
    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    policy = re.sub(r"sha256-[\w+/]+=*", "sha256-…", answer.headers["content-security-policy"])
    assert policy == (POLICY if answer.headers.get("content-type", "").startswith("text/html") else BARE)
    assert "set-cookie" not in answer.headers
    assert "server" not in answer.headers


@pytest.mark.parametrize("path", [f"/{CITY}", "/", "/nergens"])
def test_exactly_the_script_and_style_inside_may_run(site: Site, path: str) -> None:
    answer = site.ask("GET", path)
    for tag in ("script", "style"):
        (inside,) = re.findall(rf"<{tag}(?: type=\"module\")?>(.*?)</{tag}>", answer.text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in answer.headers["content-security-policy"]
    assert not re.search(r'\son\w+="|javascript:|style="', answer.text)
    assert re.findall(r'(?:src|href|action)="(?!tel:|/|data:,")([^"]*)"', answer.text) == []


def test_https_is_kept_by_the_browser(sqlite_house: House) -> None:
    site = Site(sqlite_house, options={"origin": "https://praat.example"})
    assert site.ask("GET", "/nergens").headers["strict-transport-security"] == "max-age=31536000"


def test_the_first_view_is_one_answer_that_fits_in_one_round_trip(site: Site) -> None:
    with serving(site.app, site.stop) as url, socket.create_connection((url.hostname or "", url.port or 0)) as phone:
        ask = f"GET /{CITY} HTTP/1.1\r\nHost: {url.netloc}\r\nAccept-Encoding: gzip, deflate, br\r\nConnection: close\r\n\r\n"
        phone.sendall(ask.encode())
        wire = b"".join(iter(lambda: phone.recv(65536), b""))
    head, _, body = wire.partition(b"\r\n\r\n")
    page = gzip.decompress(body).decode()
    assert head.startswith(b"HTTP/1.1 200")
    assert len(wire) <= ROUND_TRIP, f"{len(wire)} bytes"
    assert page.rstrip().endswith("</html>")
    assert "<link" not in page.replace('<link rel="icon" href="data:,">', "")


def test_the_first_view_says_everything_before_a_word_is_typed(site: Site) -> None:
    site.on_duty()
    page = site.ask("GET", f"/{CITY}").text
    for said in (
        "Ik ben een computer", "geen mens", 'href="tel:112"', 'href="tel:08000432"', "Er is nu een mens van de gemeente",
        "kan niet beloven", "je naam niet", "Foto", "Druk op Snel weg", "Wis alles", "Ik wil een mens",
    ):  # fmt: skip
        assert said in page, said
    assert "<title>Voorbeeldstad</title>" in page


@pytest.mark.parametrize("present", [True, False])
def test_the_page_says_truly_whether_a_human_is_there(site: Site, present: bool) -> None:
    site.on_duty(present=present)
    said = "Er is nu een mens van de gemeente"
    assert (said in site.ask("GET", f"/{CITY}").text) is present
    assert (said in site.ask("GET", f"/api/{CITY}/status").json()["duty"]) is present


def test_while_the_kindertelefoon_sleeps_another_line_is_shown(site: Site) -> None:
    extra = re.compile(r'<a class="call wide" id="extra" href="tel:08002000"( hidden)?>')
    day = extra.search(site.ask("GET", f"/{CITY}").text)
    site.house.clock.turn(hours=12)
    night = extra.search(site.ask("GET", f"/{CITY}").text)
    assert day
    assert night
    assert (day.group(1), night.group(1)) == (" hidden", None)
    assert site.ask("GET", f"/api/{CITY}/status").json()["extra"] is True


def test_without_a_database_the_page_comes_says_who_to_call_and_takes_no_words(site: Site) -> None:
    (site.house.folder / "praat.db").unlink()
    answer = site.ask("GET", f"/{CITY}")
    assert answer.status_code == 200
    assert "ik bewaar nu niks" in answer.text
    assert "<footer hidden" in answer.text
    assert "mens van de gemeente is" not in answer.text
    assert "Er is nu" not in re.sub(r'data-page="[^"]*"', "", answer.text)
    assert site.ask("GET", "/").status_code == 200
    assert site.ask("GET", "/nergens").status_code == 404


@pytest.mark.parametrize(("path", "offered"), [("/vorbeeldstad", True), ("/voorbeeld-stad", True), ("/xyzzy", False)])
def test_an_unknown_address_gives_the_numbers_and_what_it_looks_like(site: Site, path: str, offered: bool) -> None:
    answer = site.ask("GET", path)
    assert answer.status_code == 404
    assert 'href="tel:112"' in answer.text
    assert 'href="tel:08000432"' in answer.text
    assert (f'href="/{CITY}"' in answer.text) is offered
    assert "xyzzy" not in answer.text


def test_an_address_in_capitals_leads_to_the_page(site: Site) -> None:
    for path in ("/Voorbeeldstad", "/VOORBEELDSTAD", f"/{CITY}/"):
        answer = site.ask("GET", path)
        assert (answer.status_code, answer.headers["location"]) == (307, f"/{CITY}")


def test_searching_stays_out_of_the_address(site: Site) -> None:
    page = site.ask("GET", "/").text
    assert '<form method="post" action="/"' in page
    found = site.ask("POST", "/", data={"q": "vorbeeldstat"})
    assert f'href="/{CITY}"' in found.text
    nothing = site.ask("POST", "/", data={"q": "<b>xyzzy"})
    assert LABELS["nothing_found"] in nothing.text
    assert "<b>xyzzy" not in nothing.text


def test_the_search_knows_other_spellings() -> None:
    config: Configuration = configuration()
    towns = [config.municipalities[CITY]]
    for query in ("Voorbeeldstad", "gemeente voorbeeldstad", "voorb", "VÓÓRBEELD stad", "vorbeelstad", "Voorbeelddorp"):
        assert search(towns, query) == towns, query
    for query in ("", "   ", "!!!", "Rotterdam", "q" * 10_000):
        assert search(towns, query) == [], query


def test_the_quick_exit_forgets_and_leads_to_a_neutral_site(site: Site) -> None:
    answer = site.ask("GET", f"/weg/{CITY}")
    assert answer.headers["location"] == configuration().municipalities[CITY].exit_url
    assert answer.headers["clear-site-data"] == '"cache", "storage", "cookies"'
    assert site.ask("GET", "/weg/nergens").status_code == 303


SIZES = [(64 * 1024, 400), (64 * 1024 + 1, 413), (10 * 1024 * 1024, 413)]


@pytest.mark.parametrize(("size", "status"), SIZES)
@pytest.mark.parametrize("announced", [True, False])
def test_a_large_body_is_refused_before_it_is_read(site: Site, size: int, status: int, announced: bool) -> None:
    async def pieces() -> object:
        for _ in range(0, size, 1024):
            yield b"x" * 1024
        yield b"x" * (size % 1024)

    content = b"x" * size if announced else pieces()
    answer = site.ask("POST", f"/api/{CITY}/messages", new_token(), content=content)
    assert answer.status_code == status
    assert answer.json()["numbers"][0]["tel"] == "112"
    page = site.ask("POST", f"/{CITY}", content=b"x" * size)
    assert page.status_code == (413 if status == 413 else 415)
    assert 'href="tel:08000432"' in page.text


@pytest.mark.parametrize("length", ["-1", "x", "9" * 40, "1e3"])
def test_a_length_that_is_none_is_refused(site: Site, length: str) -> None:
    assert site.ask("POST", f"/{CITY}", headers={"Content-Length": length}, content=b"x").status_code == 413


def test_when_even_our_own_page_fails_the_numbers_are_still_there(site: Site) -> None:
    runtime = site.house.runtime
    script = runtime.configuration.script
    runtime.configuration = runtime.configuration.model_copy(update={"script": script.model_copy(update={"utterances": {}})})
    with capture_logs() as logged:
        answer = site.ask("GET", f"/{CITY}")
    assert answer.status_code == 500
    assert 'href="tel:112"' in answer.text
    assert 'href="tel:08000432"' in answer.text
    assert {entry["kind"] for entry in logged} == {"KeyError"}


def test_no_label_breaks_the_rules_of_the_script() -> None:
    for label in (*LABELS.values(), *STATES.values()):
        for sentence in re.split(r"[.!?]", label):
            assert len(sentence.split()) <= 10, label
        assert not re.search(r"\b(u|uw|indien)\b", label, re.IGNORECASE), label


def test_numbers_become_links_and_nothing_else_does() -> None:
    known = [("112", "112"), ("113", "113"), ("0800-0432", "08000432")]
    found = parts("Bel 112, of 0800-0432. Niet 0112, 1123 of 0800-04321.", known)
    assert [(p.text, p.tel) for p in found if p.tel] == [("112", "112"), ("0800-0432", "08000432")]
    assert "".join(p.text for p in found) == "Bel 112, of 0800-0432. Niet 0112, 1123 of 0800-04321."
    assert [(p.text, p.tel) for p in parts("112", ())] == [("112", None)]


def test_what_is_shown_can_always_be_sent() -> None:
    for text in ("\ud83d", "\x00", "a" + "\u0301" * 50, "\u202e", "e\u0301ę́", "กำลัง", "שָׁלוֹם"):
        shown(text).encode()
    assert shown("e\u0301\nx\ty") == "e\u0301\nx\ty"
    assert shown("a\x00\x1b") == "a\ufffd\ufffd"


def test_a_gemeente_without_a_confidant_takes_no_words_and_gives_the_numbers(site: Site) -> None:
    """Nothing can be sealed for a team that has no key yet: better no box than a promise."""
    page = site.ask("GET", "/elders")
    assert page.status_code == 200
    assert "tel:112" in page.text
    assert "tel:08000432" in page.text
    assert '<main class="broken">' in page.text
    assert "<footer hidden>" in page.text
