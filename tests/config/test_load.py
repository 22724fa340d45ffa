"""The loader: every fault at once with file, line and key; nothing but `Faults`, whatever the bytes."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.channels.registry import SPECS
from config.faults import Fault, Faults
from config.load import load
from config.schema import Condition, Utterance
from config.yaml_tree import MAX_BYTES, Tree, parse
from tests.config.corpus import CONFIG

Change = Callable[[str, str, str], list[Fault]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the configuration that is shipped."""
    for part in ("dialogue", "routes", "municipalities"):
        shutil.copytree(CONFIG / part, tmp_path / part)
    shutil.copy(CONFIG / "helplines.yml", tmp_path / "helplines.yml")
    return tmp_path


@pytest.fixture
def change(folder: Path) -> Change:
    """Put one text in the place of another in one file; returns the faults that follow."""

    def apply(file: str, old: str, new: str) -> list[Fault]:
        path = folder / file
        text = path.read_text()
        assert old in text, f"{file} does not hold what this test changes"
        path.write_text(text.replace(old, new, 1))
        return faults_of(folder)

    return apply


def faults_of(folder: Path) -> list[Fault]:
    try:
        load(folder, SPECS)
    except Faults as faults:
        return list(faults.faults)
    return []


def line_of(folder: Path, file: str, text: str) -> int:
    lines = (folder / file).read_text().split("\n")
    return next(i for i, line in enumerate(lines, start=1) if text in line)


def test_the_shipped_configuration_loads(folder: Path) -> None:
    configuration = load(folder, SPECS)
    assert configuration.municipalities["voorbeeldstad"].route in configuration.routes
    assert configuration.helplines["kindertelefoon"].number == "0800-0432"
    told = configuration.script.utterances["utter_first_contact"]
    assert told.variants[0].when == {Condition.KINDERTELEFOON_OPEN: True}
    assert told.variants[0].buttons[0].intent == "ask_human"


def test_the_name_that_a_condition_had_before_is_still_read(folder: Path) -> None:
    """In files, where it says the same; and in stored versions, whose messages must stay readable."""
    before = load(folder, SPECS).script
    path = folder / "dialogue/nl.yml"
    path.write_text(path.read_text().replace("name: own_screen,", "name: webchat,"))
    assert load(folder, SPECS).script.version == before.version
    stored = before.utterances["utter_stopped"].model_dump_json()
    assert "own_screen" in stored
    assert Utterance.model_validate_json(stored.replace("own_screen", "webchat")) == before.utterances["utter_stopped"]


def test_the_version_is_the_hash_of_what_can_be_said(folder: Path) -> None:
    before = load(folder, SPECS).script.version
    assert before == load(folder, SPECS).script.version
    path = folder / "dialogue/nl.yml"
    path.write_text("# a comment says nothing\n" + path.read_text())
    assert load(folder, SPECS).script.version == before
    path.write_text(path.read_text().replace("Ik ben een computer.", "Dit is een computer.", 1))
    assert load(folder, SPECS).script.version != before


def test_all_faults_of_all_files_come_at_once(folder: Path, change: Change) -> None:
    change("helplines.yml", "cost: free", "cost: cheap")
    change("routes/plain.yml", "after_minutes: 0", "after_minutes: soon")
    change("municipalities/voorbeeldstad.yml", "route: plain", "route: nowhere")
    faults = change("dialogue/nl.yml", "payload: /ask_human", "payload: /ask_robot")
    files = {"helplines.yml", "routes/plain.yml", "municipalities/voorbeeldstad.yml", "dialogue/nl.yml"}
    assert {f.file for f in faults} >= files
    assert faults == sorted(faults)


def test_a_fault_names_file_line_and_key(folder: Path, change: Change) -> None:
    faults = change("helplines.yml", "cost: free", "cost: cheap")
    fault = next(f for f in faults if f.key == "helplines.0.cost")
    assert (fault.file, fault.line) == ("helplines.yml", line_of(folder, "helplines.yml", "cost: cheap"))
    assert str(fault).startswith(f"helplines.yml:{fault.line}: helplines.0.cost ")


