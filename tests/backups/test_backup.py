"""A copy is made while the program serves, is whole or not there, opens nothing by itself, and can be put back. Both databases."""

from __future__ import annotations

import json
import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot import child
from bot.channels.web.spec import WEBCHAT
from bot.child import Snapshot
from handoff.backups import database
from handoff.backups.folder import BadCopy
from handoff.backups.replay import keep
from handoff.chats.conversation import Door
from handoff.crypto import Vault
from handoff.database import Work, open_store
from handoff.errors import NotFound
from handoff.models import conversation, metadata, session
from handoff.runtime import Runtime
from handoff.team import teamwork
from tests import canary
from tests.databases import stamp
from tests.make import CITY, TOY, House, incoming, rows, team_id_of, understood

WORDS = canary.MARKER


@pytest.fixture
def full(house: House) -> Iterator[House]:
    """A house with two people in it."""
    house.confidant("sanne")
    house.confidant("mehmet")
    house.runtime.store.write(stamp).result()
    yield house
    house.runtime.store.close()  # perhaps another one than it began with


@pytest.fixture
def elsewhere(request: pytest.FixtureRequest, house: House, tmp_path: Path) -> str:
    """An empty place of the same kind."""
    if house.url.startswith("postgresql"):
        address: str = request.getfixturevalue("postgres_empty")
        return address
    (tmp_path / "new").mkdir()
    return f"sqlite:///{tmp_path}/new/praat.db"


def _write(house: House, text: str = WORDS) -> bytes:
    token = secrets.token_bytes(32)
    message = incoming(text, token=token)
    house.runtime.store.write(lambda tx: child.send(tx, house.runtime, message, understood(), house.clock())).result()
    return token


def _back_up(house: House) -> Path:
    database.back_up(house.url, house.runtime.vault, house.folder / "copies", house.clock(), lambda _line: None)
    (made,) = (house.folder / "copies").glob("praat-*")
    house.clock.turn(minutes=1)
    return made


def _read(house: House, url: str, token: bytes) -> list[str | None]:
    store = open_store(url)
    runtime = Runtime(store, house.runtime.vault, house.runtime.configuration, house.runtime.channels, house.clock)
    try:
        seen = store.read(lambda tx: child.look(tx, runtime, Door(WEBCHAT, token), house.clock())).result()
        return [line.text for line in seen.lines if line.role == "child"]
    finally:
        store.close()


def test_what_was_copied_comes_back_without_what_was_erased_since(full: House, elsewhere: str) -> None:
    kept, gone = _write(full), _write(full)
    copy = _back_up(full)
    late = _write(full, "later")
    full.runtime.store.write(lambda tx: child.erase(tx, full.runtime, Door(WEBCHAT, gone), full.clock())).result()
    full.runtime.store.read(lambda tx: keep(tx, full.runtime.vault, full.clock())).result()
    again, _ = database.put_back(elsewhere, full.runtime.vault, copy, full.clock(), replace=False)
    assert again.chats == 1
    assert _read(full, elsewhere, kept) == [WORDS]
    for token in (gone, late):
        with pytest.raises(NotFound):
            _read(full, elsewhere, token)
    new = _write(_moved(full, elsewhere))
    assert _read(full, elsewhere, new) == [WORDS], "and life goes on, with numbers that nobody has yet"


def _moved(house: House, url: str) -> House:
    store = open_store(url)
    old = house.runtime.store
    house.runtime.store = store
    old.close()
    return house


def test_a_copy_holds_every_table_and_no_row_more_or_less(full: House, elsewhere: str) -> None:
    _write(full)
    copy = _back_up(full)
    before = {table.name: rows(full, table) for table in metadata.sorted_tables}
    database.put_back(elsewhere, full.runtime.vault, copy, full.clock(), replace=False)
    moved = _moved(full, elsewhere)
    for table in metadata.sorted_tables:
        if table.name in ("session", "event"):
            assert rows(moved, table) == [], "who was signed in then is not signed in now"
        elif table.name != "shift":
            assert sorted(map(repr, rows(moved, table))) == sorted(map(repr, before[table.name])), table.name
    assert before["session"]
    assert rows(moved, session) == []


