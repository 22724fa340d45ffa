"""The danger list that ships: it speaks where it must, is silent where it must, and refuses what would break it."""

from __future__ import annotations

import copy
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from config.faults import Faults
from config.intents import URGENCY_OF, Urgency
from nlu.danger import DangerList
from nlu.danger_file import DEFAULT_PATH, load, parse
from nlu.training.dataset import training_examples

LIST = load()


@pytest.fixture(scope="module")
def data() -> Any:
    return YAML(typ="safe").load(DEFAULT_PATH.read_bytes())


@pytest.mark.parametrize(("name", "text"), [(phrase.id, text) for phrase in LIST.phrases for text in phrase.speaks])
def test_speaks(name: str, text: str) -> None:
    assert name in LIST.check(text).spoke


@pytest.mark.parametrize(("name", "text"), [(phrase.id, text) for phrase in LIST.phrases for text in phrase.silent])
def test_stays_silent(name: str, text: str) -> None:
    assert name not in LIST.check(text).spoke


@pytest.mark.parametrize("text", [text for idiom in LIST.idioms for text in idiom.silent])
def test_an_idiom_means_nothing(text: str) -> None:
    assert LIST.check(text).urgency is Urgency.NORMAL


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("hij komt naar boven met een mes", "acute_danger"),
        ("HELP PAPA HEEFT EEN MES", "acute_danger"),
        ("pàpà heeft een m3s", "acute_danger"),
        ("p.a.p.a heeft een mes", "acute_danger"),
        ("ik lach me dood maar papa heeft een mes", "acute_danger"),
        ("mama wordt niet wakker ze heeft pillen geslikt", "acute_danger"),
        ("ik wil niet meer leven", "self_harm_or_suicide"),
        ("kwil dooooood", "self_harm_or_suicide"),
        ("ik wil dood. papa heeft een pistool", "acute_danger"),
        ("ik wil z3lfm00rd plegen", "self_harm_or_suicide"),
        ("i want to kill myself", "self_harm_or_suicide"),
    ],
)
def test_acute(text: str, intent: str) -> None:
    alarm = LIST.check(text)
    assert (alarm.urgency, alarm.intent) == (Urgency.ACUTE, intent)


@pytest.mark.parametrize(
    "text",
    [
        "hoi",
        "ik wil niet dood",
        "mijn hond is dood",
        "mijn mobiel is dood",
        "ik ga dood van de hitte",
        "papa heeft geen mes",
        "mijn oma is vorig jaar doodgegaan",
        "kan ik praten met de burgemeester",
        "hoe laat gaan jullie open",
        "we hebben geschoten op doel en gewonnen",
        "mijn broer speelt call of duty met een geweer",
    ],
)
def test_no_alarm(text: str) -> None:
    assert LIST.check(text).urgency is Urgency.NORMAL


def test_high_phrases_raise_without_naming_an_intent() -> None:
    alarm = LIST.check("mn papa slaad mij")
    assert (alarm.urgency, alarm.intent) == (Urgency.HIGH, None)


def test_rarely_wrong_on_all_training_sentences() -> None:
    """Normal sentences that the list calls acute: it must stay well under the 3 % that model and list together may have."""
    normal = [text for text, intent in training_examples() if URGENCY_OF[intent] is Urgency.NORMAL]
    alarms = [text for text in normal if LIST.check(text).urgency is Urgency.ACUTE]
    assert len(alarms) / len(normal) < 0.01, alarms


def test_alone_it_finds_about_half_of_acute_training_sentences() -> None:
    """The list is what is left when the engine fails. On sentences that nobody had read who wrote phrases it finds 45 %."""
    acute = [text for text, intent in training_examples() if URGENCY_OF[intent] is Urgency.ACUTE]
    assert sum(LIST.check(text).urgency is Urgency.ACUTE for text in acute) / len(acute) > 0.48


@given(st.text(max_size=4500))
def test_any_text_has_an_answer(text: str) -> None:
    alarm = LIST.check(text)
    assert (alarm.urgency is Urgency.NORMAL) == (not alarm.spoke)


def test_adding_words_before_a_danger_in_its_own_sentence_does_not_hide_it() -> None:
    for before in ("hallo.", "ik ben 9.", "mijn hond heet pip.", "haha."):
        assert LIST.check(f"{before} papa heeft een mes").urgency is Urgency.ACUTE


