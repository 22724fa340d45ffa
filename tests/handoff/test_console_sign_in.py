"""Signing in, renewing a one-time passphrase, signing out: over HTTP, as a browser does it."""

from __future__ import annotations

import re
from itertools import islice

import pytest

from handoff import audit
from handoff.accounts import sessions
from handoff.console.pages.sign_in import NOBODY
from handoff.models import session
from tests.handoff.desk import desk, hidden, print_again, read, wrong_phrases
from tests.make import CITY, House, rows


def test_right_passphrase_opens_and_the_cookie_is_locked_down(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    with desk(house) as browser:
        answer = browser.sign_in("sanne")
        assert answer.headers["location"] == "/"
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("sessie=")
        assert {"HttpOnly", "Path=/", "SameSite=strict"} <= set(cookie.split("; "))
        assert browser.get("/").status_code == 200


def test_over_https_the_cookie_is_tied_to_the_host(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    origin = "https://team.example.nl"
    with desk(house, origin=origin) as browser:
        fields = {"naam": "sanne", "wachtzin": house.phrases["sanne"]}
        answer = browser.request("POST", "/inloggen", data=fields, headers={"Origin": origin})
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-sessie=")
        assert "Secure" in cookie
        assert "Domain" not in cookie
        assert answer.headers["strict-transport-security"] == "max-age=31536000"


def test_every_refusal_reads_the_same_and_repeats_nothing(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    with desk(house) as browser:
        wrong = browser.post("/inloggen", naam="sanne", wachtzin="een heel andere zin hoor")
        nobody = browser.post("/inloggen", naam="bestaat-niet", wachtzin="een heel andere zin hoor")
        for phrase in islice(wrong_phrases(house, "sanne"), 5):
            browser.post("/inloggen", naam="sanne", wachtzin=phrase)
        held = browser.sign_in("sanne")
        assert [a.status_code for a in (wrong, nobody, held)] == [403, 403, 403]
        assert wrong.text == nobody.text == held.text
        for word in ("sanne", "bestaat-niet", "andere zin"):
            assert word not in nobody.text
            assert word not in wrong.text
        assert "set-cookie" not in held.headers


def test_sign_in_refusal_and_sign_out_are_in_the_audit_without_names(sqlite_house: House) -> None:
    house = sqlite_house
    sanne = house.confidant("sanne")
    with desk(house) as browser:
        browser.post("/inloggen", naam="sanne", wachtzin="fout fout fout")
        browser.post("/inloggen", naam="bestaat-niet", wachtzin="fout fout fout")
        browser.sign_in("sanne")
        browser.post("/uitloggen")
    lines = [(row.action, row.result, row.person_id) for row in read(house, lambda tx: audit.entries(tx, CITY))]
    assert [line for line in lines if line[0] in ("login", "logout")] == [
        ("login", "denied", sanne.person_id), ("login", "ok", sanne.person_id), ("logout", "ok", sanne.person_id),
    ]  # fmt: skip
    unknown = read(house, lambda tx: audit.entries(tx, NOBODY))
    assert [(row.action, row.result, row.person_id, row.object) for row in unknown] == [("login", "denied", None, None)]


def test_one_time_passphrase_leads_to_a_new_one_and_nowhere_else(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    print_again(house, "sanne")
    with desk(house) as browser, desk(house) as elsewhere:
        assert browser.sign_in("sanne").headers["location"] == "/nieuwe-wachtzin"
        elsewhere.sign_in("sanne")
        for path in ("/", "/wachtrij-deel", "/gesprek/abcdefghijklmnop"):
            assert browser.get(path).headers["location"] == "/nieuwe-wachtzin"
        assert browser.get("/stroom").status_code == 401
        page = browser.get("/nieuwe-wachtzin").text
        phrase = hidden(page, "nieuw")
        assert len(phrase.split()) == 6
        assert all(f"<li>{word}</li>" in page for word in phrase.split())
        mark = hidden(page, "merk")
        wrong = browser.post("/nieuwe-wachtzin", nieuw=phrase, merk=mark, wachtzin="iets heel anders dan dit")
        assert wrong.status_code == 422
        assert "iets heel anders" not in wrong.text
        assert hidden(wrong.text, "nieuw") == phrase, "after a typing error it is still the same passphrase"
        done = browser.post("/nieuwe-wachtzin", nieuw=phrase, merk=mark, wachtzin=phrase.upper())
        assert done.headers["location"] == "/?melding=zin-vernieuwd"
        assert "Uw nieuwe wachtzin is opgeslagen" in browser.get(done.headers["location"]).text
        assert elsewhere.get("/").headers["location"].startswith("/inloggen"), "other sessions have ended"
        assert browser.sign_in("sanne").status_code == 403, "the old passphrase is void"
        house.phrases["sanne"] = phrase
        assert browser.sign_in("sanne").headers["location"] == "/"


@pytest.mark.parametrize("tampered", ["phrase", "mark", "other session"])
def test_only_a_passphrase_that_was_made_here_is_stored(sqlite_house: House, tampered: str) -> None:
    house = sqlite_house
    house.confidant("sanne")
    print_again(house, "sanne")
    with desk(house) as browser, desk(house) as other:
        browser.sign_in("sanne")
        other.sign_in("sanne")
        page = browser.get("/nieuwe-wachtzin").text
        phrase, mark = hidden(page, "nieuw"), hidden(page, "merk")
        if tampered == "phrase":
            phrase = "zwak zwak zwak zwak"
        if tampered == "mark":
            mark = "00" * 32
        sender = other if tampered == "other session" else browser
        again = sender.post("/nieuwe-wachtzin", nieuw=phrase, merk=mark, wachtzin=phrase)
        assert again.headers["location"] == "/nieuwe-wachtzin"
        assert other.sign_in("sanne").headers["location"] == "/nieuwe-wachtzin", "nothing was stored"


def test_signing_out_ends_the_session_in_every_process(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    with desk(house, "sanne") as browser, desk(house) as another_process:
        another_process.http.cookies = browser.http.cookies
        assert another_process.get("/").status_code == 200
        answer = browser.post("/uitloggen")
        assert answer.headers["clear-site-data"] == '"cache"'
        assert re.search(r'sessie="?"?;.*Max-Age=0', answer.headers["set-cookie"])
        assert another_process.get("/").status_code == 303


def test_a_session_ends_after_fifteen_idle_minutes_and_says_so(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    with desk(house, "sanne") as browser:
        house.clock.turn(minutes=14)
        assert browser.get("/").status_code == 200
        house.clock.turn(minutes=14)
        assert browser.get("/wachtrij-deel").status_code == 200
        house.clock.turn(minutes=2)
        assert browser.get("/wachtrij-deel", **{"X-Console": "1"}).status_code == 401, (
            "a page's own refreshing keeps nobody signed in"
        )
        gone = browser.get("/")
        assert gone.headers["location"] == "/inloggen?weg=1"
        assert "niet meer ingelogd" in browser.get(gone.headers["location"]).text


@pytest.mark.parametrize("cookie", ["", "x", "é", "A" * 43, "A" * 5000, "=" * 43, "%00" * 20])
def test_a_cookie_of_nobody_leads_to_the_door(sqlite_house: House, cookie: str) -> None:
    with desk(sqlite_house) as browser:
        answer = browser.request("GET", "/", headers={"Cookie": f"sessie={cookie}".encode()})
        assert answer.headers["location"].startswith("/inloggen")


def test_a_disabled_person_is_out_at_once(sqlite_house: House) -> None:
    house = sqlite_house
    sanne = house.confidant("sanne")
    with desk(house, "sanne") as browser:
        assert len(rows(house, session)) == 2
        house.runtime.store.write(lambda tx: sessions.end_all_sessions(tx, sanne.person_id)).result()
        assert browser.get("/").status_code == 303
