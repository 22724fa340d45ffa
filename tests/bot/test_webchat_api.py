"""The JSON side of the child's page: what is stored, what is answered, and what a wrong token learns (nothing)."""

from __future__ import annotations

import json
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from handoff.database import Store
from handoff.errors import StoreUnavailable
from handoff.models import conversation, handoff, message, outbox
from nlu.understanding import Understanding
from tests import make
from tests.bot.web import Site, new_token
from tests.databases import lose_connections
from tests.make import CITY, House, rows

MARK = "zeldzaamwoord"
"""A word that must never come back in an answer that refuses, or be found in a log."""


def test_a_first_message_is_stored_answered_and_handed_off(site: Site) -> None:
    answer = site.send(new_token(), "hoi")
    body = answer.json()
    assert answer.status_code == 200
    assert [line["role"] for line in body["messages"]] == ["child", "bot", "bot", "bot"]
    first = body["messages"][1]["text"]
    assert "112" in first
    assert "0800-0432" in first
    assert body["messages"][0] | {"at": ""} == {
        "seq": 1, "role": "child", "text": "hoi", "lang": "nl", "at": "", "name": None, "buttons": [], "id": "m1"
    }  # fmt: skip
    assert (body["state"], body["confidant"], body["on_duty"]) == ("waiting", None, False)
    assert [row.state for row in rows(site.house, handoff)] == ["waiting"]


def test_the_same_message_twice_is_one_message(site: Site) -> None:
    token = new_token()
    once, twice = site.send(token, "hoi").json(), site.send(token, "hoi").json()
    assert once["messages"] == twice["messages"]
    assert len(rows(site.house, message)) == 4


def test_only_what_is_new_comes_back(site: Site) -> None:
    token = new_token()
    site.send(token, "hoi")
    later = site.send(token, "ben je er", message_id="m2", after=4).json()["messages"]
    assert later[0]["id"] == "m2"
    assert site.look(token, after=later[-1]["seq"]).json()["messages"] == []


def test_the_state_names_the_human_who_reads(site: Site) -> None:
    token = new_token()
    site.on_duty()
    assert site.send(token, "hoi").json()["on_duty"] is True
    handoff_id = site.claim()
    site.write(handoff_id, "Hoi, met Sanne.")
    body = site.look(token).json()
    assert (body["state"], body["confidant"]) == ("claimed", "Sanne")
    assert "Sanne" in body["line"]
    assert body["messages"][-1]["role"] == "confidant"
    assert body["messages"][-1]["name"] == "Sanne"


def test_a_quick_reply_says_exactly_what_it_means(site: Site) -> None:
    site.send(new_token(), "Ik ben nu in gevaar")
    assert [row.urgency for row in rows(site.house, handoff)] == [2]


def test_confirming_what_is_shown_marks_it_delivered(site: Site) -> None:
    token = new_token()
    last = site.send(token, "hoi").json()["messages"][-1]["seq"]
    assert site.ask("POST", f"/api/{CITY}/received", token, json={"seq": last}).status_code == 200
    assert all(row.delivered_at for row in rows(site.house, outbox))


def test_erasing_leaves_nothing_and_a_late_retry_does_not_bring_it_back(site: Site) -> None:
    token = new_token()
    site.send(token, "hoi")
    answer = site.ask("POST", f"/api/{CITY}/erase", token, json={})
    assert "112" in answer.json()["text"]
    assert rows(site.house, conversation) == rows(site.house, message) == rows(site.house, handoff) == []
    assert site.send(token, "hoi").status_code == 404
    assert rows(site.house, message) == []


PLACES = [
    ("GET", f"/api/{CITY}/messages"), ("GET", f"/api/{CITY}/stream"), ("POST", f"/api/{CITY}/received"),
    ("POST", f"/api/{CITY}/erase"), ("POST", f"/api/{CITY}/messages"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), PLACES)
