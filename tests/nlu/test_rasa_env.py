"""Finding Python 3.10 for training, wherever it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlu.training import rasa_env
from nlu.training.rasa_env import NoPython310Error, find_python


def python(path: Path, version: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho {version}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_the_named_one_comes_first(tmp_path: Path) -> None:
    named = python(tmp_path / "named", "3.10")
    python(tmp_path / "bin" / "python3.10", "3.10")
    assert find_python({"RASA_PYTHON": str(named), "PATH": f"{tmp_path / 'bin'}:/bin"}) == named


def test_a_named_one_of_another_version_is_passed_over(tmp_path: Path) -> None:
    named = python(tmp_path / "named", "3.12")
    right = python(tmp_path / "bin" / "python3.10", "3.10")
    assert find_python({"RASA_PYTHON": str(named), "PATH": f"{tmp_path / 'bin'}:/bin", "HOME": str(tmp_path)}) == right


def test_pyenv_versions_are_looked_through(tmp_path: Path) -> None:
    inside = python(tmp_path / ".pyenv" / "versions" / "3.10.4" / "bin" / "python", "3.10")
    assert find_python({"HOME": str(tmp_path), "PATH": "/bin"}) == inside


def test_a_shim_that_fails_is_passed_over(tmp_path: Path) -> None:
    shim = tmp_path / "bin" / "python3.10"
    shim.parent.mkdir()
    shim.write_text("#!/bin/sh\necho 'pyenv: version 3.10 is not installed' >&2\nexit 127\n", encoding="utf-8")
    shim.chmod(0o755)
    inside = python(tmp_path / "root" / "versions" / "3.10.13" / "bin" / "python", "3.10")
    assert find_python({"PYENV_ROOT": str(tmp_path / "root"), "PATH": f"{shim.parent}:/bin"}) == inside


def test_none_at_all_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    with pytest.raises(NoPython310Error) as caught:
        find_python({"PATH": str(tmp_path), "HOME": str(tmp_path), "RASA_PYTHON": "/nowhere/python"})
    assert "$RASA_PYTHON (/nowhere/python)" in str(caught.value)
    assert "RASA_PYTHON to its path" in str(caught.value)


def test_the_lock_has_a_hash_for_every_package() -> None:
    lock = rasa_env.LOCK.read_text(encoding="utf-8")
    packages = [line for line in lock.splitlines() if line[:1].isalnum()]
    assert len(packages) > 100
    assert lock.count("--hash=sha256:") >= len(packages)
    assert any(line.startswith("rasa==3.6.21 ") for line in packages)
    assert not any(line.startswith(("tensorflow==", "jax", "tensorflow-text", "tensorflow-hub")) for line in packages)


def test_rasa_runs_quietly_and_alone() -> None:
    environment = rasa_env.run_environment()
    assert environment["RASA_TELEMETRY_ENABLED"] == "false"
    assert environment["LOG_LEVEL"] == "ERROR"
