"""A new model or danger list comes into force while the program runs, when it is good; else the running one stays."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.understanding import UnderstandingWatch, open_reader
from config.faults import Faults
from config.intents import FALLBACK, Urgency
from config.settings import Settings, read_settings
from nlu import danger_file, model
from nlu.assemble import record_path
from tests.make import CONFIG
from tests.nlu.test_model import files_of, packed

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
        names = {"PRAAT_DATA_DIR": data, "PRAAT_CONFIG_DIR": config, "PRAAT_NLU_MODEL": self.model}
        self.settings: Settings = read_settings(environment={name: str(path) for name, path in names.items()})
        self.reader = open_reader(self.settings, keep=data)
        self.told: list[str] = []
        self.watch = UnderstandingWatch(self.reader, self.settings, self.told.append)

    def change(self, file: Path, change: Callable[[Path], object]) -> str:
        """Change a file and look a few times; returns what was told."""
        self.told.clear()
        change(file)
        for _ in range(4):
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
    before = house.reader.understand(SAID).confidence

    def calmer(file: Path) -> None:
        files = files_of(model.DEFAULT_PATH)
        (name,) = [name for name in files if name.endswith("classifier.json")]
        files[name] = json.dumps({**json.loads(files[name]), "scale": 0.5}).encode()
        packed(file, files)
        record = json.loads(record_path(file).read_text())
        record_path(file).write_text(json.dumps({**record, "model_hash": hashlib.sha256(file.read_bytes()).hexdigest()}))

    assert "is in gebruik" in house.change(house.model, calmer)
    assert house.reader.understand(SAID).intent == "ask_mayor"
    assert house.reader.understand(SAID).confidence < before


def test_a_foreign_model_is_refused(house: House) -> None:
    told = house.change(house.model, lambda file: shutil.copyfile(SMALL, file))
    assert "niet in gebruik" in told
    assert "other intents" in told
    assert house.reader.understand("blijft dit geheim").intent == "ask_confidentiality"


def test_a_model_beside_the_record_of_another_is_refused(house: House) -> None:
    told = house.change(
        record_path(house.model), lambda file: file.write_text(file.read_text().replace('"model_hash": "', '"model_hash": "0'))
    )
    assert "record of another model" in told


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
    for size in (10, 20, 30):
        house.model.write_bytes(b"x" * size)
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
    raw, proof = house.danger.read_bytes(), (house.settings.data_dir / "danger.proven").read_text()
    assert proof == danger_file.fingerprint(raw)
    wrong = raw.replace(b"speaks: [", b"speaks: [de zon schijnt, ", 1)
    with pytest.raises(Faults, match="stays silent"):
        danger_file.parse(wrong, "danger.yml", proven=proof)
    danger_file.parse(wrong, "danger.yml", proven=danger_file.fingerprint(wrong))
    house.danger.write_bytes(wrong)
    kept = open_reader(house.settings, keep=house.settings.data_dir)
    assert kept.understand("papa heeft een mes").urgency is Urgency.ACUTE, "the last good one"
    assert (house.settings.data_dir / "danger.published.yml").read_bytes() == raw


def test_a_data_folder_that_takes_nothing_does_not_keep_a_good_list_out(house: House) -> None:
    shutil.rmtree(house.settings.data_dir)
    entry = (
        "  - id: blue_cow\n    urgency: acute\n    intent: acute_danger\n    say: [blauwe koe]\n"
        "    speaks: [de blauwe koe is er]\n    silent: [de koe is er]\n"
    )
    assert "in gebruik" in house.change(house.danger, lambda file: file.write_text(file.read_text("utf-8") + entry, "utf-8"))
    assert house.reader.understand("blauwe koe").urgency is Urgency.ACUTE
