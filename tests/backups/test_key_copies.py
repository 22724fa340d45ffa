"""Copies of the keys: they open with eight words only, keep up with what is destroyed, and never write over another key."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from handoff.backups import key_copies
from handoff.backups.folder import BadCopy
from handoff.crypto import Tombstone, Vault
from handoff.errors import Denied
from tests.handoff.rig import NOW, TOY

SOON, LATER = "2026-12-22", "2026-12-23"


@dataclass
class Keys:
    """The secret and the keys of one installation, and where their copies go."""

    folder: Path
    secret: bytes
    vault: Vault
    words: str

    @property
    def copies(self) -> Path:
        """Where the copies lie."""
        return self.folder / "copies"

    def copy(self, *, days: int = 0) -> key_copies.KeysCopied:
        """Bring the copies up to date, some days later."""
        return key_copies.back_up_keys(self.vault, self.secret, self.copies, NOW + timedelta(days=days))

    def put_back(self, *, words: str = "", where: str = "new", days: int = 0) -> Vault:
        """On another machine."""
        keys, secret = self.folder / where, self.folder / f"{where}-secret"
        key_copies.put_back_keys(self.copies, words or self.words, keys, secret, NOW + timedelta(days=days))
        assert secret.stat().st_mode & 0o777 == 0o600
        return Vault.founded(secret.read_bytes(), keys, cost=TOY)


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    """Two days' keys, a delivery key, one tombstone and a recovery key."""
    secret = secrets.token_bytes(64)
    vault = Vault.founded(secret, tmp_path / "keys", cost=TOY)
    vault.make_bucket(SOON)
    vault.make_bucket(LATER)
    vault.seal_for_delivery(b"makes the key")
    vault.tombstones.note_chats(NOW.date(), [Tombstone("a")])
    return Keys(tmp_path, secret, vault, key_copies.new_recovery_key(vault, replace=False, cost=TOY))


def test_the_words_bring_everything_back_on_another_machine(keys: Keys) -> None:
    blob = keys.vault.seal_for_delivery(b"hoi")
    keys.copy()
    there = keys.put_back()
    assert [there.bucket(day) for day in there.buckets()] == [keys.vault.bucket(SOON), keys.vault.bucket(LATER)]
    assert there.open_for_delivery(blob) == b"hoi"
    assert there.row_mac("x") == keys.vault.row_mac("x")
    assert there.key_files.marker() == keys.vault.key_files.marker()
    assert there.tombstones.chats() == keys.vault.tombstones.chats()


def test_without_the_words_a_copy_opens_nothing(keys: Keys) -> None:
    keys.copy()
    content = b"".join(file.read_bytes() for file in keys.copies.iterdir())
    hidden = [keys.secret, keys.vault.bucket(SOON), keys.vault.key_files.read("delivery.key"), keys.words.encode()]
    assert not any(one in content or one.hex().encode() in content for one in hidden)
    other = key_copies.new_recovery_key(keys.vault, replace=True, cost=TOY)
    for words in (other, keys.words.replace(" ", "  "), "x"):
        with pytest.raises(BadCopy, match="openen deze kopie niet"):
            keys.put_back(words=words)
    assert not (keys.folder / "new").exists()


def test_the_words_stand_nowhere(keys: Keys) -> None:
    everything = b"".join(file.read_bytes() for file in (keys.folder / "keys").iterdir())
    assert keys.words.encode() not in everything
    assert len(keys.words.split()) == 8


def test_a_destroyed_day_is_destroyed_in_the_copy_at_the_next_run(keys: Keys) -> None:
    keys.copy()
    sealed = keys.copies / f"{SOON}.bucket.sealed"
    kept = sealed.read_bytes()
    (keys.folder / "same-blocks").hardlink_to(sealed)
    keys.vault.destroy_bucket(SOON)
    done = keys.copy(days=31)
    assert done.destroyed == 1
    assert not sealed.exists()
    assert (keys.folder / "same-blocks").read_bytes() != kept
    with pytest.raises(Denied):
        keys.put_back(days=31).bucket(SOON)


def test_an_old_copy_does_not_bring_back_a_day_that_is_past(keys: Keys) -> None:
    keys.copy()
    there = keys.put_back(days=31)
    assert there.buckets() == [LATER]


def test_a_key_folder_that_lost_its_keys_takes_no_copy_along(keys: Keys) -> None:
    """The day is still to come: the key cannot have been destroyed by retention."""
    keys.copy()
    keys.vault.destroy_bucket(SOON)
    done = keys.copy(days=1)
    assert done.destroyed == 0
    assert done.missing == (SOON,)
    assert keys.put_back().buckets() == [SOON, LATER]


def test_what_did_not_change_is_not_written_again(keys: Keys) -> None:
    assert keys.copy().written == 3
    assert keys.copy().written == 0
    keys.vault.make_bucket("2026-12-24")
    assert keys.copy().written == 1
    key_copies.new_recovery_key(keys.vault, replace=True, cost=TOY)
    assert keys.copy().written == 4, "another recovery key: everything is sealed anew"


def test_a_harmed_copy_is_refused_and_mended_by_the_next_run(keys: Keys) -> None:
    keys.copy()
    sealed = keys.copies / f"{SOON}.bucket.sealed"
    sealed.write_bytes(sealed.read_bytes()[:-1] + b"x")
    with pytest.raises(BadCopy, match="beschadigd"):
        keys.put_back()
    assert not (keys.folder / "new-secret").exists()
    assert keys.copy().written == 1
    assert keys.put_back().buckets() == [SOON, LATER]


def test_nothing_is_written_over_another_key_or_secret(keys: Keys) -> None:
    keys.copy()
    other = Vault.founded(secrets.token_bytes(64), keys.folder / "others", cost=TOY)
    with pytest.raises(BadCopy, match="andere installatie"):
        keys.put_back(where="others")
    assert other.buckets() == []
    (keys.folder / "new-secret").write_bytes(b"another secret" * 5)
    with pytest.raises(BadCopy, match="ander geheim"):
        keys.put_back()
    assert not (keys.folder / "new").exists()


def test_keys_of_another_installation_do_not_go_into_the_same_folder(keys: Keys) -> None:
    keys.copy()
    other = Vault.founded(secrets.token_bytes(64), keys.folder / "others", cost=TOY)
    key_copies.new_recovery_key(other, replace=False, cost=TOY)
    with pytest.raises(BadCopy, match="andere installatie"):
        key_copies.back_up_keys(other, keys.secret, keys.copies, NOW)


def test_what_was_erased_after_the_copy_is_not_forgotten_by_putting_it_back(keys: Keys) -> None:
    keys.copy()
    keys.vault.tombstones.note_chats(NOW.date(), [Tombstone("b", 9)])
    key_copies.put_back_keys(keys.copies, keys.words, keys.folder / "keys", keys.folder / "keys-secret", NOW)
    assert len(keys.vault.tombstones.chats()) == 2


def test_a_second_recovery_key_only_on_purpose_and_none_no_copy(keys: Keys) -> None:
    with pytest.raises(BadCopy, match="--replace"):
        key_copies.new_recovery_key(keys.vault, replace=False, cost=TOY)
    keys.vault.key_files.destroy(key_copies.PUBLIC)
    with pytest.raises(BadCopy, match="recovery new"):
        keys.copy()
