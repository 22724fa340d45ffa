"""What the console refuses: strangers' pages, strangers' ids, large bodies, and words where they do not belong."""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import Any, cast

import pytest

from handoff.console.context import ConsoleSettings
from handoff.console.middleware import MAX_BODY
from handoff.database import Store
from handoff.models import audit_entry, handoff, message, session, shift
from handoff.queue import handoffs
from tests.handoff.desk import ORIGIN, OURS, Desk, desk, new_child, read
from tests.make import CITY, House, rows, team_id_of

TEMPLATES = Path(__file__).parent.parent.parent / "handoff" / "console" / "templates"


def _state(house: House) -> list[Any]:
    """Everything that a request could have changed."""
    return [[tuple(r) for r in rows(house, table)] for table in (audit_entry, handoff, message, session, shift)]


def _mutations(handoff_id: str) -> list[tuple[str, dict[str, str]]]:
    chat = f"/gesprek/{handoff_id}"
    return [
        ("/dienst", {"team": team_id_of(CITY), "dienst": "aan"}),
        (f"/wachtrij/{handoff_id}/overnemen", {}),
        (f"{chat}/schrijven", {"tekst": "hoi", "bericht": "bericht-0001"}),
        (f"{chat}/teruggeven", {}),
        (f"{chat}/overdragen", {"collega": "x"}),
        (f"{chat}/afsluiten", {"uitkomst": "talked"}),
        ("/inloggen", {"naam": "sanne", "wachtzin": "x"}),
        ("/nieuwe-wachtzin", {"nieuw": "x", "merk": "x", "wachtzin": "x"}),
        ("/uitloggen", {}),
        ("/klop", {}),
        ("/team/toelaten", {"persoon": "x", "code": "x"}),
    ]