def test_a_copy_and_the_secret_without_the_key_folder_open_nothing(full: House, elsewhere: str) -> None:
    _write(full)
    copy = _back_up(full)
    assert canary.scan([copy]) == []
    keys = [file.read_bytes() for file in (full.folder / "keys").iterdir() if file.suffix in (".bucket", ".key")]
    content = b"".join(file.read_bytes() for file in copy.rglob("*") if file.is_file())
    assert keys
    assert not any(key in content or key.hex().encode() in content for key in [*keys, full.secret])
    other = Vault.founded(secrets.token_bytes(64), full.folder / "other-keys", cost=TOY)
    with pytest.raises(BadCopy, match="ander geheim"):
        database.put_back(elsewhere, other, copy, full.clock(), replace=False)


def test_without_the_key_folder_nobody_knows_what_was_erased_so_nothing_is_put_back(full: House, elsewhere: str) -> None:
    token = _write(full)
    copy = _back_up(full)
    away, other = (Vault(full.secret, full.folder / name, cost=TOY) for name in ("away", "other"))
    with pytest.raises(BadCopy, match="sleutelmap"):
        database.put_back(elsewhere, away, copy, full.clock(), replace=False)
    other.key_files.found()
    with pytest.raises(BadCopy, match="hoort niet bij"):
        database.put_back(elsewhere, other, copy, full.clock(), replace=False)
    database.put_back(elsewhere, away, copy, full.clock(), replace=False, without_keys=True)
    assert _read(full, elsewhere, token) == [WORDS]


def test_only_its_owner_can_read_a_copy(full: House) -> None:
    copy = _back_up(full)
    assert {path.stat().st_mode & 0o777 for path in copy.rglob("*") if path.is_file()} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in [copy, *copy.rglob("*")] if path.is_dir()} == {0o700}


def test_a_changed_or_half_copy_is_refused_and_nothing_is_touched(full: House, elsewhere: str) -> None:
    copy = _back_up(full)
    victim = max(
        (file for file in copy.rglob("*") if file.is_file() and file.name != "manifest.json"), key=lambda f: f.stat().st_size
    )
    whole = victim.read_bytes()
    for harmed in (whole[:-1], whole[:50] + bytes([whole[50] ^ 1]) + whole[51:]):
        victim.write_bytes(harmed)
        with pytest.raises(BadCopy, match="beschadigd"):
            database.put_back(elsewhere, full.runtime.vault, copy, full.clock(), replace=False)
    (copy / "manifest.json").unlink()
    with pytest.raises(BadCopy, match="geen hele"):
        database.put_back(elsewhere, full.runtime.vault, copy, full.clock(), replace=False)
    with pytest.raises(BadCopy, match=copy.name):
        database.put_back(elsewhere, full.runtime.vault, copy.parent, full.clock(), replace=False)
    if elsewhere.startswith("sqlite"):
        assert list((full.folder / "new").iterdir()) == []


def test_a_copy_of_a_newer_program_is_refused(full: House, elsewhere: str) -> None:
    copy = _back_up(full)
    manifest = json.loads((copy / "manifest.json").read_bytes())
    (copy / "manifest.json").write_text(json.dumps(manifest | {"revision": "9999"}))
    with pytest.raises(BadCopy, match="nieuwere"):
        database.put_back(elsewhere, full.runtime.vault, copy, full.clock(), replace=False)


def test_an_attempt_that_was_cut_off_leaves_nothing_that_looks_whole(full: House) -> None:
    half = full.folder / "copies" / ".half-praat-2026-01-01T000000Z"
    half.mkdir(parents=True)
    (half / "praat.db").write_bytes(b"half")
    with pytest.raises(BadCopy, match="geen hele"):
        database.put_back("sqlite:////nowhere/praat.db", full.runtime.vault, half, full.clock(), replace=True)
    copy = _back_up(full)
    assert sorted(path.name for path in copy.parent.iterdir()) == [".lock", copy.name]


def test_a_database_in_use_or_with_people_is_not_written_over(full: House, elsewhere: str) -> None:
    token = _write(full)
    copy = _back_up(full)
    after = _write(full, "nieuwer")
    with pytest.raises(BadCopy, match="in gebruik"):
        database.put_back(full.url, full.runtime.vault, copy, full.clock(), replace=True)
    full.runtime.store.close()
    with pytest.raises(BadCopy, match="--replace"):
        database.put_back(full.url, full.runtime.vault, copy, full.clock(), replace=False)
    assert _read(full, full.url, after) == ["nieuwer"]
    _, aside = database.put_back(full.url, full.runtime.vault, copy, full.clock(), replace=True)
    assert _read(full, full.url, token) == [WORDS]
    with pytest.raises(NotFound):
        _read(full, full.url, after)
    if aside is not None:
        assert aside.stat().st_mode & 0o777 == 0o600
        assert _read(full, f"sqlite:///{aside}", after) == ["nieuwer"], "the database of before is still there"


