"""A copy on disk: a folder with a manifest, whole or not there. What is in it is checked when it is made and when it is read."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from config.private_files import make_private, write_private
from handoff.errors import HandoffError

MANIFEST = "manifest.json"
_FORM = 1
_HALF = ".half-"


class BadCopy(HandoffError):
    """This copy cannot be made or put back. The text is for the person at the terminal, and says what to do."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a copy says of itself."""

    kind: str
    """`sqlite` or `postgresql`."""
    revision: str
    """The form of the database: a migration's number."""
    taken_at: str
    """UTC, ISO 8601."""
    belongs_to: str
    """Which installation's secret fits; says nothing else."""
    installation: str | None
    """The id that stands in the key directory too; None in a form that had none yet."""
    rows: Mapping[str, int]
    """How many rows each table has."""
    columns: Mapping[str, list[str]]
    """In what order a table's values stand, where each table is a file."""
    files: Mapping[str, str]
    """The SHA-256 of each file, by its path in the folder."""
    form: int = _FORM


class Taken(NamedTuple):
    """What was copied: form, installation's id, and rows and columns of each table, as in `Manifest`."""

    revision: str
    installation: str | None
    rows: dict[str, int]
    columns: dict[str, list[str]]


@contextmanager
def new_copy(folder: Path, now: datetime) -> Iterator[Path]:
    """A folder that gets its name when all went well, and is gone when not; what an earlier attempt left behind goes first.

    Raises `BadCopy` when nothing can be written there, or another copy is being made.
    """
    name = "praat-" + now.astimezone(UTC).strftime("%Y-%m-%dT%H%M%SZ")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        make_private(folder / ".lock")
        with (folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for half in folder.glob(_HALF + "*"):
                shutil.rmtree(half)
            half = folder / (_HALF + name)
            half.mkdir(mode=0o700)
            try:
                yield half
                _make_durable(half)
                half.rename(folder / name)
                _sync(folder)
            finally:
                shutil.rmtree(half, ignore_errors=True)
    except BlockingIOError:
        raise BadCopy("in deze map wordt al een reservekopie gemaakt") from None
    except OSError as error:
        raise BadCopy(f"de reservekopie is niet gemaakt: {error.strerror or type(error).__name__}") from None


def write_manifest(folder: Path, manifest: Manifest) -> Manifest:
    """Add every file's hash, and write it. The last thing that is done to a copy."""
    found = {str(file.relative_to(folder)): _hash(file) for file in sorted(folder.rglob("*")) if file.is_file()}
    whole = Manifest(**{**asdict(manifest), "files": found})
    write_private(folder / MANIFEST, json.dumps(asdict(whole), indent=1).encode())
    return whole


def read_copy(folder: Path) -> Manifest:
    """What this copy holds, when it is whole and unchanged. Raises `BadCopy`."""
    try:
        found = json.loads((folder / MANIFEST).read_bytes())
        if found.get("form") != _FORM:
            raise BadCopy("deze reservekopie heeft een andere vorm; gebruik de versie van het programma die haar maakte")
        manifest = Manifest(**found)
    except FileNotFoundError:
        inside = ", ".join(sorted(one.name for one in folder.glob("praat-*"))) if folder.is_dir() else ""
        raise BadCopy(f"{folder} is geen hele reservekopie" + (f"; kies er een in die map: {inside}" if inside else "")) from None
    except (OSError, ValueError, TypeError, AttributeError):
        raise BadCopy(f"{folder / MANIFEST} is niet te lezen") from None
    for name, known in manifest.files.items():
        try:
            same = _hash(folder / name) == known
        except OSError:
            same = False
        if not same:
            raise BadCopy(f"deze reservekopie is beschadigd: {name}. Er is niets teruggezet")
    return manifest


def _hash(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _make_durable(folder: Path) -> None:
    for file in folder.rglob("*"):
        _sync(file)
    _sync(folder)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
