"""The training environment: Rasa 3.6 on Python 3.10 in `.rasa-venv/`, made with uv from the hash-locked `requirements/rasa.txt`.

Nothing but training needs it. `python -m nlu.training.rasa_env` makes it; `python -m nlu.training.rasa_env lock` renews the lock.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
VENV = ROOT / ".rasa-venv"
LOCK = ROOT / "requirements" / "rasa.txt"
_INPUT = ROOT / "requirements" / "rasa.in"
_OVERRIDES = ROOT / "requirements" / "rasa-overrides.txt"
_WANTED = "3.10"
_STAMP = VENV / "lock.stamp"


class NoPython310Error(RuntimeError):
    """There is no Python 3.10 and uv cannot get one."""

    def __init__(self, tried: Sequence[str]) -> None:
        super().__init__(
            "Training needs Python 3.10, since Rasa 3.6 runs on nothing newer, and none was found.\n"
            "Tried: " + "; ".join(tried) + ".\n"
            "Install one (`uv python install 3.10`, `pyenv install 3.10`, or your system's package)\n"
            "or set RASA_PYTHON to its path.\n"
            "Everything but training works without it."
        )


def python() -> Path:
    """Python of the training environment; the environment is made or renewed first when the lock is newer.

    Raises `NoPython310Error`, or `subprocess.CalledProcessError` when an installation fails.
    """
    inside = VENV / "bin" / "python"
    lock = LOCK.read_text(encoding="utf-8")
    if inside.exists() and _STAMP.exists() and _STAMP.read_text(encoding="utf-8") == lock:
        return inside
    uv = find_uv()
    if not inside.exists():
        _run([uv, "venv", "--quiet", "--python", str(find_python()), str(VENV)])
    _run([uv, "pip", "sync", "--quiet", "--python", str(inside), "--require-hashes", "--compile-bytecode", str(LOCK)])
    _STAMP.write_text(lock, encoding="utf-8")
    return inside


def find_uv() -> str:
    """Path of uv: beside this Python, else on PATH. Raises `FileNotFoundError`."""
    beside = Path(sys.executable).parent / "uv"
    found = str(beside) if beside.exists() else shutil.which("uv")
    if not found:
        raise FileNotFoundError("uv is needed to make the training environment: pip install uv")
    return found


def find_python(environment: Mapping[str, str] | None = None) -> Path:
    """A Python 3.10. Asked in turn: $RASA_PYTHON, pyenv, PATH, uv's own, and last `uv python install 3.10`.

    `uv python find` alone can fail hard on a pyenv shim, so each candidate is run and asked its version.
    """
    env = os.environ if environment is None else environment
    tried: list[str] = []
    for source, candidate in _candidates(env):
        if _is_wanted(candidate):
            return candidate
        tried.append(f"{source} ({candidate})")
    installed = _install_with_uv()
    if installed is None:
        raise NoPython310Error([*tried, f"uv python install {_WANTED}"])
    return installed


def _candidates(env: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    if env.get("RASA_PYTHON"):
        yield "$RASA_PYTHON", Path(env["RASA_PYTHON"])
    if pyenv := shutil.which("pyenv", path=env.get("PATH")):
        prefix = _output([pyenv, "prefix", _WANTED])
        if prefix:
            yield "pyenv prefix", Path(prefix) / "bin" / "python"
    versions = Path(env.get("PYENV_ROOT") or Path(env.get("HOME", "/nonexistent")) / ".pyenv") / "versions"
    for folder in sorted(versions.glob(f"{_WANTED}.*"), reverse=True):
        yield "pyenv versions", folder / "bin" / "python"
    for name in (f"python{_WANTED}", "python3", "python"):
        if found := shutil.which(name, path=env.get("PATH")):
            yield "PATH", Path(found)


def _install_with_uv() -> Path | None:
    try:
        uv = find_uv()
    except FileNotFoundError:
        return None
    for command in (["python", "find", "--managed-python", _WANTED], ["python", "install", "--quiet", _WANTED]):
        found = _output([uv, *command]) or _output([uv, "python", "find", "--managed-python", _WANTED])
        if found and _is_wanted(Path(found)):
            return Path(found)
    return None


def _is_wanted(candidate: Path) -> bool:
    return _output([str(candidate), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]) == _WANTED


def _output(command: Sequence[str]) -> str:
    """What a command prints; empty when it fails, is missing or takes longer than five minutes."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def run_environment() -> dict[str, str]:
    """Environment variables for Rasa: quiet, no telemetry, no cache, one thread, and this project's modules on its path."""
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",
        "RASA_TELEMETRY_ENABLED": "false",
        "RASA_MAX_CACHE_SIZE": "0",
        "LOG_LEVEL": "ERROR",
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
        "MPLCONFIGDIR": str(VENV / "matplotlib"),
    }


def lock() -> None:
    """Renew `requirements/rasa.txt` from `rasa.in`, for Linux on x86-64 (elsewhere an old numpy would be picked)."""
    platform = ["--python-version", _WANTED, "--python-platform", "x86_64-unknown-linux-gnu"]
    files = ["--override", str(_OVERRIDES.relative_to(ROOT)), str(_INPUT.relative_to(ROOT)), "-o", str(LOCK.relative_to(ROOT))]
    _run([find_uv(), "pip", "compile", "--quiet", "--generate-hashes", "--no-header", *platform, *files])


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, cwd=ROOT)  # noqa: S603


def main(arguments: Sequence[str]) -> int:
    """Make the environment, or renew the lock (`lock`)."""
    try:
        if arguments == ["lock"]:
            lock()
        else:
            sys.stdout.write(f"{python()}\n")
    except (NoPython310Error, FileNotFoundError) as fault:
        sys.stderr.write(f"{fault}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
