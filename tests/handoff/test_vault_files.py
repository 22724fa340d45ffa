"""The key files: written whole or not at all, closed to others, and gone for good when they are destroyed."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from handoff.crypto import Vault
from handoff.crypto.key_directory import MARKER, KeyDirectory, Unfit
from handoff.errors import Denied, StoreUnavailable
from tests.handoff.rig import SECRET, TOY, denied


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    """A vault with its keys in `keys/`."""
    return Vault.founded(SECRET, tmp_path / "keys", cost=TOY)


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o701, 0o770])
def test_a_key_directory_that_others_may_enter_stops_the_start(tmp_path: Path, mode: int) -> None:
    (tmp_path / "keys").mkdir(mode=0o700)
    (tmp_path / "keys").chmod(mode)
    with pytest.raises(Unfit):
        Vault.founded(SECRET, tmp_path / "keys", cost=TOY)


def test_a_file_in_place_of_the_directory_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "keys").write_bytes(b"")
    with pytest.raises(Unfit):
        Vault.founded(SECRET, tmp_path / "keys", cost=TOY)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_directory_of_another_user_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir(mode=0o700)
    os.chown(tmp_path / "keys", 4711, 4711)
    with pytest.raises(Unfit):
        Vault.founded(SECRET, tmp_path / "keys", cost=TOY)


def test_files_are_closed_to_others_and_nothing_temporary_stays(vault: Vault, tmp_path: Path) -> None:
    vault.make_bucket("2026-12-22")
    vault.seal_for_delivery(b"hoi")
    files = {file.name: file.stat().st_mode & 0o777 for file in (tmp_path / "keys").iterdir()}
    assert files == {"2026-12-22.bucket": 0o600, "delivery.key": 0o600, "delivery.pub": 0o600, MARKER: 0o600}
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700


def test_many_at_once_make_one_key(tmp_path: Path) -> None:
    files = KeyDirectory(tmp_path / "keys")
    files.belong_to(files.found())
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda n: files.make("day", bytes([n]) * 32), range(64)))
    kept = files.read("day", size=32)
    assert kept == kept[:1] * 32
    files.make("day", b"z" * 32)
    assert files.read("day") == kept


def test_making_a_bucket_again_keeps_its_key(vault: Vault) -> None:
    vault.make_bucket("2026-12-22")
    key = vault.bucket("2026-12-22")
    vault.make_bucket("2026-12-22")
    assert vault.bucket("2026-12-22") == key
    assert len(key) == 32


def test_a_destroyed_bucket_is_overwritten_and_gone(vault: Vault, tmp_path: Path) -> None:
    vault.make_bucket("2026-12-22")
    vault.make_bucket("2026-12-21")
    key = vault.bucket("2026-12-22")
    os.link(tmp_path / "keys" / "2026-12-22.bucket", tmp_path / "same-blocks-on-disk")
    vault.destroy_bucket("2026-12-22")
    vault.destroy_bucket("2026-12-22")
    assert denied(vault.bucket, "2026-12-22")
    assert vault.buckets() == ["2026-12-21"]
    assert key not in (tmp_path / "same-blocks-on-disk").read_bytes()


def test_a_bucket_made_anew_is_another_key(vault: Vault) -> None:
    vault.make_bucket("2026-12-22")
    key = vault.bucket("2026-12-22")
    vault.destroy_bucket("2026-12-22")
    vault.make_bucket("2026-12-22")
    assert vault.bucket("2026-12-22") != key


@pytest.mark.parametrize("day", ["../x", "2026-12-2", "2026-13-01", "2026-02-30", "", "2026-12-22/", "delivery", "2026-12-22\n"])
def test_only_a_day_names_a_bucket(vault: Vault, day: str) -> None:
    for attempt in (vault.make_bucket, vault.bucket, vault.destroy_bucket):
        with pytest.raises(ValueError, match=r"YYYY-MM-DD|month|day"):
            attempt(day)


def test_half_a_key_opens_nothing(vault: Vault, tmp_path: Path) -> None:
    (tmp_path / "keys" / "2026-12-22.bucket").write_bytes(b"half")
    with pytest.raises(Denied):
        vault.bucket("2026-12-22")


def test_a_key_directory_that_went_away_is_said_and_nothing_is_taken(vault: Vault, tmp_path: Path) -> None:
    (tmp_path / "keys").rename(tmp_path / "away")
    with pytest.raises(StoreUnavailable):
        vault.make_bucket("2026-12-22")
    with pytest.raises(StoreUnavailable):
        vault.seal_for_delivery(b"hoi")


def test_delivery_opens_in_its_own_place_only_and_in_any_process_with_the_key(vault: Vault, tmp_path: Path) -> None:
    blob = vault.seal_for_delivery(b"hoi", "words", "c", 3)
    other = Vault.founded(b"2" * 32, tmp_path / "keys", cost=TOY)
    assert other.open_for_delivery(blob, "words", "c", 3) == b"hoi"
    assert denied(vault.open_for_delivery, blob, "words", "c", 4)
    assert denied(vault.open_for_delivery, blob)


def test_who_seals_for_delivery_needs_no_private_key(vault: Vault, tmp_path: Path) -> None:
    vault.seal_for_delivery(b"first use makes the key")
    (tmp_path / "keys" / "delivery.key").rename(tmp_path / "elsewhere")
    blob = vault.seal_for_delivery(b"hoi")
    assert denied(vault.open_for_delivery, blob)
    (tmp_path / "elsewhere").rename(tmp_path / "keys" / "delivery.key")
    assert vault.open_for_delivery(blob) == b"hoi"