@pytest.mark.parametrize(
    ("file", "old", "new", "key", "message"),
    [
        ("dialogue/nl.yml", "metadata: {act:", "metadata: {akt:", "metadata.akt", "not a key"),
        ("dialogue/nl.yml", "act: [identify", "act: [preach", "metadata.act.0", "identify"),
        ("dialogue/nl.yml", "name: kindertelefoon_open", "name: full_moon", "condition.0.name", "on_duty"),
        ("dialogue/nl.yml", "value: true}", 'value: "ja"}', "condition.0.value", "true or false"),
        ("dialogue/nl.yml", "type: slot", "type: active_loop", "condition.0.type", "slot"),
        ("dialogue/nl.yml", 'version: "3.1"', 'version: "2.0"', "version", "3.1"),
        ("dialogue/nl.yml", "payload: /ask_human", "payload: ask_human", "buttons.0.payload", "written as it must be"),
        ("dialogue/nl.yml", "Bel {noodnummer}", "Bel {onbekend}", "text", "{onbekend}"),
        ("dialogue/nl.yml", "Bel {noodnummer}", "Bel {confidant}", "text", "known only in"),
        ("dialogue/nl.yml", "Bel {noodnummer}", "Bel {noodnummer", "text", "brace"),
        ("dialogue/nl.yml", "  utter_greet:", "  utter_begroeting:", "responses.utter_greet", "missing"),
        ("dialogue/nl.yml", "  utter_greet:", "  utter_affirm:", "utter_affirm", "twice"),
        ("dialogue/languages.yml", "language: en", "language: tr", "language", "en"),
        ("dialogue/languages.yml", "  utter_language_en:", "  utter_greet:", "utter_greet", "already stands"),
        ("helplines.yml", 'number: "0800-0432"', 'number: "0800-0450"', "number", "must be 0800-0432"),
        ("helplines.yml", "first_list: true", "first_list: false", "first_list", "first list"),
        ("helplines.yml", 'tel: "112"', "tel: 112", "tel", "quotes"),
        ("helplines.yml", 'tel: "08000432"', 'tel: "08000433"', "tel", "another number"),
        ("helplines.yml", 'start: "11:00"', "start: 11", "start", "quotes"),
        ("helplines.yml", 'end: "21:00"', 'end: "09:00"', "hours.0", "later than start"),
        ("helplines.yml", "id: noodnummer", "id: Nood Nummer", "id", "written as it must be"),
        ("helplines.yml", "source:", "bron:", "bron", "not a key"),
        ("routes/plain.yml", "after_minutes: 0", "after_minutes: 5", "", "first step"),
        ("routes/plain.yml", "id: plain", "id: other", "id", "name of the file"),
        ("municipalities/voorbeeldstad.yml", "id: voorbeeldstad", "id: elders", "id", "name of the file"),
        ("municipalities/voorbeeldstad.yml", "route: plain", "route: nowhere", "route", "not a route"),
        ("municipalities/voorbeeldstad.yml", "exit_url: https://", "exit_url: http://", "exit_url", "written as it must be"),
        ("municipalities/voorbeeldstad.yml", "retention_days: 30", "retention_days: 91", "retention_days", "7 to 90 days"),
        ("municipalities/voorbeeldstad.yml", "retention_days: 30", "retention_days: 6", "retention_days", "7 to 90 days"),
    ],
)
def test_each_cross_check_and_shape_speaks(change: Change, file: str, old: str, new: str, key: str, message: str) -> None:
    faults = change(file, old, new)
    assert any(key in f.key and message in f.message for f in faults), "\n".join(map(str, faults))


def test_an_hour_without_a_text_is_found(folder: Path) -> None:
    path = folder / "dialogue/nl.yml"
    closed, opened = (f"name: kindertelefoon_open, value: {value}" for value in ("false", "true"))
    path.write_text(path.read_text().replace(closed, opened))
    gaps = [f for f in faults_of(folder) if "no text for this hour" in f.message]
    assert any("utter_first_contact" in f.key and "kindertelefoon_open false" in f.message for f in gaps)
    assert not any("night true" in f.message and "kindertelefoon_open true" in f.message for f in gaps), "no such hour exists"


def test_a_text_said_blind_may_not_depend_on_who_is_there(change: Change) -> None:
    old = "  utter_page_start:\n    - text:"
    new = "  utter_page_start:\n    - condition:\n        - {type: slot, name: on_duty, value: true}\n      text:"
    faults = change("dialogue/nl.yml", old, new)
    assert any("may not depend on on_duty" in f.message for f in faults)


def test_a_line_for_admins_never_reaches_a_child(change: Change) -> None:
    faults = change("dialogue/nl.yml", "Bel {noodnummer}", "Bel {stop_it_now}")
    assert any("a child never reads it" in f.message for f in faults)


@pytest.mark.parametrize("gone", ["helplines.yml", "dialogue/nl.yml", "routes/plain.yml", "municipalities/voorbeeldstad.yml"])
def test_a_missing_file_is_told(folder: Path, gone: str) -> None:
    (folder / gone).unlink()
    assert faults_of(folder)


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    assert {f.file for f in faults_of(tmp_path)} >= {"helplines.yml", "routes/", "municipalities/", "dialogue/"}


def test_a_folder_that_is_not_there_is_one_fault(tmp_path: Path) -> None:
    assert [(f.file, f.message) for f in faults_of(tmp_path / "nergens")] == [("nergens", "is not a folder")]


