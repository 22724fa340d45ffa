"""Whoever printed a passphrase and can write every table lets nobody in: only a key that its owner made is granted.

The attacker here has the printed passphrase and write access to the whole database, and not the server's secret.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from handoff import keys
from handoff.accounts import credentials
from handoff.models import membership, person, team_wrap
from tests.handoff.desk import desk, invite, read, write
from tests.handoff.rig import NOW, denied, sqlite_rig
from tests.make import House, key_code, rows

_KEY = credentials.KEY


def _row(house: House, login: str) -> dict[str, Any]:
    return next({name: getattr(row, name) for name in _KEY} for row in rows(house, person) if row.login == login)


def _put(house: House, login: str, **values: Any) -> None:
    write(house, lambda tx: tx.execute(person.update().where(person.c.login == login).values(**values)))


def _holds(house: House, person_id: str) -> bool:
    return any(row.person_id == person_id for row in rows(house, team_wrap))


def _let_in(house: House, person_id: str, code: str) -> int:
    with desk(house, "sanne") as browser:
        return browser.post("/team/toelaten", persoon=person_id, code=code).status_code


def _code(house: House, person_id: str) -> str:
    return read(house, lambda tx: key_code(tx, person_id))


FORGERIES: list[Callable[[House], dict[str, Any]]] = [
    lambda _house: {"own_proof": b"\1"},
    lambda _house: {"own_proof": bytes(32)},
    lambda house: {"own_proof": _row(house, "sanne")["own_proof"]},
    lambda house: _row(house, "sanne"),
]


@pytest.mark.parametrize("forge", FORGERIES)
def test_no_row_that_is_written_makes_a_printed_key_the_persons_own(house: House, forge: Callable[[House], dict[str, Any]]) -> None:
    house.confidant("sanne")
    noor = invite(house, "noor")
    _put(house, "noor", **forge(house))
    with desk(house) as browser:
        answer = browser.sign_in("noor")
        if answer.status_code == 303:
            assert answer.headers["location"] == "/nieuwe-wachtzin", "the printed key goes on"
            assert browser.get("/team").headers["location"] == "/nieuwe-wachtzin"
    assert _let_in(house, noor, _code(house, noor)) == 422
    assert not _holds(house, noor)


def test_a_printed_key_that_is_put_back_is_not_granted(house: House) -> None:
    """The words that the colleague reads out are those of her own key; the row of before has other words and no proof."""
    house.confidant("sanne")
    noor = invite(house, "noor")
    printed, first = _row(house, "noor"), house.phrases["noor"]
    with desk(house) as browser:
        browser.first_sign_in("noor")
        spoken = _code(house, noor)
        assert all(f"<li>{word}</li>" in browser.get("/team").text for word in spoken.split())
        own = _row(house, "noor")
        for mixed in (printed, {**printed, "own_proof": own["own_proof"]}, {**own, "locked_key": printed["locked_key"]}):
            _put(house, "noor", **mixed)
            assert _let_in(house, noor, spoken) == 422
            assert _let_in(house, noor, _code(house, noor)) == 422
            assert not _holds(house, noor)
        _put(house, "noor", **printed)
        with desk(house) as attacker:
            answer = attacker.post("/inloggen", naam="noor", wachtzin=first)
            assert answer.headers["location"] == "/nieuwe-wachtzin"
        _put(house, "noor", **own)
        assert _let_in(house, noor, spoken) == 303
    assert _holds(house, noor)


def test_who_used_the_printed_passphrase_first_has_other_words_than_the_colleague(house: House) -> None:
    """The attacker made a key of their own with it, put the printed row back, and swaps theirs in once the colleague has hers."""
    house.confidant("sanne")
    noor = invite(house, "noor")
    printed, first = _row(house, "noor"), house.phrases["noor"]
    with desk(house) as attacker, desk(house) as browser:
        attacker.first_sign_in("noor")
        theirs = _row(house, "noor")
        _put(house, "noor", **printed)
        house.phrases["noor"] = first
        browser.first_sign_in("noor")
        spoken = _code(house, noor)
        _put(house, "noor", **theirs)
        assert browser.get("/team").headers["location"] == "/inloggen?weg=1", "her session does not show the words of another key"
        assert _let_in(house, noor, spoken) == 422
    assert not _holds(house, noor)


def test_the_core_itself_refuses_a_grant_without_the_proof(tmp_path: Path) -> None:
    """Whatever a page forgets to ask: no proof, no key; and who has a printed passphrase lets nobody in."""
    rig = sqlite_rig(tmp_path)
    anna, bram, cato = rig.founder("u", printed=True), rig.person("u", printed=True), rig.person("u")
    with rig.engine.begin() as tx:
        tx.execute(membership.update().values(granted_at=NOW, granted_by=anna))
    printed = rig.signed_in(anna)
    assert denied(rig.grant, printed, cato)
    own = rig.take_own_key(rig.sign_in(anna))
    assert denied(rig.grant, own, bram)
    rig.grant(own, cato)
    rig.engine.dispose()


def test_the_code_of_a_session_is_that_of_the_key_it_holds(tmp_path: Path) -> None:
    rig = sqlite_rig(tmp_path)
    who = rig.signed_in(rig.founder("u"))
    with rig.engine.begin() as tx:
        assert keys.own_code(who) == key_code(tx, who.person_id)
        tx.execute(person.update().values(public_key=rig.vault.new_private_key()))
        assert keys.own_code(who) != key_code(tx, who.person_id)
        assert tx.execute(sa.select(sa.func.count()).select_from(person)).scalar_one() == 1
    rig.engine.dispose()