def test_every_wrong_token_gets_the_very_same_answer(site: Site, method: str, path: str) -> None:
    mine, other = new_token(), new_token()
    site.house.confidant("noor", "elders")
    assert site.send(mine, "hoi").status_code == site.send(other, "hoi", city="elders").status_code == 200
    body = {"content": json.dumps({"id": "x", "text": MARK, "seq": 1})} if method == "POST" else {}
    headers: list[dict[str, str | bytes]] = [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": f"Basic {mine}"},
        {"Authorization": f"Bearer {mine}a"},
    ]
    headers += [{"Authorization": f"Bearer {mine[:-1]}é".encode()}, {"Authorization": "Bearer " + "=" * 43}]
    if path != f"/api/{CITY}/messages" or method == "GET":
        headers.append({"Authorization": f"Bearer {new_token()}"})
    answers = [site.ask(method, path, headers=each, **body) for each in headers]
    answers.append(site.ask(method, path, other, **body))
    answers.append(site.ask(method, path.replace(CITY, "nergens"), mine, **body))
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert len({str(sorted(answer.headers.items())) for answer in answers}) == 1
    assert [n["tel"] for n in answers[0].json()["numbers"]][:2] == ["112", "08000432"]


BAD_FIELDS = [
    {"id": "m1", "text": 7}, {"id": "m1", "text": None}, {"id": MARK * 20, "text": MARK}, {"id": "a b", "text": MARK},
    {"id": None, "text": MARK}, {"text": MARK}, {"id": "m1"}, {"id": "m1", "text": MARK, "after": -1},
    {"id": "m1", "text": MARK, "after": True}, {"id": "m1", "text": MARK, "after": 2**70},
    {"id": "m1", "text": MARK, "after": "1e3"},
]  # fmt: skip
BAD_BODIES = [
    b"", b"{", b"[]", b"null", b'"' + MARK.encode() + b'"', b"[" * 15_000, b'{"id":' + b"9" * 6000 + b"}", b"\xff\xfe\x00",
    b'{"id":"m1","text":"' + MARK.encode() + b'","after":NaN}', *(json.dumps(fields).encode() for fields in BAD_FIELDS),
]  # fmt: skip


@pytest.mark.parametrize("body", BAD_BODIES)
def test_a_body_of_the_wrong_form_is_refused_and_not_repeated(site: Site, body: bytes) -> None:
    with capture_logs() as logged:
        answer = site.ask("POST", f"/api/{CITY}/messages", new_token(), content=body)
    assert answer.status_code == 400
    assert answer.json()["error"] == "bad_request"
    assert MARK not in answer.text
    assert MARK not in str(logged)
    assert rows(site.house, message) == []


@pytest.mark.parametrize("after", ["x", "-1", "1e3", "٣", "9" * 30])
def test_a_sequence_number_that_is_none_is_refused(site: Site, after: str) -> None:
    assert site.ask("GET", f"/api/{CITY}/messages?after={after}", new_token()).status_code == 400


@pytest.mark.parametrize("letter", ["a", "é", "ሀ", "😀"])
def test_four_thousand_letters_fit_and_one_more_does_not(site: Site, letter: str) -> None:
    assert site.ask("POST", f"/api/{CITY}/messages", new_token(), content=_body(letter * 4000)).status_code == 200
    answer = site.ask("POST", f"/api/{CITY}/messages", new_token(), content=_body(letter * 4001))
    assert answer.status_code == 422
    assert answer.json()["error"] == "too_long"
    assert letter * 10 not in answer.text


def _body(text: str) -> bytes:
    """As a browser makes it: not escaped."""
    return json.dumps({"id": "m1", "text": text, "after": 0}, ensure_ascii=False).encode()


ODD = [
    "\ud83d",
    "a\x00b",
    "\u202emoc.live\u202c",
    "z" + "\u0335" * 300,
    "\u2067\u2066\u2069",
    "<script>alert(1)</script>",
    "\r\n\t",
    "{{7*7}}",
]


@pytest.mark.parametrize("text", ODD)
def test_odd_text_is_stored_and_given_back_exactly(site: Site, text: str) -> None:
    token = new_token()
    assert site.send(token, text).json()["messages"][0]["text"] == text
    assert site.look(token).json()["messages"][0]["text"] == text


def test_a_reader_that_fails_does_not_stop_the_handoff(sqlite_house: House) -> None:
    def broken(text: str) -> Understanding:
        raise ValueError(text)

    site = Site(sqlite_house, broken)
    with capture_logs() as logged:
        answer = site.send(new_token(), MARK)
    assert answer.status_code == 200
    assert [row.state for row in rows(site.house, handoff)] == ["waiting"]
    assert [entry["kind"] for entry in logged] == ["ValueError"]
    assert MARK not in str(logged)


