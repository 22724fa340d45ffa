"""`praat check`: one report of everything, for people and for CI."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from bot.channels.registry import SPECS
from config.check import check, load_checked, main, show
from config.faults import Fault, Faults
from tests.config.corpus import CONFIG


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for part in ("dialogue", "routes", "municipalities"):
        shutil.copytree(CONFIG / part, tmp_path / part)
    shutil.copy(CONFIG / "helplines.yml", tmp_path / "helplines.yml")
    return tmp_path


def spoil(folder: Path, old: str, new: str) -> None:
    path = folder / "dialogue/nl.yml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_the_shipped_configuration_passes_both_gates() -> None:
    assert [str(fault) for fault in check(CONFIG, SPECS)] == []


def test_loader_and_both_gates_speak_in_one_report(folder: Path) -> None:
    spoil(folder, "Goed dat je er bent.", "Het komt goed.")
    spoil(folder, "Je hoeft niks te typen.", "Derhalve mag je stil zijn.")
    spoil(folder, "payload: /ask_human", "payload: /ask_robot")
    faults = check(folder, SPECS)
    assert {"result", "stiff", ""} <= {fault.rule for fault in faults}
    assert all(fault.file == "dialogue/nl.yml" and fault.line > 0 for fault in faults)
    assert faults == sorted(faults)


def test_a_fault_of_a_gate_stands_at_the_line_of_the_text(folder: Path) -> None:
    spoil(folder, "Goed dat je er bent.", "Het komt goed.")
    lines = (folder / "dialogue/nl.yml").read_text().split("\n")
    (fault, *_) = [f for f in check(folder, SPECS) if f.rule == "result"]
    assert "Het komt goed." in lines[fault.line - 1]
    assert fault.key.endswith(".text")


def test_buttons_are_read_by_the_language_gate(folder: Path) -> None:
    spoil(folder, 'title: "Ik wil een mens"', 'title: "Ik wil een vertrouwenspersoon"')
    assert [(f.rule, f.key.rsplit(".", 1)[1]) for f in check(folder, SPECS)] == [("hard-word", "title")]


def test_what_does_not_pass_is_not_loaded_for_publishing(folder: Path) -> None:
    assert load_checked(folder, SPECS).script.version
    spoil(folder, "Goed dat je er bent.", "Het komt goed.")
    with pytest.raises(Faults) as refused:
        load_checked(folder, SPECS)
    assert refused.value.permanent
    assert "[result]" in str(refused.value)


def test_exit_code_and_report(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(folder, SPECS) == 0
    assert "no faults" in capsys.readouterr().out
    spoil(folder, "Goed dat je er bent.", "Het komt goed.")
    assert main(folder, SPECS) == 1
    assert "dialogue/nl.yml:" in capsys.readouterr().out


def test_the_report_never_reads_a_fault_as_markup() -> None:
    out = io.StringIO()
    show([Fault("a.yml", 3, "key[0]", "[red]oops[/red]", "rule")], Console(file=out, width=100))
    assert "[red]oops[/red] [rule]" in out.getvalue()
    assert "a.yml:3" in out.getvalue()


def test_it_runs_as_a_command() -> None:
    done = subprocess.run([sys.executable, "-m", "bot", "check", str(CONFIG)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_gates_need_no_package_of_word_tables_and_little_time() -> None:
    """A server may publish in its own process: nothing large is imported, and it takes less than two seconds."""
    began = time.process_time()
    check(CONFIG, SPECS)
    assert time.process_time() - began < 2
    code = "import sys, config.check; sys.exit(bool({'wordfreq', 'pyphen', 'textstat'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
