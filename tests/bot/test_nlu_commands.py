"""`praat nlu` as an admin types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import nlu
from nlu.assemble import open_reader
from nlu.evaluate import evaluate, read_examples
from nlu.training import dataset
from tests.journey.server import free_port


def praat_nlu(*words: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(nlu.app, list(words), input=typed, env={"COLUMNS": "120"})


def test_parse_prints_a_json_line_for_each_line() -> None:
    done = praat_nlu("parse", typed="hoi\npapa heeft een mes\n\n/ ik wil dood\n😭\n")
    lines = [json.loads(line) for line in done.output.splitlines()]
    assert [line["text"] for line in lines] == ["hoi", "papa heeft een mes", "", "/ ik wil dood", "😭"]
    assert [line["urgency"] for line in lines[:4]] == ["normal", "acute", "normal", "acute"]
    assert lines[2]["intent"] == "nlu_fallback"


def test_evaluate_prints_the_figures_per_intent_and_per_urgency() -> None:
    done = praat_nlu("evaluate", str(dataset.MAIN_HELD_OUT))
    report = evaluate(read_examples(dataset.MAIN_HELD_OUT), open_reader().reader.understand)
    assert done.exit_code == 0
    for figure in (report.macro_f1, report.acute_recall, report.acute_or_high_recall, report.false_alarm_rate, report.raised_rate):
        assert f"{figure:.3f}" in done.output
    assert "self_harm_or_suicide" in done.output


def test_evaluate_as_json_is_the_report() -> None:
    done = praat_nlu("evaluate", "--json", str(dataset.HELD_OUT / "false_alarms.tsv"))
    report = evaluate(read_examples(dataset.HELD_OUT / "false_alarms.tsv"), open_reader().reader.understand)
    assert json.loads(done.output) == report.as_dict()


@pytest.mark.parametrize(
    ("written", "why"),
    [("geheime zin\tno_such_intent\n", "line 1"), ("", "no examples"), (None, "cannot be read")],
)
def test_a_bad_file_is_refused_without_its_words(tmp_path: Path, written: str | None, why: str) -> None:
    path = tmp_path / "x.tsv"
    if written is not None:
        path.write_text(written, encoding="utf-8")
    done = praat_nlu("evaluate", str(path))
    assert done.exit_code == 2
    assert why in " ".join(done.output.split())
    assert "geheime" not in done.output


def test_without_a_model_there_are_no_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRAAT_NLU_MODEL", str(tmp_path / "none.tar.gz"))
    for command in (("evaluate", str(dataset.MAIN_HELD_OUT)), ("explain", "hoi")):
        done = praat_nlu(*command)
        assert done.exit_code == 2
        assert "none.tar.gz" in done.output


def test_a_rasa_server_that_is_not_there_gets_no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRAAT_RASA_URL", f"http://127.0.0.1:{free_port()}")
    done = praat_nlu("evaluate", str(dataset.MAIN_HELD_OUT))
    assert done.exit_code == 2
    assert "did not answer" in " ".join(done.output.split())


def test_explain_names_the_ngrams_and_the_danger_phrases() -> None:
    done = praat_nlu("explain", "papa heeft een mes [in zijn hand]")
    assert "acute_danger" in done.output
    assert "weapon_in_hand" in done.output
    assert "'mes'" in done.output
    assert "[/" not in done.output


@pytest.mark.parametrize("text", ["", "/", "[/bold]", "😭", "x" * 5000])
def test_explain_takes_any_text(text: str) -> None:
    assert praat_nlu("explain", "--", text).exit_code == 0