def test_a_reader_that_hangs_does_not_stop_the_handoff(sqlite_house: House) -> None:
    stuck = threading.Event()

    def slow(_text: str) -> Understanding:
        stuck.wait(3)
        raise AssertionError("nobody waits for this any more")

    site = Site(sqlite_house, slow)

    async def talk(client: object) -> int:
        token = {"Authorization": f"Bearer {new_token()}"}
        answer = await client.post(f"/api/{CITY}/messages", content=_body("hoi"), headers=token)  # type: ignore[attr-defined]
        stuck.set()
        return int(answer.status_code)

    assert site.run(talk) == 200
    assert [row.state for row in rows(site.house, handoff)] == ["waiting"]


def test_what_goes_wrong_inside_shows_the_numbers_and_logs_no_words(site: Site) -> None:
    def broken_clock() -> object:
        raise RuntimeError(MARK)

    site.house.runtime.clock = broken_clock  # type: ignore[assignment]
    with capture_logs() as logged:
        api = site.send(new_token(), MARK)
        page = site.ask("GET", f"/{CITY}")
    assert (api.status_code, page.status_code) == (500, 500)
    assert "08000432" in api.text
    assert 'href="tel:112"' in page.text
    assert 'href="tel:08000432"' in page.text
    assert MARK not in api.text + page.text + str(logged)
    assert {"RuntimeError"} == {entry["kind"] for entry in logged}


def test_a_gemeente_whose_team_has_no_key_takes_no_words(site: Site) -> None:
    answer = site.send(new_token(), "hoi", city="elders")
    assert answer.status_code == 503
    assert "112" in answer.json()["text"]


def test_without_a_database_no_words_are_taken_and_the_numbers_are_there(site: Site) -> None:
    token = new_token()
    site.send(token, "hoi")
    (site.house.folder / "praat.db").unlink()
    answer = site.send(token, MARK, message_id="m2")
    assert answer.status_code == 503
    assert [n["tel"] for n in answer.json()["numbers"]][:2] == ["112", "08000432"]
    assert site.look(token).status_code == 503
    status = site.ask("GET", f"/api/{CITY}/status").json()
    assert (status["on_duty"], status["duty"]) == (None, "")
    assert "0800-0432" in status["numbers"]


def test_a_database_that_is_lost_in_the_middle_is_said_and_the_same_message_goes_in_afterwards(
    postgres_database: str, tmp_path: Path
) -> None:
    with make.house(tmp_path, postgres_database) as house:
        site, token = Site(house), new_token()
        lose_connections(postgres_database, 2)
        answers = [site.send(token, MARK) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [503, 503, 200]
        assert "112" in answers[0].text
        assert MARK not in answers[0].text
        assert len(rows(house, message)) == len(answers[2].json()["messages"])


@dataclass
class NothingToRead:
    """A store in which everything can be written and nothing read."""

    store: Store

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def read(self, _work: object) -> Future[Any]:
        """Fail as a database does that went away just now."""
        lost: Future[Any] = Future()
        lost.set_exception(StoreUnavailable("gone"))
        return lost


def test_what_is_stored_is_never_called_lost_when_only_the_reading_fails(site: Site) -> None:
    token, runtime = new_token(), site.house.runtime
    first = site.send(token, "hoi").json()["messages"]
    site.send(token, "en nog iets", message_id="m2", after=first[-1]["seq"])
    store = runtime.store
    runtime.store = cast("Store", NothingToRead(store))
    answer = site.send(token, MARK, message_id="m3", after=first[-1]["seq"])
    assert (answer.status_code, answer.json()["messages"]) == (200, [])
    refused = site.form(token=token, text="zonder script", id="f-1")
    assert (refused.status_code, "zonder script" in refused.text) == (503, True)
    runtime.store = store
    site.form(token=token, text="zonder script", id="f-1")
    said = [line["text"] for line in site.look(token).json()["messages"] if line["role"] == "child"]
    assert said == ["hoi", "en nog iets", MARK, "zonder script"]