STRANGERS: list[dict[str, str]] = [
    {},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": f"{ORIGIN}.evil.example"},
    {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"},
    {"Origin": ORIGIN, "Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
]


@pytest.mark.parametrize("headers", STRANGERS, ids=[" ".join(h.values()) or "nothing" for h in STRANGERS])
def test_a_strangers_page_changes_nothing(sqlite_house: House, headers: dict[str, str]) -> None:
    house = sqlite_house
    house.confidant("sanne")
    mine, waits = new_child(house).handoff_id, new_child(house).handoff_id
    with desk(house, "sanne") as sanne:
        sanne.post(f"/wachtrij/{mine}/overnemen")
        before = _state(house)
        for target in (mine, waits):
            for path, fields in _mutations(target):
                assert sanne.request("POST", path, data=fields, headers=headers).status_code == 403, path
        assert _state(house) == before


def test_our_own_page_may(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    with desk(house, "sanne") as sanne:
        for headers in (OURS, {"Origin": ORIGIN}, {"Origin": "http://127.0.0.1:8001"}, {"Sec-Fetch-Site": "same-origin"}):
            answer = sanne.request("POST", "/dienst", data={"team": team_id_of(CITY), "dienst": "aan"}, headers=headers)
            assert answer.status_code == 303


def test_another_origin_may_not_listen_in_but_may_link_to_us(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    with desk(house, "sanne") as sanne:
        for path in ("/stroom", "/wachtrij-deel", "/static/built/console.js"):
            spy = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
            assert sanne.request("GET", path, headers=spy).status_code == 403
            assert sanne.request("GET", path, headers={"Origin": "https://evil.example"}).status_code == 403
        link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
        assert sanne.request("GET", "/inloggen", headers=link).status_code == 200


def test_every_answer_carries_the_headers(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    handoff_id = new_child(house).handoff_id
    with desk(house, "sanne") as sanne:
        sanne.post(f"/wachtrij/{handoff_id}/overnemen")
        answers = [sanne.get(p) for p in ("/", "/inloggen", f"/gesprek/{handoff_id}", "/wachtrij-deel", "/nergens", "/gesprek/x")]
        answers += [sanne.request("POST", "/dienst"), sanne.request("DELETE", "/"), sanne.get("/dienst")]
        answers.append(sanne.request("POST", "/dienst", content=b"x" * 20000, headers=OURS))
        for answer in answers:
            headers = answer.headers
            assert headers["cache-control"] == "no-store"
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "same-origin"
            assert headers["cross-origin-opener-policy"] == "same-origin"
            assert headers["cross-origin-resource-policy"] == "same-origin"
            assert "camera=()" in headers["permissions-policy"]
            policy = headers["content-security-policy"].split("; ")
            assert policy[0] == "default-src 'none'"
            assert {"frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'", "require-trusted-types-for 'script'"} <= set(
                policy
            )
            assert "unsafe" not in headers["content-security-policy"]
            assert "data:" not in headers["content-security-policy"]
        assert sanne.get("/static/console.css").headers["cache-control"] == "no-cache"


def _stranger_answers(someone: Desk, handoff_id: str) -> list[tuple[int, str]]:
    chat = f"/gesprek/{handoff_id}"
    answers = [someone.get(chat), someone.get(f"{chat}/deel?na=1")]
    for path, fields in _mutations(handoff_id)[1:6]:
        answers.append(someone.post(path, **fields))
    return [(a.status_code, a.text) for a in answers]


def test_another_gemeentes_chat_is_the_same_as_none(house: House) -> None:
    house.confidant("sanne")
    house.confidant("vreemd", "elders")
    waits, held = new_child(house).handoff_id, new_child(house).handoff_id
    with desk(house, "sanne") as sanne, desk(house, "vreemd") as stranger:
        sanne.post(f"/wachtrij/{held}/overnemen")
        nothing = _stranger_answers(stranger, secrets.token_urlsafe(16))
        assert {status for status, _ in nothing} == {404}
        for known in (waits, held):
            assert _stranger_answers(stranger, known) == nothing
        assert "wacht nu geen kind" in stranger.get("/").text
        assert stranger.post("/dienst", team=team_id_of(CITY), dienst="aan").status_code == 404
        assert read(house, lambda tx: handoffs.get(tx, waits)).state == "waiting"


@pytest.mark.parametrize("odd", ["x" * 65, "a%00b", "..%2f..", "'%20or%201=1", "%F0%9F%98%80", "a.b"])
def test_what_can_be_no_id_is_not_there(house: House, odd: str) -> None:
    house.confidant("sanne")
    with desk(house, "sanne") as sanne:
        assert sanne.get(f"/gesprek/{odd}").status_code == 404
        assert sanne.post(f"/wachtrij/{odd}/overnemen").status_code == 404
        assert sanne.post("/dienst", team="a\0b", dienst="aan").status_code == 404


@pytest.mark.parametrize("number", ["", "0", "-1", "x", "٣", "9" * 30, "1.0", "%00"])
def test_a_fragment_wants_a_plain_number(sqlite_house: House, number: str) -> None:
    house = sqlite_house
    house.confidant("sanne")
    handoff_id = new_child(house).handoff_id
    with desk(house, "sanne") as sanne:
        sanne.post(f"/wachtrij/{handoff_id}/overnemen")
        assert sanne.get(f"/gesprek/{handoff_id}/deel?na={number}").status_code == 404


def test_a_large_body_is_refused_before_it_is_parsed(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    with desk(house, "sanne") as sanne:
        announced = sanne.request("POST", "/inloggen", content=b"x" * (MAX_BODY + 1), headers=OURS)
        assert announced.status_code == 413
        assert announced.headers["connection"] == "close"

        promised = {**OURS, "Content-Length": "99999999"}
        assert sanne.request("POST", "/inloggen", content=b"x", headers=promised).status_code == 413

        async def drip() -> Any:
            for _ in range(10_000):
                yield b"x" * 1024

        began = time.process_time()
        assert sanne.request("POST", "/inloggen", content=drip(), headers=OURS).status_code == 413
        assert time.process_time() - began < 1
        assert sanne.request("POST", "/inloggen", content=b"x" * MAX_BODY, headers=OURS).status_code in (400, 422)


BROKEN = [
    (b"{", "application/json"), (b"[1]", "application/json"), (b"[" * 8000, "application/json"), (b"\xff\xfe", "application/json"),
    (b"null", "application/json"), (b'{"tekst": 3, "bericht": []}', "application/json"),
    (b"--x", "multipart/form-data; boundary=x"),
    (b"zonder", "multipart/form-data"), (b"%ff%fe=%00", "application/x-www-form-urlencoded"), (b"<x/>", "text/xml"), (b"", ""),
]  # fmt: skip


@pytest.mark.parametrize(("body", "kind"), BROKEN)
def test_broken_input_is_a_client_error_everywhere(sqlite_house: House, body: bytes, kind: str) -> None:
    house = sqlite_house
    house.confidant("sanne")
    handoff_id = new_child(house).handoff_id
    with desk(house, "sanne") as sanne:
        sanne.post(f"/wachtrij/{handoff_id}/overnemen")
        for path in ("/dienst", f"/gesprek/{handoff_id}/schrijven", f"/gesprek/{handoff_id}/afsluiten"):
            status = sanne.request("POST", path, content=body, headers={**OURS, "Content-Type": kind}).status_code
            assert 400 <= status < 500, (path, status)
        assert [m for m in rows(house, message) if m.role == "confidant"] == []


def test_half_a_surrogate_pair_is_sent_and_shown(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    child = new_child(house, "ik \ud83d weet niet \0 meer")
    with desk(house, "sanne") as sanne:
        sanne.post(f"/wachtrij/{child.handoff_id}/overnemen")
        body = b'{"tekst": "dag \\ud83d", "bericht": "bericht-0001"}'
        headers = {**OURS, "Content-Type": "application/json", "X-Console": "1"}
        assert sanne.request("POST", f"/gesprek/{child.handoff_id}/schrijven", content=body, headers=headers).status_code == 200
        page = sanne.get(f"/gesprek/{child.handoff_id}").text
        assert "U+D83D" in page
        assert "U+0000" in page
        assert "dag ?" in page


def test_a_database_that_is_gone_is_said_and_nothing_else(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    handoff_id = new_child(house).handoff_id
    with desk(house, "sanne") as sanne:
        sanne.post(f"/wachtrij/{handoff_id}/overnemen")
        (house.folder / "praat.db").rename(house.folder / "weg.db")
        answer = sanne.post(f"/gesprek/{handoff_id}/schrijven", tekst="geheime zin", bericht="bericht-0001")
        assert answer.status_code == 503
        assert "niets opgeslagen" in answer.text
        assert "geheime zin" not in answer.text
        assert sanne.get("/").status_code == 503
        (house.folder / "weg.db").rename(house.folder / "praat.db")
        assert sanne.get("/").status_code == 200


def test_templates_never_switch_escaping_off() -> None:
    for template in TEMPLATES.glob("*.html"):
        text = template.read_text("utf-8")
        for forbidden in ("|safe", "| safe", "autoescape", "Markup", "style=", "onclick", "onload", "http://", "https://"):
            assert forbidden not in text, (template.name, forbidden)


@pytest.mark.parametrize("origin", ["", "team.example.nl", "https://team.example.nl/pad", "ftp://x", "https://a b"])
def test_an_origin_that_no_browser_sends_is_refused_at_the_start(origin: str) -> None:
    with pytest.raises(ValueError, match="origin"):
        ConsoleSettings(origin)


class BrokenStore:
    """A store with a fault that nobody foresaw, and words of a child in its text."""

    hub = None

    def write(self, _: object) -> Any:
        """Fail."""
        raise RuntimeError("een geheim van een kind")

    read = write


def test_a_fault_of_ours_is_a_page_and_its_text_reaches_no_log(sqlite_house: House, capfd: pytest.CaptureFixture[str]) -> None:
    """The server would write down what an app raises, with the text of the exception: nothing may pass."""
    sqlite_house.confidant("sanne")
    with desk(sqlite_house, "sanne") as sanne:
        store = sqlite_house.runtime.store
        sqlite_house.runtime.store = cast("Store", BrokenStore())
        try:
            answer = sanne.get("/")
        finally:
            sqlite_house.runtime.store = store
    assert answer.status_code == 500
    assert "Er ging iets mis bij ons" in answer.text
    written = "".join(capfd.readouterr())
    assert "RuntimeError" in written
    assert "geheim" not in answer.text + written
