"""`praat person` as an operator types it: adding, a forgotten passphrase, closing the door; and the two people of the demo."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot import demo
from bot.cli import people as people_commands
from handoff import audit
from handoff.database import open_store
from handoff.models import person
from handoff.team import people
from tests.handoff.desk import desk, new_child, read
from tests.make import CITY, House, key_code, rows, team_id_of


class Terminal:
    """One installation on this machine."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PRAAT_DATA_DIR", str(folder / "var"))
        monkeypatch.setenv("PRAAT_ARGON2_MEMORY_KIB", "8192")
        monkeypatch.setenv("PRAAT_ARGON2_ITERATIONS", "1")
        self._database = f"sqlite:///{folder}/var/praat.db"

    def person(self, *words: str, answer: str | None = None) -> tuple[int, str]:
        """(exit code, what it said)."""
        done = CliRunner().invoke(people_commands.app, list(words), input=answer)
        return done.exit_code, " ".join(done.output.split())

    def add(self, login: str) -> str:
        """Add a confidant; returns the printed passphrase."""
        code, said = self.person("add", login, "--municipality", CITY, "--first-name", login.title())
        assert code == 0, said
        return phrase_in(said)

    def look(self, work: Any) -> Any:
        """Look something up in the database."""
        store = open_store(self._database)
        try:
            return store.read(work).result()
        finally:
            store.close()


def phrase_in(said: str) -> str:
    """The six words that were printed."""
    found = re.search(r"Eenmalige wachtzin \(geef hem zelf door\): ((?:[a-z]+ ){5}[a-z]+)", said)
    assert found, said
    return found.group(1)


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """An installation without anybody in it."""
    return Terminal(tmp_path, monkeypatch)


def test_first_reads_second_waits_and_one_who_left_is_out(terminal: Terminal, tmp_path: Path) -> None:
    terminal.add("sanne")
    code, said = terminal.person("add", "noor", "--municipality", CITY, "--first-name", "Noor")
    assert code == 0
    assert "laat een collega in de console, onder Team, hem of haar toe" in said
    listed = terminal.person("list", CITY)[1]
    assert re.search(r"noor.*moet eerst inloggen.*sanne.*ja", listed)
    assert "onder Team, de teamsleutel vernieuwen" in terminal.person("disable", "noor")[1]
    assert re.search(r"noor.*gestopt", terminal.person("list", CITY)[1])
    assert len((tmp_path / "var" / "keys" / "people.gone").read_bytes().split(b"\n\n")) == 1, "also against an older copy"


def test_who_forgot_gets_another_phrase_and_waits_for_a_colleague(terminal: Terminal, tmp_path: Path) -> None:
    terminal.add("sanne")
    first = terminal.add("noor")
    code, said = terminal.person("renew", "noor")
    assert code == 0
    assert phrase_in(said) != first
    assert "leest nog niets" in said
    assert "voorgoed onleesbaar" not in said
    actions = [row.action for row in terminal.look(lambda tx: audit.entries(tx, CITY))]
    assert actions == ["add_person", "add_person", "renew_person"]


def test_the_last_one_is_asked_first_and_nothing_happens_without_a_yes(terminal: Terminal) -> None:
    terminal.add("sanne")
    team_id = team_id_of(CITY)
    before = terminal.look(lambda tx: people.holders(tx, team_id)), terminal.look(lambda tx: key_code(tx, _id(tx)))
    code, said = terminal.person("renew", "sanne", answer="\n")
    assert code == 1
    assert "voorgoed onleesbaar" in said
    assert (terminal.look(lambda tx: people.holders(tx, team_id)), terminal.look(lambda tx: key_code(tx, _id(tx)))) == before
    code, said = terminal.person("renew", "sanne", answer="ja\n")
    assert code == 0
    assert "kan het team niet meer lezen" in said
    assert terminal.look(lambda tx: key_code(tx, _id(tx))) != before[1]
    assert terminal.look(lambda tx: people.holders(tx, team_id)) == before[0]
    assert terminal.person("renew", "sanne", "--yes")[0] == 0


def _id(tx: Any) -> str:
    return str(tx.execute(person.select()).one().id)


def test_a_person_who_is_not_there_or_gone_gets_nothing(terminal: Terminal) -> None:
    terminal.add("sanne")
    terminal.person("disable", "sanne")
    for login in ("sanne", "niemand"):
        code, said = terminal.person("renew", login)
        assert code == 1
        assert "wachtzin" not in said


def test_the_demos_two_people_take_keys_of_their_own_and_both_read(sqlite_house: House, tmp_path: Path) -> None:
    house = sqlite_house
    file = tmp_path / "logins.json"
    logins = demo.prepare(house.runtime, file)
    house.phrases.update({made.login: made.passphrase or "" for made in logins})
    child = new_child(house, "mn vader slaat me")
    with desk(house) as sanne, desk(house) as mehmet:
        for browser, login in ((mehmet, "mehmet"), (sanne, "sanne")):
            browser.first_sign_in(login)
            child.say(f"na {login}")
            browser.post(f"/wachtrij/{child.handoff_id}/overnemen")
            page = browser.get(f"/gesprek/{child.handoff_id}").text
            assert "mn vader slaat me" in page
            assert f"na {login}" in page
            browser.post(f"/gesprek/{child.handoff_id}/teruggeven")
    assert [made.passphrase for made in demo.prepare(house.runtime, file)] == [None, None]
    assert not file.exists()
    assert all(row.own_proof for row in rows(house, person))
    actions = [row.action for row in read(house, lambda tx: audit.entries(tx, CITY))]
    assert actions.count("rotate") == 2
