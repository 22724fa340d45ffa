"""Database and key folder belong together: what is away is away, not forgotten, and nothing is made in its place."""

from __future__ import annotations

import secrets
from functools import partial
from pathlib import Path

import pytest

from bot import child
from bot.channels.web.spec import WEBCHAT
from handoff import audit, confidant, installation
from handoff.chats import retention
from handoff.chats.conversation import Door
from handoff.crypto import Vault
from handoff.crypto.key_directory import MARKER, Unfit
from handoff.errors import Denied, NotFound, StoreUnavailable
from handoff.installation import KeysAway, OthersKeys
from handoff.models import installation as table
from handoff.models import message as message_table
from handoff.queue import handoffs
from tests.make import TOY, House, first_child, incoming, rows, understood

PLACES = ["gone", "empty", "of another", "a file"]


class Place:
    """The key folder of a house, in the hands of an operator."""

    def __init__(self, house: House) -> None:
        self.house, self.path, self.away = house, house.folder / "keys", house.folder / "away"

    def settle(self) -> None:
        """A process starts: a vault of its own."""
        run = self.house.runtime
        installation.settle(run.store, self.vault())

    def vault(self) -> Vault:
        """The keys as a new process sees them."""
        return Vault(self.house.secret, self.path, cost=TOY)

    def put(self, what: str) -> None:
        """Take the folder away, and put something in its place."""
        self.path.rename(self.away)
        if what == "empty":
            self.path.mkdir(mode=0o700)
        elif what == "of another":
            other = Vault.founded(self.house.secret, self.path, cost=TOY)
            for file in self.away.glob("*.bucket"):
                other.make_bucket(file.name.removesuffix(".bucket"))
            other.seal_for_delivery(b"x")
        elif what == "a file":
            self.path.touch(mode=0o600)

    def names(self) -> set[str]:
        """What stands there."""
        return {file.name for file in self.path.iterdir()} if self.path.is_dir() else set()

    def back(self) -> None:
        """Put the folder back."""
        if self.path.is_dir():
            for file in self.path.iterdir():
                file.unlink()
            self.path.rmdir()
        self.path.unlink(missing_ok=True)
        self.away.rename(self.path)


@pytest.fixture
def place(house: House) -> Place:
    """A house that has settled."""
    return Place(house)


@pytest.fixture
def new(house: House) -> House:
    """A house whose database has no id yet."""
    house.runtime.store.write(lambda tx: tx.execute(table.delete())).result()
    return house


def _look(house: House, token: bytes) -> list[str]:
    run = house.runtime
    seen = run.store.read(lambda tx: child.look(tx, run, Door(WEBCHAT, token), house.clock())).result()
    return [line.text for line in seen.lines if line.role == "child"]


def _send(house: House, token: bytes, external_id: str, after: int = 1) -> None:
    run, message = house.runtime, incoming("nog een", token=token, external_id=external_id)
    run.store.write(lambda tx: child.send(tx, run, message, understood(), house.clock(), after=after)).result()


@pytest.mark.parametrize("what", PLACES)
def test_a_key_folder_that_is_away_makes_nobody_forget_and_takes_no_words(place: Place, what: str) -> None:
    house, token = place.house, secrets.token_bytes(32)
    house.confidant("sanne")
    shown = first_child(house, token=token).lines[-1].seq
    place.put(what)
    before, stood = len(rows(house, message_table)), place.names()
    for attempt in (
        lambda: _look(house, token),
        lambda: _send(house, token, "m2"),
        lambda: _send(house, token, "m2", after=shown),
        lambda: _send(house, secrets.token_bytes(32), "m1"),
    ):
        with pytest.raises(StoreUnavailable):
            attempt()
    with pytest.raises(StoreUnavailable):
        house.runtime.store.write(
            lambda tx: retention.destroy_expired_keys(tx, house.runtime.vault, house.clock(), "9999")
        ).result()
    assert len(rows(house, message_table)) == before
    assert place.names() == stood, "nothing is made in its place"
    place.back()
    assert _look(house, token) == ["hoi"]
    _send(house, token, "m2")
    assert _look(house, token) == ["hoi", "nog een"]


@pytest.mark.parametrize("what", PLACES)
def test_a_child_erases_what_a_human_read_also_while_the_key_folder_is_away(place: Place, what: str) -> None:
    house, tokens = place.house, [secrets.token_bytes(32) for _ in range(2)]
    sanne, run, write = house.confidant("sanne"), house.runtime, house.runtime.store.write
    for token in tokens:
        chat = first_child(house, token=token).conversation_id
        item = write(partial(handoffs.last_of, conversation_id=chat)).result()
        write(partial(confidant.claim, runtime=run, who=sanne, handoff_id=item.id, now=house.clock())).result()

    def erases(token: bytes) -> bool:
        return write(lambda tx: child.erase(tx, run, Door(WEBCHAT, token), house.clock())).result().was_read

    place.put(what)
    assert erases(tokens[0])
    place.back()
    assert erases(tokens[1])
    outside = audit.known(run.vault)
    assert outside is not None
    report = run.store.read(lambda tx: audit.verify(tx, run.vault, [outside])).result()
    assert (report.findings, report.head) == ([], outside), (
        "what was noted meanwhile is in the chain, and the place outside follows"
    )


