"""`praat erase-check` finds what is left in raw files, by table and never by word; after the program's own rounds nothing is."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from bot import child
from bot.channels.web.spec import WEBCHAT
from bot.cli.main import app
from bot.erasures import remember
from config.private_files import write_private
from handoff.backups import database
from handoff.backups.postgres_remains import CannotSee, in_postgres
from handoff.backups.remains import back_again, gone, in_folder, in_sqlite
from handoff.chats import retention
from handoff.chats.conversation import Door
from handoff.models import conversation
from tests import canary
from tests.databases import stamp
from tests.make import House, incoming, rows, understood


def _write(house: House, token: bytes, number: int = 1) -> str:
    message = incoming(canary.MARKER, token=token, external_id=f"m{number}")
    return (
        house.runtime.store.write(lambda tx: child.send(tx, house.runtime, message, understood(), house.clock()))
        .result()
        .conversation_id
    )


def _erase(house: House, token: bytes) -> None:
    house.runtime.store.write(lambda tx: child.erase(tx, house.runtime, Door(WEBCHAT, token), house.clock())).result()


def _ids(house: House) -> tuple[str, ...]:
    return house.runtime.store.read(lambda tx: gone(tx, house.runtime.vault)).result().ids


@pytest.fixture
def chats(sqlite_house: House) -> tuple[House, list[bytes], list[str]]:
    """Thirty chats of some length on SQLite."""
    sqlite_house.confidant("sanne")
    sqlite_house.runtime.store.write(stamp).result()
    tokens = [secrets.token_bytes(32) for _ in range(30)]
    ids = [_write(sqlite_house, token) for token in tokens]
    for number in (2, 3):
        for token in tokens:
            _write(sqlite_house, token, number)
    return sqlite_house, tokens, ids


def test_what_is_there_is_found_by_table(chats: tuple[House, list[bytes], list[str]]) -> None:
    house, _, ids = chats
    assert house.runtime.store.tidy().result()
    found = in_sqlite(house.folder / "praat.db", ids[:3])
    assert {"message", "conversation", "conversation_key", "key_wrap", "handoff", "outbox"} <= {one.where for one in found}
    assert "vrije ruimte" not in {one.where for one in found}
    assert all(one.file == "praat.db" for one in found)


def test_after_an_erasure_nothing_is_left_when_the_log_is_empty_and_the_file_is_rebuilt(
    chats: tuple[House, list[bytes], list[str]],
) -> None:
    house, tokens, ids = chats
    for token in tokens[::2]:
        _erase(house, token)
    assert set(_ids(house)) == set(ids[::2])
    assert house.runtime.store.rebuild().result()
    assert asyncio.run(remember(house.runtime))
    assert in_sqlite(house.folder / "praat.db", ids[::2]) == []
    assert in_sqlite(house.folder / "praat.db", ids[1::2]), "and the others are there"


def test_a_log_that_a_reader_holds_is_found_and_gone_when_it_lets_go(chats: tuple[House, list[bytes], list[str]]) -> None:
    house, tokens, ids = chats
    with contextlib.closing(sqlite3.connect(house.folder / "praat.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM message").fetchall()
        _erase(house, tokens[0])
        assert asyncio.run(remember(house.runtime)) is False
        found = in_sqlite(house.folder / "praat.db", [ids[0]])
        assert {"praat.db-wal"} <= {one.file for one in found}
        assert "message" in {one.where for one in found}
    assert asyncio.run(remember(house.runtime)) is True
    assert not [one for one in in_sqlite(house.folder / "praat.db", [ids[0]]) if one.file.endswith("-wal")]


def test_free_pages_and_slack_are_searched_too(chats: tuple[House, list[bytes], list[str]]) -> None:
    house, _, _ = chats
    lost = secrets.token_urlsafe(16)
    with contextlib.closing(sqlite3.connect(house.folder / "praat.db", isolation_level=None)) as raw:
        raw.execute("PRAGMA secure_delete=OFF")
        raw.execute("CREATE TABLE big (x)")
        raw.executemany("INSERT INTO big VALUES (?)", [(lost + "x" * 3000,)] * 20)
        raw.execute("DROP TABLE big")
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert "vrije ruimte" in {one.where for one in in_sqlite(house.folder / "praat.db", [lost])}


def test_a_copy_of_before_and_a_key_of_a_destroyed_day_are_found(house: House, tmp_path: Path) -> None:
    house.confidant("sanne")
    house.runtime.store.write(stamp).result()
    token = secrets.token_bytes(32)
    one = _write(house, token)
    database.back_up(house.url, house.runtime.vault, tmp_path / "copies", house.clock(), lambda _line: None)
    (tmp_path / "copies" / "2026-01-01.bucket").write_bytes(secrets.token_bytes(32))
    _erase(house, token)
    found = in_folder(tmp_path / "copies", _ids(house), house.runtime.vault.buckets())
    assert {"message", "message.copy"} & {name for each in found for name in (each.where, Path(each.file).name)}
    assert [each.file for each in found if "sleutel" in each.where] == ["2026-01-01.bucket"]
    assert one in _ids(house)


def test_a_chat_whose_time_is_over_is_looked_for_too(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    one = _write(house, secrets.token_bytes(32))
    house.clock.turn(days=45)
    vault, now = house.runtime.vault, house.clock()
    assert house.runtime.store.write(lambda tx: retention.delete_expired(tx, vault, now, "2027-12-31")).result() == 1
    assert _ids(house) == (one,)
    house.runtime.store.rebuild().result()
    assert asyncio.run(remember(house.runtime))
    assert in_sqlite(house.folder / "praat.db", [one]) == []


def test_a_chat_that_came_back_by_hand_is_counted(house: House) -> None:
    house.confidant("sanne")
    token = secrets.token_bytes(32)
    _write(house, token)
    (row,) = rows(house, conversation)
    _erase(house, token)
    asyncio.run(remember(house.runtime))
    assert house.runtime.store.read(lambda tx: back_again(tx, house.runtime.vault)).result() == 0
    house.runtime.store.write(lambda tx: tx.execute(conversation.insert(), [dict(row._mapping)]).close()).result()
    assert house.runtime.store.read(lambda tx: back_again(tx, house.runtime.vault)).result() == 1


@pytest.mark.parametrize("house", ["postgresql"], indirect=True)
def test_postgresql_keeps_what_was_deleted_and_that_is_said(house: House) -> None:
    house.confidant("sanne")
    token = secrets.token_bytes(32)
    one = _write(house, token)
    _erase(house, token)
    found = in_postgres(house.url, [one])
    assert {("message", "tabel"), ("pg_wal", "logboek")} <= {(each.file, each.where) for each in found}
    assert not {"erased", "event"} & {each.file for each in found}
    assert in_postgres(house.url, [secrets.token_urlsafe(16)]) == []
    name = f"reader_{secrets.token_hex(4)}"
    engine = sa.create_engine(house.url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as tx:
        tx.exec_driver_sql(f"CREATE ROLE {name} LOGIN").close()
    try:
        with pytest.raises(CannotSee):
            in_postgres(sa.engine.make_url(house.url).set(username=name).render_as_string(hide_password=False), [one])
    finally:
        with engine.connect() as tx:
            tx.exec_driver_sql(f"DROP ROLE {name}").close()


def test_the_command_says_where_and_never_what(
    chats: tuple[House, list[bytes], list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    house, tokens, ids = chats
    monkeypatch.setenv("PRAAT_DATA_DIR", str(house.folder))
    write_private(house.folder / "secret", house.secret)
    database.back_up(house.url, house.runtime.vault, tmp_path / "copies", house.clock(), lambda _line: None)
    _erase(house, tokens[0])
    house.runtime.store.rebuild().result()
    asyncio.run(remember(house.runtime))
    done = CliRunner().invoke(app, ["erase-check"])
    assert (done.exit_code, "niets van over" in done.output) == (0, True), done.output
    done = CliRunner().invoke(app, ["erase-check", str(tmp_path / "copies")])
    assert done.exit_code == 1
    assert "message" in done.output
    assert ids[0] not in done.output
