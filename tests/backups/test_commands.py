"""`praat backup` and `praat restore` as an operator types them."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot import child
from bot.channels.web.spec import WEBCHAT
from bot.cli.main import app
from bot.preflight import CannotStart
from config.private_files import write_private
from handoff.backups.folder import BadCopy
from handoff.chats.conversation import Door
from tests.databases import stamp
from tests.make import House, first_child


@pytest.fixture
def installation(sqlite_house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """An installation on this machine that serves."""
    monkeypatch.setenv("PRAAT_DATA_DIR", str(sqlite_house.folder))
    write_private(sqlite_house.folder / "secret", sqlite_house.secret)
    sqlite_house.runtime.store.write(stamp).result()
    sqlite_house.confidant("sanne")
    return sqlite_house


def _praat(*words: str, answer: str | None = None) -> str:
    done = CliRunner().invoke(app, list(words), input=answer, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return " ".join(done.output.split())


def test_there_and_back(installation: House, tmp_path: Path) -> None:
    token = secrets.token_bytes(32)
    first_child(installation, token=token)
    first_child(installation)
    said = _praat("backup", str(tmp_path / "copies"))
    assert "Klaar, en nagekeken" in said
    assert "geen sleutels en geen geheim" in said
    (copy,) = (tmp_path / "copies").glob("praat-*")
    installation.runtime.store.write(
        lambda tx: child.erase(tx, installation.runtime, Door(WEBCHAT, token), installation.clock())
    ).result()
    with pytest.raises(BadCopy, match="in gebruik"):
        _praat("restore", str(copy), "--replace")
    installation.runtime.store.close()
    with pytest.raises(BadCopy, match="--replace"):
        _praat("restore", str(copy))
    said = _praat("restore", str(copy), "--replace")
    assert "Opnieuw gewist: 1 gesprekken" in said
    assert "praat.db.before-" in said


def test_without_the_secret_of_then_nothing_is_put_back_and_no_other_is_made(installation: House, tmp_path: Path) -> None:
    _praat("backup", str(tmp_path / "copies"))
    (copy,) = (tmp_path / "copies").glob("praat-*")
    installation.runtime.store.close()
    (tmp_path / "secret").unlink()
    with pytest.raises(Exception, match="PRAAT_SECRET_FILE"):
        _praat("restore", str(copy), "--replace")
    assert not (tmp_path / "secret").exists()


def test_the_keys_there_and_back_with_the_printed_words(
    installation: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = _praat("recovery", "new")
    found = re.search(r"((?:[a-z]+ ){7}[a-z]+)", said)
    assert found
    first_child(installation)
    said = _praat("backup", "keys", str(tmp_path / "keys-apart"))
    assert "2 nieuw, 0 vernietigd" in said
    for name, value in (("KEY_DIR", "keys-there"), ("SECRET_FILE", "secret-there")):
        monkeypatch.setenv(f"PRAAT_{name}", str(tmp_path / value))
    with pytest.raises(BadCopy, match="openen deze kopie niet"):
        _praat("restore", "keys", str(tmp_path / "keys-apart"), answer="acht woorden die het niet zijn\n")
    typed = found.group(1).upper().replace(" ", "  ")
    said = _praat("restore", "keys", str(tmp_path / "keys-apart"), answer=f"{typed}\n")
    assert "teruggezet" in said
    assert (tmp_path / "secret-there").read_bytes() == installation.secret
    there = {file.name: file.read_bytes() for file in (tmp_path / "keys-there").iterdir()}
    assert there == {file.name: file.read_bytes() for file in (tmp_path / "keys").iterdir()}


def test_a_folder_that_is_not_there_is_never_called_clean(installation: House, tmp_path: Path) -> None:
    first_child(installation)
    _praat("backup", str(tmp_path / "copies"))
    assert "Er is niets van over" in _praat("erase-check", str(tmp_path / "copies"))
    with pytest.raises(CannotStart, match="is er niet; er is niets nagekeken"):
        _praat("erase-check", str(tmp_path / "copeis"))
