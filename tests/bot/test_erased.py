"""After Wis alles the child is told truly what is gone and what stays, and the confidant that the child did it. Both databases."""

from __future__ import annotations

import re
import secrets

import httpx
import pytest

from bot import child
from bot.channels.web.spec import WEBCHAT
from handoff import audit
from handoff.chats.conversation import Door
from handoff.models import audit_entry
from tests.bot.web import Site, new_token
from tests.handoff.desk import desk, new_child, write
from tests.make import CITY, House, rows

STAYS = "weet het nog"
UNREAD = "Geen mens heeft dit gesprek gelezen."


def _erase(site: Site, token: str, *, script: bool) -> str:
    if script:
        return str(site.ask("POST", f"/api/{CITY}/erase", token, json={}).json()["text"])
    return _notice(site.form(token=token, id="m2", text="", action="erase"))


def _notice(answer: httpx.Response) -> str:
    found = re.search(r'id="notice"[^>]*>(.*?)</p>', answer.text, re.DOTALL)
    assert found
    return " ".join(re.sub(r"<[^>]+>", "", found.group(1)).split())


@pytest.mark.parametrize("script", [True, False])
def test_before_a_human_read_it_all_is_gone_and_that_is_said(house: House, script: bool) -> None:
    site, token = Site(house), new_token()
    site.send(token, "hoi")
    said = _erase(site, token, script=script)
    assert "Alles is hier nu weg" in said
    assert UNREAD in said
    assert STAYS not in said
    assert not [row for row in rows(house, audit_entry) if row.action == audit.ERASED], "and no log line says that it was"


@pytest.mark.parametrize("script", [True, False])
def test_after_a_human_read_it_the_child_is_told_what_stays_and_why(house: House, script: bool) -> None:
    site, token = Site(house), new_token()
    site.send(token, "hoi")
    site.claim()
    said = _erase(site, token, script=script)
    assert "Alles is hier nu weg" in said
    assert STAYS in said
    assert "niet wat je schreef" in said
    assert UNREAD not in said


def test_erasing_what_was_never_there_says_nothing_of_readers(site: Site) -> None:
    said = _erase(site, new_token(), script=False)
    assert "Alles is hier nu weg" in said
    assert UNREAD not in said
    assert STAYS not in said


def test_the_confidant_is_told_that_the_child_erased_it_and_a_stranger_is_not(house: House) -> None:
    for login, city in (("sanne", CITY), ("els", "elders")):
        house.confidant(login, city)
    made = new_child(house)
    handoff_id = made.handoff_id
    with desk(house, "sanne") as sanne, desk(house, "els") as els:
        sanne.post(f"/wachtrij/{handoff_id}/overnemen")
        assert sanne.get(f"/gesprek/{handoff_id}").status_code == 200
        write(house, lambda tx: child.erase(tx, house.runtime, Door(WEBCHAT, made.token), house.clock()))
        told = sanne.get(f"/gesprek/{handoff_id}")
        assert told.status_code == 404
        assert "Het kind heeft dit gesprek gewist" in told.text
        sent = sanne.post(f"/gesprek/{handoff_id}/schrijven", tekst="ik ben er", bericht="bericht-0001")
        assert "Het kind heeft dit gesprek gewist" in sent.text
        for stranger in (els.get(f"/gesprek/{handoff_id}"), sanne.get(f"/gesprek/{secrets.token_urlsafe(16)}")):
            assert stranger.status_code == 404
            assert "heeft dit gesprek gewist" not in stranger.text