def test_what_the_replaced_database_alone_knew_to_be_erased_stays_away(full: House) -> None:
    token = _write(full)
    copy = _back_up(full)
    full.runtime.store.write(lambda tx: child.erase(tx, full.runtime, Door(WEBCHAT, token), full.clock())).result()
    full.runtime.store.close()
    again, _ = database.put_back(full.url, full.runtime.vault, copy, full.clock(), replace=True)
    assert again.chats == 1
    with pytest.raises(NotFound):
        _read(full, full.url, token)


def test_a_team_whose_key_was_renewed_since_is_told(full: House, elsewhere: str) -> None:
    copy = _back_up(full)
    vault, team = full.runtime.vault, team_id_of(CITY)
    who, _ = full.sign_in("sanne")
    (state,) = full.runtime.store.read(lambda tx: teamwork.states(tx, vault, who)).result()
    full.runtime.store.write(lambda tx: teamwork.rotate(tx, vault, who, team, state.epoch, full.clock())).result()
    again, _ = database.put_back(elsewhere, vault, copy, full.clock(), replace=False)
    assert again.teams == (team,)


def test_a_damaged_database_is_replaced_only_when_asked(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    house.runtime.store.write(stamp).result()
    token = _write(house)
    copy = _back_up(house)
    house.runtime.store.close()
    file = house.folder / "praat.db"
    file.write_bytes(b"not a database" * 1000)
    with pytest.raises(BadCopy, match="onleesbaar"):
        database.put_back(house.url, house.runtime.vault, copy, house.clock(), replace=False)
    database.put_back(house.url, house.runtime.vault, copy, house.clock(), replace=True)
    assert _read(house, house.url, token) == [WORDS]


def _arrives(house: House, external_id: str) -> Work[Snapshot]:
    message = incoming("x", token=secrets.token_bytes(32), external_id=external_id)
    return lambda tx: child.send(tx, house.runtime, message, understood(), house.clock())


def test_a_copy_is_of_one_moment_while_others_write(full: House, elsewhere: str) -> None:
    """Every chat in it has its messages, its keys and its handoff, whatever is written meanwhile."""
    for _ in range(5):
        _write(full)
    writing = [full.runtime.store.write(_arrives(full, f"m{n}")) for n in range(40)]
    copy = _back_up(full)
    for one in writing:
        one.result()
    database.put_back(elsewhere, full.runtime.vault, copy, full.clock(), replace=False)
    moved = _moved(full, elsewhere)
    there = rows(moved, conversation)
    counted = {row.conversation_id for row in rows(moved, metadata.tables["message"])}
    assert counted == {row.id for row in there} == {row.conversation_id for row in rows(moved, metadata.tables["handoff"])}
    assert len(there) >= 5


def test_nothing_deleted_goes_along_in_a_copy(sqlite_house: House) -> None:
    house = sqlite_house
    house.runtime.store.write(stamp).result()
    with closing(sqlite3.connect(house.folder / "praat.db", isolation_level=None)) as raw:
        raw.execute("PRAGMA secure_delete=OFF")
        raw.execute("CREATE TABLE t (x)")
        raw.execute("INSERT INTO t VALUES (?)", ("bekend-woord-zzzz",))
        raw.execute("DELETE FROM t")
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"bekend-woord-zzzz" in (house.folder / "praat.db").read_bytes(), "the positive control"
    assert b"bekend-woord-zzzz" not in (_back_up(house) / "praat.db").read_bytes()


def test_no_disk_no_copy(full: House) -> None:
    (full.folder / "copies").write_bytes(b"a file where the folder should be")
    with pytest.raises(BadCopy, match="niet gemaakt"):
        _back_up(full)


def test_the_copies_folder_may_be_moved(full: House, elsewhere: str) -> None:
    token = _write(full)
    copy = _back_up(full)
    shutil.move(copy, full.folder / "safe")
    database.put_back(elsewhere, full.runtime.vault, full.folder / "safe", full.clock(), replace=False)
    assert _read(full, elsewhere, token) == [WORDS]
    assert sa.engine.make_url(elsewhere)
