"""A renewal of a team's key cannot be undone by putting older rows back: how far a team is stands outside the database."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection
from structlog.testing import capture_logs

from handoff import confidant, keys
from handoff.crypto.epochs import GRACE_S, SUFFIX
from handoff.errors import Denied, PutBack
from handoff.models import team, team_key, team_wrap
from handoff.team import people, teamwork
from tests.handoff.desk import desk, invite, new_child, read, write
from tests.make import CITY, House, first_child, key_code, look, rows, team_id_of

TEAM = team_id_of(CITY)
_TABLES = (team_wrap, team_key)


class Copy:
    """What somebody who can write in the database kept of the team's key, to put it back later."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._rows: dict[str, list[dict[str, Any]]] = {t.name: [dict(row._mapping) for row in rows(house, t)] for t in _TABLES}
        self._epoch = read(house, lambda tx: tx.execute(sa.select(team.c.epoch).where(team.c.id == TEAM)).scalar_one())

    def put_back(self) -> None:
        """Exactly the rows of then."""
        write(self._house, self._put)

    def _put(self, tx: Connection) -> None:
        for table in _TABLES:
            tx.execute(table.delete())
            tx.execute(table.insert(), self._rows[table.name])
        tx.execute(team.update().where(team.c.id == TEAM).values(epoch=self._epoch))


def _renew(house: House, login: str = "sanne") -> None:
    who, _ = house.sign_in(login)
    vault = house.runtime.vault
    epoch = read(house, lambda tx: teamwork.states(tx, vault, who)[0].epoch)
    write(house, lambda tx: teamwork.rotate(tx, vault, who, TEAM, epoch, house.clock()))
    for chat in read(house, lambda tx: teamwork.behind(tx, who, TEAM)):
        write(house, lambda tx, chat=chat: teamwork.rewrap(tx, vault, who, chat))  # type: ignore[misc]
    write(house, lambda tx: teamwork.finish(tx, who, TEAM))


def _marks(house: House) -> list[Path]:
    return sorted((house.folder / "keys").glob(f"*{SUFFIX}"))


def _long_ago(house: House) -> None:
    """As if all that was noted had been noted a while ago."""
    for mark in _marks(house):
        os.utime(mark, (mark.stat().st_mtime - GRACE_S - 1,) * 2)


def test_nothing_is_sealed_to_a_team_key_that_was_put_back(house: House) -> None:
    """The leaver would read what the next child writes: the child gets the numbers instead, and the log says why."""
    house.confidant("sanne")
    house.confidant("mehmet")
    new_child(house)
    copy = Copy(house)
    write(house, lambda tx: people.disable(tx, house.runtime.vault, login="mehmet", now=house.clock()))
    _renew(house)
    first_child(house)
    copy.put_back()
    with capture_logs() as said, pytest.raises(PutBack):
        first_child(house)
    assert {"event": "team_key_put_back", "team": TEAM, "epoch": 1, "log_level": "error"} in said


def test_everybody_is_told_and_nobody_passes_the_old_key_on(house: House) -> None:
    house.confidant("sanne")
    noor = invite(house, "noor", own=True)
    handoff_id = new_child(house).handoff_id
    copy = Copy(house)
    _renew(house)
    copy.put_back()
    _long_ago(house)
    with desk(house, "sanne") as browser:
        for page in ("/", "/wachtrij-deel", "/team"):
            assert "oude teamsleutel teruggezet" in browser.get(page).text, page
        code = read(house, lambda tx: key_code(tx, noor))
        for path, fields in (
            ("/team/toelaten", {"persoon": noor, "code": code}),
            ("/team/sleutel", {"team": TEAM, "sleutel": "1"}),
        ):
            refused = browser.post(path, **fields)
            assert refused.status_code == 422
            assert "Er is niets veranderd" in refused.text
        browser.post(f"/wachtrij/{handoff_id}/overnemen")
        assert browser.get(f"/gesprek/{handoff_id}").status_code == 409
    assert not any(row.person_id == noor for row in rows(house, team_wrap))


def test_a_renewal_goes_on_being_a_renewal(house: House) -> None:
    """No alarm before, during or after one that is honest."""
    sanne = house.confidant("sanne")
    child = new_child(house, "hoi")
    handoff_id = child.handoff_id
    write(house, lambda tx: confidant.claim(tx, house.runtime, sanne, handoff_id, house.clock()))
    for _ in range(3):
        _renew(house)
        child.say("nog iets")
        first_child(house)
        _long_ago(house)
        who, _ = house.sign_in("sanne")
        opened = write(house, lambda tx: look(tx, house.runtime, who, handoff_id, house.clock()))  # noqa: B023
        assert opened.lines[0].text == "hoi"
    with desk(house, "sanne") as browser:
        assert "teruggezet" not in browser.get("/").text + browser.get("/team").text


def test_who_began_to_look_before_a_renewal_was_committed_sees_no_alarm(sqlite_house: House) -> None:
    """A reader holds no lock: it may have seen the epoch of before when the new one's mark appears."""
    house = sqlite_house
    sanne = house.confidant("sanne")
    child = new_child(house)
    write(house, lambda tx: confidant.claim(tx, house.runtime, sanne, child.handoff_id, house.clock()))
    house.runtime.vault.epochs.note(TEAM, 2)
    write(house, lambda tx: look(tx, house.runtime, sanne, child.handoff_id, house.clock()))
    _long_ago(house)
    with pytest.raises(PutBack):
        write(house, lambda tx: look(tx, house.runtime, sanne, child.handoff_id, house.clock()))


def test_a_renewal_that_was_not_committed_locks_nobody_out(house: House) -> None:
    sanne = house.confidant("sanne")
    vault = house.runtime.vault

    def fails(tx: Connection) -> None:
        keys.rotate(tx, vault, by=sanne, team_id=TEAM)
        raise Denied

    with pytest.raises(Denied):
        write(house, fails)
    first_child(house)
    assert len(_marks(house)) == 1


def test_what_a_dead_process_could_not_note_is_noted_by_the_next_child(house: House) -> None:
    """Also after an upgrade: a team that is at its third key gets all three marks."""
    house.confidant("sanne")
    _renew(house)
    _renew(house)
    assert len(_marks(house)) == 3
    for mark in _marks(house):
        mark.unlink()
    first_child(house)
    assert len(_marks(house)) == 3


def test_a_backup_that_was_put_back_on_purpose_is_accepted_and_noted(house: House) -> None:
    house.confidant("sanne")
    copy = Copy(house)
    _renew(house)
    _renew(house)
    copy.put_back()
    vault = house.runtime.vault
    assert read(house, lambda tx: people.key_of(tx, vault, TEAM)) == people.KeyAge(1, 3)
    write(house, lambda tx: people.accept_older_key(tx, vault, TEAM, house.clock()))
    first_child(house)
    _renew(house)
    first_child(house)
    assert read(house, lambda tx: people.key_of(tx, vault, TEAM)) == people.KeyAge(2, 2)
