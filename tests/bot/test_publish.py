"""A broken file never takes the running words down; a database that is busy only delays new ones; a gemeente does not vanish."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from bot.channels.registry import SPECS
from bot.loops import ConfigurationWatch
from handoff import publishing
from handoff.errors import StoreUnavailable
from handoff.publishing import NothingPublished, publish_files
from tests import make
from tests.make import CITY, CONFIG, NOON, House, first_child


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A copy of the configuration that may be broken."""
    copy = tmp_path / "config"
    shutil.copytree(CONFIG, copy, ignore=shutil.ignore_patterns("*.py", "__pycache__", "words"))
    return copy


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder."""
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def told() -> list[str]:
    """What the operator was told."""
    return []


@pytest.fixture
def watch(sqlite_house: House, files: Path, data: Path, told: list[str]) -> ConfigurationWatch:
    """A server's watch over the files, with the first version in force."""
    published = publish_files(files, data, NOON, SPECS)
    sqlite_house.runtime.configuration = published.configuration
    return ConfigurationWatch(sqlite_house.runtime, files, data, published.digest, told.append)


def _rewrite(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    past = file.stat().st_mtime - 5  # an editor that is done
    os.utime(file, (past, past))


def test_broken_files_leave_the_published_words_in_force(files: Path, data: Path) -> None:
    good = publish_files(files, data, NOON, SPECS)
    _rewrite(files / "dialogue" / "nl.yml", "\nresponses:", "\nresponses: [")
    refused = publish_files(files, data, NOON, SPECS)
    assert refused.configuration == good.configuration
    assert "nl.yml" in refused.faults


def test_broken_files_and_nothing_published_say_what_to_mend(files: Path, data: Path) -> None:
    _rewrite(files / "dialogue" / "nl.yml", "\nresponses:", "\nresponses: [")
    with pytest.raises(NothingPublished, match=r"nl\.yml"):
        publish_files(files, data, NOON, SPECS)


def test_an_editors_lock_file_is_not_a_configuration(files: Path, data: Path) -> None:
    before = publish_files(files, data, NOON, SPECS)
    (files / "dialogue" / ".#nl.yml").symlink_to("someone@somewhere.1234")
    (files / "dialogue" / "nl.yml.d").mkdir()
    assert publish_files(files, data, NOON, SPECS).digest == before.digest


def test_a_changed_file_comes_into_force_without_a_restart(
    sqlite_house: House, files: Path, watch: ConfigurationWatch, told: list[str]
) -> None:
    _rewrite(files / "municipalities" / f"{CITY}.yml", "name: Voorbeeldstad", "name: Voorbeeldplaats")
    asyncio.run(watch.step())
    assert sqlite_house.runtime.municipality(CITY).name == "Voorbeeldplaats"
    assert told == ["De nieuwe teksten zijn gepubliceerd."]


def test_what_could_not_be_stored_is_not_in_force_and_is_tried_again(
    sqlite_house: House, files: Path, watch: ConfigurationWatch
) -> None:
    sqlite_house.confidant("sanne")
    _rewrite(files / "dialogue" / "nl.yml", "Hoi. ", "Hallo. ")
    other = sqlite3.connect(sqlite_house.folder / "praat.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    before = sqlite_house.runtime.configuration.script.version
    with pytest.raises(StoreUnavailable):
        asyncio.run(watch.step())
    assert sqlite_house.runtime.configuration.script.version == before
    other.execute("ROLLBACK")
    other.close()
    assert first_child(sqlite_house).state == "waiting", "a child writes between the failure and the next try"
    asyncio.run(watch.step())
    assert sqlite_house.runtime.configuration.script.version != before
    assert first_child(sqlite_house).state == "waiting"


def test_a_gemeente_whose_file_is_gone_finishes_its_chats(sqlite_house: House, files: Path, data: Path) -> None:
    second = "id: tweede\nname: Tweede\nteams: [{id: team-tweede, name: Team Tweede}]\nroute: plain\nexit_url: https://www.buienradar.nl/\n"
    (files / "municipalities" / "tweede.yml").write_text(second)
    both = publish_files(files, data, NOON, SPECS)
    assert set(both.configuration.municipalities) == {CITY, "tweede"}
    (files / "municipalities" / "tweede.yml").unlink()
    kept = publish_files(files, data, NOON, SPECS).configuration.municipalities["tweede"]
    assert kept.retired_on == NOON.date()
    _rewrite(files / "municipalities" / f"{CITY}.yml", "name: Voorbeeldstad", "name: Eerste")
    much_later = NOON + timedelta(days=60)
    assert set(publish_files(files, data, much_later, SPECS).configuration.municipalities) == {CITY}


def test_a_stricter_gate_looks_at_old_words_again() -> None:
    assert publishing.digest(CONFIG, SPECS) == publishing.digest(CONFIG, SPECS)
    assert make.configuration().script.version


def test_a_file_that_was_put_back_with_an_older_date_is_noticed(watch: ConfigurationWatch, files: Path, told: list[str]) -> None:
    """`cp -p`, `rsync -t` and `git checkout` of another machine: the newest date of all files stays what it was."""
    asyncio.run(watch.step())
    file = files / "dialogue" / "nl.yml"
    _rewrite(file, "Goed dat je er bent.", "Fijn dat je er bent.")
    os.utime(file, (1, 1))
    asyncio.run(watch.step())
    assert told == ["De nieuwe teksten zijn gepubliceerd."]


def test_a_file_from_the_future_is_noticed(watch: ConfigurationWatch, files: Path, told: list[str]) -> None:
    file = files / "dialogue" / "nl.yml"
    _rewrite(file, "Goed dat je er bent.", "Fijn dat je er bent.")
    later = file.stat().st_mtime + 86_400
    os.utime(file, (later, later))
    asyncio.run(watch.step())
    assert told == ["De nieuwe teksten zijn gepubliceerd."]


def test_the_danger_list_is_no_text(watch: ConfigurationWatch, files: Path, told: list[str]) -> None:
    asyncio.run(watch.step())
    _rewrite(files / "danger.yml", "negations:", "# a note\nnegations:")
    asyncio.run(watch.step())
    assert told == []
