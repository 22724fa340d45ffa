"""Everything that a run leaves on the disk is its owner's alone, and stands in the folder that was asked for."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import demo
from bot.app import assemble, first_start, prepare_database
from bot.channels.registry import read_settings
from bot.preflight import own_place
from tests.journey.server import free_port


@pytest.fixture
def careless() -> Iterator[None]:
    """A umask that takes nothing away."""
    before = os.umask(0)
    yield
    os.umask(before)


def files(folder: Path) -> dict[str, int]:
    """Every file in `folder` with its mode."""
    return {str(f.relative_to(folder)): stat.S_IMODE(f.stat().st_mode) for f in folder.rglob("*") if f.is_file()}


@pytest.mark.usefixtures("careless")
@pytest.mark.parametrize("name", ["wat?", "a#b", "50%", "met%20spatie", "gewoon", "?mode=memory"])
def test_a_run_keeps_all_it_writes_to_itself_and_in_its_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir(mode=0o755)
    ports = {"PRAAT_CHILD_PORT": str(free_port()), "PRAAT_CONSOLE_PORT": str(free_port())}
    settings = read_settings(environment={"PRAAT_DATA_DIR": str(folder), "PRAAT_ARGON2_MEMORY_KIB": "8192", **ports})
    first_start(settings)
    with own_place(settings):
        parts = assemble(settings)
        try:
            assert prepare_database(parts.runtime, settings.database_url)
            demo.prepare(parts.runtime, folder / "demo-logins.json")
            written = files(folder)
        finally:
            parts.close()
    assert {"praat.db", "praat.db-wal", "praat.db-shm", "published.json", "danger.published.yml", "demo-logins.json"} <= set(
        written
    )
    assert {name: oct(mode) for name, mode in written.items() if mode != 0o600} == {}
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.usefixtures("careless")
def test_a_database_that_others_could_read_is_closed_to_them_at_the_next_start(tmp_path: Path) -> None:
    settings = read_settings(environment={"PRAAT_DATA_DIR": str(tmp_path)})
    first_start(settings)
    for _ in range(2):
        parts = assemble(settings)
        try:
            assert prepare_database(parts.runtime, settings.database_url)
            assert files(tmp_path)["praat.db"] == 0o600
            assert files(tmp_path)["praat.db-wal"] == 0o600
        finally:
            parts.close()
        (tmp_path / "praat.db").chmod(0o644)