def test_a_broken_script_is_not_told_as_seventy_missing_texts(folder: Path) -> None:
    (folder / "dialogue/nl.yml").write_text('version: "3.1"\nresponses: [')
    faults = faults_of(folder)
    assert [f.file for f in faults] == ["dialogue/", "dialogue/nl.yml"]
    assert "utterances that the bot needs are missing" in faults[0].message


def test_two_gemeenten_may_not_share_a_spelling(folder: Path, change: Change) -> None:
    text = (folder / "municipalities/voorbeeldstad.yml").read_text().replace("id: voorbeeldstad", "id: elders")
    (folder / "municipalities/elders.yml").write_text(text)
    assert any("already a spelling" in f.message for f in faults_of(folder))


NINE = "{name}: &{name} [{inner}]\n"
LAUGHS = "a: &a [lol, lol]\n" + "".join(
    NINE.format(name=name, inner=", ".join([f"*{before}"] * 9)) for before, name in pairwise("abcdefghijkl")
)
BOMBS = {
    "billion laughs": LAUGHS.encode(),
    "deep brackets": b"[" * 200_000,
    "deep brackets on lines": b"[\n" * 100_000,
    "deep braces": b"{a: \n" * 50_000,
    "deep blocks": b"".join(b" " * i + b"a:\n" for i in range(600)),
    "deep dashes": b"- " * 100_000,
    "question marks": b"? \n" * 60_000,
    "equal keys": b"a: 1\n" * 40_000,
    "documents": b"---\n" * 60_000,
    "too large": b"#" * (MAX_BYTES + 1),
    "one long line": b"a: " + b"x" * 200_000,
    "a large number": b"a: " + b"9" * 900,
    "a tag": b"a: !!python/object/apply:os.system [x]\n",
    "not utf-8": b"a: \xff\xfe\xff\n",
    "nul": b"\0" * 1000,
    "an alias of itself": b"a: &a [*a]\n",
    "a merge": b"a: &a {b: 1}\nc: {<<: *a}\n",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_told_within_a_tenth_of_a_second(name: str) -> None:
    tree = Tree("bomb.yml")
    parse(b"a: 1\n", Tree("warm.yml"))
    began = time.process_time()
    parse(BOMBS[name], tree)
    assert time.process_time() - began < 0.1
    assert tree.faults or name == "a large number"
    assert all(len(str(fault)) < 200 for fault in tree.faults)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: no", "no"),
        ("a: 12:30:45", "12:30:45"),
        ("a: 010", "010"),
        ("a: 0x1F", "0x1F"),
        ("a: 2026-11-22", "2026-11-22"),
        ("a: 1e3", "1e3"),
        ("a: 12", 12),
        ("a: true", True),
        ("a: ~", None),
        ("a:", None),
        ("a: '12'", "12"),
        ("a: 1.5", 1.5),
    ],
)
def test_plain_words_change_type_only_where_a_person_expects_it(text: str, value: object) -> None:
    tree = Tree("types.yml")
    parse(text.encode(), tree)
    assert tree.value == {"a": value}


def test_a_pipe_and_a_folder_are_no_configuration(tmp_path: Path) -> None:
    (tmp_path / "helplines.yml").mkdir()
    assert any(f.file == "helplines.yml" for f in faults_of(tmp_path))


YAMLISH = st.text(alphabet=st.sampled_from("ab:-?&*!|>'\"%@`#{}[], \n\t0123~\\<\u2028\ufeff"), max_size=200).map(str.encode)
FILES = ("helplines.yml", "dialogue/nl.yml", "routes/r.yml", "municipalities/m.yml", "dialogue/explained.yml")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.one_of(st.binary(max_size=300), YAMLISH), file=st.sampled_from(FILES))
def test_the_loader_raises_nothing_but_faults(tmp_path: Path, content: bytes, file: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    with pytest.raises(Faults):
        load(tmp_path, SPECS)


KEYS = st.sampled_from(
    """version responses utter_greet text metadata act language condition type name value buttons title payload helplines id
    number tel cost hours days start end channels url about audience first_list source checked steps to after_minutes
    route""".split()
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=15,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.dictionaries(KEYS, JSON, max_size=4), file=st.sampled_from(FILES))
def test_well_formed_nonsense_gives_faults_and_nothing_else(tmp_path: Path, data: object, file: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(data, indent=1))
    with pytest.raises(Faults):
        load(tmp_path, SPECS)


@pytest.mark.parametrize("taken", ["api", "weg"])
def test_an_address_of_the_program_itself_is_no_gemeente(tmp_path: Path, taken: str) -> None:
    folder = tmp_path / "config"
    shutil.copytree(CONFIG, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    file = f"id: {taken}\nname: Ergens\nteams: [{{id: ergens, name: Team}}]\nroute: plain\nexit_url: https://www.buienradar.nl/\n"
    (folder / "municipalities" / f"{taken}.yml").write_text(file)
    with pytest.raises(Faults, match="address of the program"):
        load(folder, SPECS)