def build(data: Any) -> DangerList:
    """The list in this data, as if it had been read from a file."""
    written = io.BytesIO()
    yaml = YAML(typ="safe")
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.dump(data, written)
    return parse(written.getvalue(), "danger.yml")


def broken(data: Any, change: str) -> Any:  # noqa: C901, PLR0912 - one line each
    data = copy.deepcopy(data)
    phrase = data["phrases"][0]
    match change:
        case "unknown key":
            phrase["sya"] = ["x"]
        case "unknown group":
            phrase["say"] = ["{nobody} heeft"]
        case "no urgency":
            del phrase["urgency"]
        case "normal urgency":
            phrase["urgency"] = "normal"
        case "acute without intent":
            del phrase["intent"]
        case "acute with another intent":
            phrase["intent"] = "greet"
        case "same id twice":
            data["phrases"].append(copy.deepcopy(phrase))
        case "no examples":
            phrase["silent"] = []
        case "says nothing":
            phrase["say"] = []
        case "fails its own example":
            phrase["say"] = ["iets heel anders"]
        case "too wide for its own example":
            phrase["say"].append("een")
            phrase["silent"].append("dat is een boom")
        case "no phrases":
            data["phrases"] = []
        case "not a mapping":
            return ["x"]
    return data


@pytest.mark.parametrize(
    "change",
    [
        "unknown key",
        "unknown group",
        "no urgency",
        "normal urgency",
        "acute without intent",
        "acute with another intent",
        "same id twice",
        "no examples",
        "says nothing",
        "fails its own example",
        "too wide for its own example",
        "no phrases",
        "not a mapping",
    ],
)
def test_a_broken_list_is_refused(data: Any, change: str) -> None:
    with pytest.raises(Faults):
        build(broken(data, change))


def test_all_faults_are_told_at_once(data: Any) -> None:
    with pytest.raises(Faults) as caught:
        build(broken(broken(data, "unknown key"), "unknown group"))
    assert len(caught.value.faults) == 2


def test_every_fault_names_its_line(tmp_path: Path) -> None:
    written = DEFAULT_PATH.read_text("utf-8")
    lines = written.split("\n")
    number = next(i for i, line in enumerate(lines) if line.startswith("    speaks: ["))
    lines[number] = lines[number].replace("speaks: [", "speaks: [de zon schijnt, ", 1)
    path = tmp_path / "danger.yml"
    path.write_text("\n".join(lines), "utf-8")
    with pytest.raises(Faults) as caught:
        load(path)
    assert [(fault.file, fault.line, fault.key) for fault in caught.value.faults] == [
        ("danger.yml", number + 1, "phrases.0.speaks.0")
    ]


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"a: &x 1\nb: *x\n", "danger.yml:1: a an anchor"),
        (b"a: !!python/object:os.system x\n", "danger.yml:1: a a tag"),
        (b"a: [\n", "danger.yml:2: is no YAML"),
        (b"groups: {}\ngroups: {}\n", "danger.yml:2: groups is written twice"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"#" * 600_000, "larger"),
    ],
)
def test_a_file_that_may_not_be_read(tmp_path: Path, raw: bytes, why: str) -> None:
    path = tmp_path / "danger.yml"
    path.write_bytes(raw)
    with pytest.raises(Faults, match=why):
        load(path)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(Faults, match=r"danger\.yml: this file is missing"):
        load(tmp_path / "danger.yml")


def test_an_empty_list_of_idioms_is_allowed(data: Any) -> None:
    assert isinstance(build({**data, "phrases": [LAST_PHRASE], "idioms": []}), DangerList)


LAST_PHRASE = {
    "id": "shout",
    "urgency": "acute",
    "intent": "acute_danger",
    "say": ["help nu"],
    "speaks": ["help nu"],
    "silent": ["help"],
}


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("phrases: 2024-02-31\n", "danger.yml:1: phrases must be a list"),
        ("phrases: [\n", "danger.yml:2: is no YAML"),
        ("\tphrases: 1\n", "danger.yml:1: is no YAML"),
    ],
)
def test_a_slip_in_the_yaml_is_a_fault_like_any_other(tmp_path: Path, written: str, why: str) -> None:
    path = tmp_path / "danger.yml"
    path.write_text(written, encoding="utf-8")
    with pytest.raises(Faults, match=why):
        load(path)
