"""The commands speak UTF-8 whatever the locale, refuse what is none, and say so when a gemeente is not there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog

from bot.cli.main import main

BARE = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
"""A container or cron job without a locale, with all that Python does about it switched off."""


def praat(folder: Path, *arguments: str | bytes, said: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run one command in a process of its own."""
    environment = {**os.environ, **BARE, "PRAAT_DATA_DIR": str(folder), "PRAAT_ARGON2_MEMORY_KIB": "8192"}
    command = [sys.executable, "-m", "bot", *arguments]
    return subprocess.run(command, input=said, capture_output=True, env=environment, check=False, timeout=60)


def test_what_is_typed_is_read_as_utf8(tmp_path: Path) -> None:
    done = praat(tmp_path, "nlu", "parse", said="één café 😭\n".encode())
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["text"] == "één café 😭"


@pytest.mark.parametrize("command", [["nlu", "parse"], ["simulate"]])
def test_what_is_no_utf8_is_refused_and_not_repeated(tmp_path: Path, command: list[str]) -> None:
    done = praat(tmp_path, *command, said="hoi\n\xe9\xe9n geheim\n".encode("latin-1"))
    assert done.returncode == 1
    assert "geen UTF-8-tekst" in done.stderr.decode()
    assert b"geheim" not in done.stdout + done.stderr


def test_a_name_with_an_accent_is_kept(tmp_path: Path) -> None:
    added = praat(tmp_path, "person", "add", "rene", "--municipality", "voorbeeldstad", "--first-name", "René".encode())
    assert added.returncode == 0, added.stderr
    assert "René" in praat(tmp_path, "person", "list", "voorbeeldstad").stdout.decode()


Told = Callable[..., tuple[int, str, str]]


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Told]:
    """Runs one command where no process of its own is needed; gives (exit code, what it printed, what it said beside that)."""
    monkeypatch.setenv("PRAAT_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PRAAT_ARGON2_MEMORY_KIB", "8192")
    before = structlog.get_config()

    def typed(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["praat", *arguments])
        with pytest.raises(SystemExit) as left:
            main()
        assert isinstance(left.value.code, int)
        return left.value.code, *capsys.readouterr()

    yield typed
    structlog.configure(**before)


@pytest.mark.parametrize(
    "command",
    [
        ["person", "list", "nergens"],
        ["person", "add", "jan", "--municipality", "nergens", "--first-name", "Jan"],
        ["simulate", "--municipality", "nergens"],
        ["sticker", "nergens"],
    ],
)
def test_a_gemeente_that_is_not_there_is_told(told: Told, command: list[str]) -> None:
    code, printed, said = told(*command)
    said = " ".join(said.replace("│", " ").split())
    assert code == 2
    assert "deze gemeente is er niet; wel:" in said
    assert "voorbeeldstad" in said
    assert printed == ""


@pytest.mark.parametrize("command", ["disable", "renew"])
def test_a_person_who_is_not_there_is_told(told: Told, command: str) -> None:
    code, printed, said = told("person", command, "niemand")
    assert code == 1
    assert said.startswith("praat: ")
    assert printed == ""
