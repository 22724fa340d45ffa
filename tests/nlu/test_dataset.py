"""The data that ships: complete, apart from the held-out sets, and the model and its card belong to it."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from config.intents import INTENTS
from nlu import model
from nlu.assemble import open_reader, record_path
from nlu.evaluate import evaluate, read_examples
from nlu.training import dataset
from nlu.training.card import render
from nlu.training.train import CARD

EXAMPLES = dataset.training_examples()


@pytest.fixture(scope="module")
def record() -> Any:
    return json.loads(record_path(model.DEFAULT_PATH).read_text(encoding="utf-8"))


def test_the_data_has_no_faults() -> None:
    assert dataset.faults(EXAMPLES, dataset.held_out_files()) == []


def test_the_domain_names_the_intents() -> None:
    domain = YAML(typ="safe").load((dataset.PROJECT / "domain.yml").read_text(encoding="utf-8"))
    assert tuple(domain["intents"]) == INTENTS


def test_the_held_out_sets_are_large_enough() -> None:
    for name in dataset.WHOLE:
        counts = Counter(intent for _, intent in read_examples(dataset.HELD_OUT / f"{name}.tsv"))
        assert min(counts[intent] for intent in INTENTS) >= 15
    for name in ("false_alarms.tsv", "indirect_cries.tsv"):
        assert len(read_examples(dataset.HELD_OUT / name)) >= 150


@pytest.mark.parametrize(
    "text",
    ["MIJN VADER SLAAT MIJ!!", "m'n vader slaat mij", "mijn vader slààt mij", "mn vader slaat mij", " mijn  vader slaat mij."],
)
def test_overlap_is_found_however_it_is_spelled(tmp_path: Path, text: str) -> None:
    held_out = tmp_path / "held.tsv"
    held_out.write_text(f"{text}\tdisclose_physical_abuse\n", encoding="utf-8")
    found = dataset.faults([("mijn vader slaat mij", "disclose_physical_abuse")], [held_out])
    assert any("also training data" in fault for fault in found)


def test_one_text_under_two_intents_is_a_fault() -> None:
    assert any("greet and insult" in fault for fault in dataset.faults([("Hoi!", "greet"), ("hoi", "insult_or_prank")]))


def test_the_hash_sees_every_change(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "nlu"
    folder.mkdir(parents=True)
    for name in ("config.yml", "domain.yml", "data/nlu/a.yml"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    hashes = {dataset.data_hash(tmp_path, code=[])}
    (folder / "a.yml").write_text("y", encoding="utf-8")
    hashes.add(dataset.data_hash(tmp_path, code=[]))
    (folder / "a.yml").rename(folder / "b.yml")
    hashes.add(dataset.data_hash(tmp_path, code=[]))
    (tmp_path / "config.yml").write_text("z", encoding="utf-8")
    hashes.add(dataset.data_hash(tmp_path, code=[]))
    assert len(hashes) == 4


def test_the_model_was_trained_from_this_data(record: Any) -> None:
    assert record["data_hash"] == dataset.data_hash(), "the data changed: run `make train`"
    assert record["training_examples"] == len(EXAMPLES)
    assert record["model_hash"] == hashlib.sha256(model.DEFAULT_PATH.read_bytes()).hexdigest()


def test_the_card_is_the_record(record: Any) -> None:
    assert render(record) == CARD.read_text(encoding="utf-8")


def test_the_figures_in_the_card_are_those_of_the_command(record: Any) -> None:
    opened = open_reader(deadline_s=60.0)
    assert opened.fault is None
    for name, examples in dataset.held_out_sets().items():
        assert evaluate(examples, opened.reader.understand).as_dict() == record["reports"][name], name


_GOALS = {"acute_recall": 0.97, "acute_or_high_recall": 0.95, "macro_f1": 0.85}
FLOORS = {
    "all": _GOALS,
    "held-out": _GOALS,
    "second": _GOALS,
    "cross-validation": {"acute_recall": 0.77, "acute_or_high_recall": 0.88, "macro_f1": 0.73},
}
"""What no training may fall under. Cross-validation is over sentences that were written to be hard, near misses among them:
it is no measure of life, but it must not fall either; raise its floor when a training reaches more."""


@pytest.mark.parametrize("name", FLOORS)
def test_no_training_may_fall_back(record: Any, name: str) -> None:
    report = record["reports"][name]
    for figure, floor in FLOORS[name].items():
        assert report[figure] >= floor, figure


@pytest.mark.parametrize("name", ["all", "held-out", "second"])
def test_typos_cost_at_most_five_points(record: Any, name: str) -> None:
    plain, typed = record["reports"][name], record["reports"][f"{name} with typos"]
    for figure in _GOALS:
        assert typed[figure] >= plain[figure] - 0.05, figure
    assert typed["false_alarm_rate"] <= plain["false_alarm_rate"] + 0.05


def test_false_alarms_stay_rare(record: Any) -> None:
    for name in ("all", "held-out", "second"):
        assert record["reports"][name]["false_alarm_rate"] <= 0.03, name


def test_parity_with_rasa_was_proven(record: Any) -> None:
    assert record["parity"]["other_intent"] == 0
    assert record["parity"]["largest_difference"] <= 1e-6
    assert record["parity"]["texts"] >= len(EXAMPLES) + 2000
