"""Letting a colleague in, over HTTP: only a colleague, only with the right six words, and only of one's own gemeente."""

from __future__ import annotations

import re

from handoff import audit
from tests.handoff.desk import Desk, desk, invite, new_child, read
from tests.make import CITY, House, key_code


def _code_shown(browser: Desk) -> str:
    words = re.findall(r"<li>(\w+)</li>", browser.get("/team").text.split("De woorden van uw sleutel")[-1])
    return " ".join(words)


def test_a_colleague_who_hears_the_right_words_lets_in(house: House) -> None:
    house.confidant("sanne")
    handoff_id = new_child(house, "mn vader slaat me").handoff_id
    noor_id = invite(house, "noor", own=True)
    with desk(house, "sanne") as sanne, desk(house, "noor") as noor:
        assert "nog niet meelezen" in noor.get("/").text
        assert noor.post(f"/wachtrij/{handoff_id}/overnemen").status_code == 404
        code = _code_shown(noor)
        assert code == read(house, lambda tx: key_code(tx, noor_id))
        assert "Noor (noor)" in sanne.get("/team").text
        done = sanne.post("/team/toelaten", persoon=noor_id, code=code.upper())
        assert done.headers["location"] == "/team?melding=toegelaten"
        noor.post(f"/wachtrij/{handoff_id}/overnemen")
        assert "mn vader slaat me" in noor.get(f"/gesprek/{handoff_id}").text
        assert "<strong>Noor</strong>" in sanne.get("/team").text
        grants = [(row.action, row.object, row.result) for row in read(house, lambda tx: audit.entries(tx, CITY))]
        assert ("grant", noor_id, "ok") in grants


def test_wrong_words_let_nobody_in_and_are_noted(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    noor_id = invite(house, "noor", own=True)
    with desk(house, "sanne") as sanne, desk(house, "noor") as noor:
        refused = sanne.post("/team/toelaten", persoon=noor_id, code="zes heel andere woorden dan dit")
        assert refused.status_code == 422
        assert "kloppen niet" in refused.text
        assert "andere woorden" not in refused.text
        assert "nog niet meelezen" in noor.get("/").text
        assert read(house, lambda tx: audit.entries(tx, CITY))[-1].result == "denied"


def test_nobody_lets_themselves_in_or_somebody_elsewhere(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    house.confidant("vreemd", "elders")
    noor_id = invite(house, "noor", own=True)
    code = read(house, lambda tx: key_code(tx, noor_id))
    with desk(house, "noor") as noor, desk(house, "vreemd") as stranger:
        for browser in (noor, stranger):
            assert browser.post("/team/toelaten", persoon=noor_id, code=code).status_code == 404
            assert "Noor (noor)" not in browser.get("/team").text
        assert "nog niet meelezen" in noor.get("/").text
