"""A new model or danger list comes into force while the program runs, when it is good; else the running one stays."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.reading import UnderstandingWatch, open_reader
from config.settings import Settings, read_settings
from nlu import danger_file, model
from nlu.assemble import record_path
from nlu.understanding import FALLBACK, Urgency
from tests.make import CONFIG

SMALL = Path(__file__).parents[1] / "nlu" / "rasa_models" / "child.tar.gz"
SAID = "ik wil naar de burgemeester"


class House:
    """A reader with its own copies of model and list, a watch over them, and what the operator was told."""

    def __init__(self, folder: Path) -> None:
        config, data = folder / "config", folder / "data"
        shutil.copytree(CONFIG, config, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        data.mkdir()
        self.danger, self.model = config / "danger.yml", folder / "praat.tar.gz"
        shutil.copyfile(model.DEFAULT_PATH, self.model)
        shutil.copyfile(record_path(model.DEFAULT_PATH), record_path(self.model))
        os.utime(record_path(self.model), (1, 1))
        names = {"PRAAT_DATA_DIR": data, "PRAAT_CONFIG_DIR": config, "PRAAT_NLU_MODEL": self.model}
        self.settings: Settings = read_settings(environment={name: str(path) for name, path in names.items()})
        self.reader = open_reader(self.settings, keep=data)
        self.told: list[str] = []
        self.watch = UnderstandingWatch(self.reader, self.settings, self.told.append)

    def change(self, file: Path, change: Callable[[Path], object]) -> str:
        """Change a file, look, and look once more; returns what was told."""
        self.told.clear()
        change(file)
        past = file.stat().st_mtime - 5  # whoever wrote it is done
        os.utime(file, (past, past))
        self.watch.look()
        self.watch.look()
        assert len(self.told) <= 1, "once is enough"
        return "".join(self.told)


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A running reader."""
    return House(tmp_path)


def test_nothing_changed_is_nothing_told(house: House) -> None:
    house.watch.look()
    assert house.told == []


def test_a_good_model_comes_into_force(house: House) -> None:
    secret = "blijft dit geheim"
    assert house.reader.understand(secret).intent == "ask_confidentiality"
    assert "in gebruik" in house.change(house.model, lambda file: shutil.copyfile(SMALL, file))
    assert house.reader.understand(secret).intent != "ask_confidentiality", "an intent that the small model does not know"


@pytest.mark.parametrize("content", [b"", b"no model", model.DEFAULT_PATH.read_bytes()[:5000]])
def test_a_damaged_model_is_refused_and_the_running_one_stays(house: House, content: bytes) -> None:
    told = house.change(house.model, lambda file: file.write_bytes(content))
    assert "niet in gebruik" in told
    assert "praat.tar.gz" in told
    assert house.reader.understand(SAID).intent == "ask_mayor"


def test_a_model_that_is_taken_away_stays_in_use(house: House) -> None:
    house.model.unlink()
    record_path(house.model).unlink()
    house.watch.look()
    assert house.reader.understand(SAID).intent != FALLBACK


def test_a_file_that_is_still_being_written_waits(house: House) -> None:
    house.model.write_bytes(b"half")
    house.watch.look()
    assert house.told == []


def test_a_new_danger_phrase_speaks_at_once_and_is_kept(house: House) -> None:
    entry = (
        "  - id: blue_cow\n    urgency: acute\n    intent: acute_danger\n    say: [blauwe koe]\n"
        "    speaks: [de blauwe koe is er]\n    silent: [de koe is er]\n"
    )
    assert house.reader.understand("blauwe koe").urgency is Urgency.NORMAL
    assert "in gebruik" in house.change(house.danger, lambda file: file.write_text(file.read_text("utf-8") + entry, "utf-8"))
    assert house.reader.understand("blauwe koe").urgency is Urgency.ACUTE
    assert any(phrase.id == "blue_cow" for phrase in danger_file.load(house.settings.data_dir / "danger.published.yml").phrases)


def test_a_danger_list_with_faults_is_refused_and_the_running_one_stays(house: House) -> None:
    told = house.change(house.danger, lambda file: file.write_text("phrases: []\nwrong: 1\n", "utf-8"))
    assert "wrong" in told
    assert "niet in gebruik" in told
    assert house.reader.understand("papa heeft een mes").urgency is Urgency.ACUTE


def test_a_proven_list_is_not_tried_again_and_a_changed_one_is(house: House) -> None:
    proof = (house.settings.data_dir / "danger.proven").read_text()
    assert proof == danger_file.fingerprint(house.danger)
    wrong = house.danger.read_text("utf-8").replace("speaks: [", "speaks: [de zon schijnt, ", 1)
    house.danger.write_text(wrong, "utf-8")
    with pytest.raises(danger_file.DangerListError, match="stays silent"):
        danger_file.load(house.danger, proven=proof)
    danger_file.load(house.danger, proven=danger_file.fingerprint(house.danger))
    kept = open_reader(house.settings, keep=house.settings.data_dir)
    assert kept.understand("papa heeft een mes").urgency is Urgency.ACUTE, "the last good one"
