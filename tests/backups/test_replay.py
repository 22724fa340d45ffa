"""What was erased stays away, also when an older copy of the database is put back. On both databases."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot import child
from bot.app import prepare_database
from bot.channels.web.spec import WEBCHAT
from bot.erasures import follow_erasures, remember
from handoff.backups.replay import KEPT, keep, replay
from handoff.chats.conversation import Door
from handoff.crypto import Tombstone
from handoff.errors import NotFound
from handoff.models import conversation, erased, metadata, person
from handoff.team import people
from tests.databases import stamp
from tests.make import House, drop_guards, first_child, incoming, rows, understood


@dataclass
class Older:
    """Every row of a database at one moment, put back by hand: as somebody does who knows nothing of this program."""

    house: House
    kept: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def take(self) -> Older:
        """Copy all rows."""
        for table in metadata.sorted_tables:
            self.kept[table.name] = [dict(row._mapping) for row in rows(self.house, table)]
        return self

    def put_back(self) -> None:
        """Have these rows and no others."""

        def work(tx: sa.Connection) -> None:
            drop_guards(tx)
            for table in reversed(metadata.sorted_tables):
                tx.execute(table.delete())
            for table in metadata.sorted_tables:
                if self.kept[table.name]:
                    tx.execute(table.insert(), self.kept[table.name])

        self.house.runtime.store.write(work).result()


def _erase(house: House, token: bytes) -> None:
    house.runtime.store.write(lambda tx: child.erase(tx, house.runtime, Door(WEBCHAT, token), house.clock())).result()


def _start(house: House) -> bool:
    """Do with the database what every start does before it serves."""
    house.runtime.store.write(stamp).result()
    return prepare_database(house.runtime, house.url)


def _chats(house: House) -> set[object]:
    return {row.id for row in rows(house, conversation)}


def test_an_older_copy_brings_back_no_chat_that_its_child_erased(house: House) -> None:
    house.confidant("sanne")
    token = secrets.token_bytes(32)
    gone, stays = first_child(house, token=token).conversation_id, first_child(house).conversation_id
    older = Older(house).take()
    _erase(house, token)
    asyncio.run(remember(house.runtime))
    older.put_back()
    assert _chats(house) == {gone, stays}, "the copy has both"
    assert _start(house)
    assert _chats(house) == {stays}
    assert _start(house), "and once more changes nothing"
    late = incoming(token=token, external_id="late")
    with pytest.raises(NotFound):
        house.runtime.store.write(lambda tx: child.send(tx, house.runtime, late, understood(), house.clock())).result()


def test_an_erasure_that_was_acknowledged_is_remembered_already(house: House) -> None:
    house.confidant("sanne")
    token = secrets.token_bytes(32)
    one = first_child(house, token=token).conversation_id
    books = house.runtime.vault.tombstones

    def undone(tx: sa.Connection) -> None:
        child.erase(tx, house.runtime, Door(WEBCHAT, token), house.clock())
        raise NotFound("on purpose")

    with pytest.raises(NotFound):
        house.runtime.store.write(undone).result()
    assert books.chats() == {}, "what was undone is not remembered: that chat is still there"
    _erase(house, token)
    assert books.chats() == {books.mark("chat", one): None}


def test_without_the_key_folder_an_erasure_goes_through_and_is_remembered_later(house: House) -> None:
    house.confidant("sanne")
    token = secrets.token_bytes(32)
    first_child(house, token=token)
    (house.folder / "keys").rename(house.folder / "away")
    _erase(house, token)
    (house.folder / "away").rename(house.folder / "keys")
    assert house.runtime.vault.tombstones.chats() == {}
    assert _start(house)
    assert len(house.runtime.vault.tombstones.chats()) == 1


def test_the_number_up_to_which_was_erased_comes_back_too(house: House) -> None:
    """On a channel whose door stays the same, what the child writes later begins a new chat."""
    house.confidant("sanne")
    token = secrets.token_bytes(32)
    first_child(house, token=token)
    older = Older(house).take()
    door = Door(WEBCHAT, token)
    house.runtime.store.write(lambda tx: child.erase(tx, house.runtime, door, house.clock(), up_to=41)).result()
    house.runtime.store.read(lambda tx: keep(tx, house.runtime.vault, house.clock())).result()
    older.put_back()
    house.runtime.store.write(lambda tx: replay(tx, house.runtime.vault, house.clock())).result()
    assert [(row.channel, row.up_to) for row in rows(house, erased)] == [(WEBCHAT, 41)]


def test_who_left_does_not_come_back_with_an_older_copy(house: House) -> None:
    house.confidant("sanne")
    left = house.confidant("mehmet")
    older = Older(house).take()
    house.runtime.store.write(lambda tx: people.disable(tx, house.runtime.vault, login="mehmet", now=house.clock())).result()
    asyncio.run(remember(house.runtime))
    older.put_back()
    assert _start(house)
    closed = {row.id for row in rows(house, person) if row.disabled_at is not None}
    assert closed == {left.person_id}
    assert house.runtime.store.read(lambda tx: tx.execute(sa.text("SELECT count(*) FROM session")).scalar_one()).result() == 1


def test_an_erasure_is_remembered_at_once_and_nothing_in_it_says_whose(house: House) -> None:
    house.confidant("sanne")
    token = secrets.token_bytes(32)
    gone = first_child(house, token=token).conversation_id

    async def work() -> None:
        stop = asyncio.Event()
        following = asyncio.create_task(follow_erasures(house.runtime, stop))
        await _until(lambda: bool(house.runtime.store.hub._by_topic))
        await asyncio.to_thread(_erase, house, token)
        await _until(lambda: len(house.runtime.vault.tombstones.chats()) == 1)
        house.runtime.store.hub.close()
        await following

    asyncio.run(work())
    written = b"".join(file.read_bytes() for file in (house.folder / "keys").glob("*.erased"))
    assert written
    assert gone.encode() not in written
    assert house.runtime.vault.child_auth(WEBCHAT, token).hex().encode() not in written


async def _until(there: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not there():  # noqa: ASYNC110 - what is waited for says nothing when it comes
            await asyncio.sleep(0.01)


def test_an_older_file_that_is_put_in_the_place_of_the_database_of_a_running_program(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    token = secrets.token_bytes(32)
    first_child(house, token=token)
    assert house.runtime.store.tidy().result()
    shutil.copy(house.folder / "praat.db", house.folder / "older")
    _erase(house, token)

    async def work() -> None:
        following = asyncio.create_task(follow_erasures(house.runtime, asyncio.Event()))
        await _until(lambda: len(house.runtime.vault.tombstones.chats()) == 1)
        (house.folder / "praat.db-wal").unlink()
        (house.folder / "older").replace(house.folder / "praat.db")
        await _until(lambda: _chats(house) == set())
        house.runtime.store.hub.close()
        await following

    asyncio.run(work())


def test_a_line_that_was_cut_off_spoils_no_other(sqlite_house: House) -> None:
    vault, day = sqlite_house.runtime.vault, sqlite_house.clock().date()
    vault.tombstones.note_chats(day, [Tombstone("a")])
    (book,) = (sqlite_house.folder / "keys").glob("*.erased")
    whole = book.read_bytes()
    book.write_bytes(whole + whole[: len(whole) // 2])
    vault.tombstones.note_chats(day, [Tombstone("b", 7), Tombstone("a")])
    assert vault.tombstones.chats() == {vault.tombstones.mark("chat", "a"): None, vault.tombstones.mark("chat", "b"): 7}


def test_a_book_goes_when_no_copy_can_hold_its_chats_any_more(sqlite_house: House) -> None:
    vault, today = sqlite_house.runtime.vault, sqlite_house.clock().date()
    vault.tombstones.note_chats(today, [Tombstone("a")])
    vault.tombstones.forget((sqlite_house.clock() - timedelta(days=1)).date())
    assert len(vault.tombstones.chats()) == 1
    vault.tombstones.forget((sqlite_house.clock() + KEPT).date() - KEPT + timedelta(days=1))
    assert vault.tombstones.chats() == {}