def test_a_key_that_was_destroyed_is_gone_and_not_away(place: Place) -> None:
    house, token = place.house, secrets.token_bytes(32)
    house.confidant("sanne")
    first_child(house, token=token)
    (day,) = house.runtime.vault.buckets()
    house.runtime.vault.destroy_bucket(day)
    with pytest.raises(Denied):
        _look(house, token)


@pytest.mark.parametrize("what", PLACES)
def test_a_start_with_another_key_folder_or_none_is_refused_and_makes_nothing(place: Place, what: str) -> None:
    place.house.confidant("sanne")
    first_child(place.house)
    place.put(what)
    stood = place.names()
    refusal = {"gone": KeysAway, "empty": KeysAway, "of another": OthersKeys, "a file": Unfit}[what]
    for _ in range(2):
        with pytest.raises(refusal):
            place.settle()
        assert place.names() == stood
    place.back()
    place.settle()


def test_a_process_that_was_refused_uses_no_key(place: Place) -> None:
    place.put("of another")
    vault = place.vault()
    with pytest.raises(StoreUnavailable):
        vault.buckets()
    with pytest.raises(OthersKeys):
        installation.settle(place.house.runtime.store, vault)
    for attempt in (vault.buckets, lambda: vault.make_bucket("2026-12-22"), lambda: vault.seal_for_delivery(b"x")):
        with pytest.raises(StoreUnavailable):
            attempt()


def test_several_processes_of_one_installation_start_at_once(new: House) -> None:
    folder = new.folder / "fresh"
    folder.mkdir(mode=0o700)
    vaults = [Vault(new.secret, folder, cost=TOY) for _ in range(4)]
    for vault in vaults:
        installation.settle(new.runtime.store, vault)
    (row,) = rows(new, table)
    assert (folder / MARKER).read_text() == row._mapping["id"]
    assert (folder / MARKER).stat().st_mode & 0o777 == 0o600
    vaults[0].make_bucket("2026-12-22")
    assert vaults[3].buckets() == ["2026-12-22"]


def test_a_first_start_that_died_between_marker_and_database_goes_on(new: House) -> None:
    folder = new.folder / "fresh"
    vault = Vault.founded(new.secret, folder, cost=TOY)
    installation.settle(new.runtime.store, Vault(new.secret, folder, cost=TOY))
    assert [row._mapping["id"] for row in rows(new, table)] == [vault.key_files.marker()]


def test_a_new_database_beside_old_keys_is_refused(new: House) -> None:
    vault = Vault.founded(new.secret, new.folder / "old", cost=TOY)
    vault.make_bucket("2026-12-22")
    with pytest.raises(OthersKeys):
        installation.settle(new.runtime.store, vault)
    assert rows(new, table) == []


def test_the_first_start_of_this_version_takes_an_older_key_folder_if_it_is_the_one(new: House) -> None:
    """An older database has no id, an older folder no marker: the keys of the chats tell."""
    new.confidant("sanne")
    first_child(new)
    place = Place(new)
    (place.path / MARKER).unlink()
    place.put("empty")
    with pytest.raises(KeysAway):
        place.settle()
    assert place.names() == set()
    place.back()
    place.settle()
    assert rows(new, table)[0]._mapping["id"] == (place.path / MARKER).read_text()


def test_a_key_folder_that_is_lost_for_good_can_be_replaced_on_purpose(place: Place) -> None:
    house, token = place.house, secrets.token_bytes(32)
    house.confidant("sanne")
    first_child(house, token=token)
    place.put("of another")
    with pytest.raises(OthersKeys):
        installation.adopt(house.runtime.store, place.vault())
    for file in place.path.iterdir():
        file.unlink()
    assert installation.adopt(house.runtime.store, place.vault())
    assert not installation.adopt(house.runtime.store, place.vault())
    place.settle()
    installation.see(house.runtime.store, house.runtime.vault)
    with pytest.raises(Denied):
        _look(house, token)
    first_child(house)


def test_a_database_that_was_put_back_from_another_installation_is_noticed_while_running(place: Place) -> None:
    run = place.house.runtime
    run.store.write(lambda tx: tx.execute(table.update().values(id="another"))).result()
    with pytest.raises(OthersKeys):
        installation.see(run.store, run.vault)
    with pytest.raises(StoreUnavailable):
        run.vault.buckets()


def test_a_marker_that_comes_in_the_same_second_is_read_again(tmp_path: Path) -> None:
    """The file, not its time, is what is remembered."""
    vault = Vault.founded(b"s" * 32, tmp_path / "keys", cost=TOY)
    vault.key_files.see()
    (tmp_path / "keys" / "other").write_text("f" * 32)
    (tmp_path / "keys" / "other").replace(tmp_path / "keys" / MARKER)
    with pytest.raises(StoreUnavailable, match="another installation"):
        vault.key_files.see()


def test_an_erasure_needs_no_key(place: Place) -> None:
    house, token = place.house, secrets.token_bytes(32)
    house.confidant("sanne")
    first_child(house, token=token)
    place.put("gone")
    run = house.runtime
    run.store.write(lambda tx: child.erase(tx, run, Door(WEBCHAT, token), house.clock())).result()
    with pytest.raises(NotFound):
        _look(house, token)
