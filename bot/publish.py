"""Publishing the configuration: only what passes every gate comes into force.

A broken file never takes the running words down. The last good configuration is kept beside the data, so that a start with
broken files serves what was published before.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from config.faults import Faults
from config.load import load
from config.schema import Configuration
from handoff import scripts, tenants
from handoff.runtime import Runtime

_LAST_GOOD = "published.json"


@dataclass(frozen=True, slots=True)
class Published:
    """`faults` is the report of the gates when the files on disk were refused and an older configuration is in force."""

    configuration: Configuration
    digest: str
    faults: str = ""


class NothingPublished(Exception):
    """The files have faults and nothing was ever published. Its text is the report of the gates."""


def digest(folder: Path) -> str:
    """A fingerprint of every file that counts, to notice a change."""
    seen = hashlib.sha256()
    for path in sorted(folder.rglob("*.yml")):
        content = path.read_bytes()
        seen.update(f"{path.relative_to(folder)}\0{len(content)}\0".encode() + content)
    return seen.hexdigest()


def gates(folder: Path) -> str:
    """The report of `praat check` on this folder; empty when there is no fault.

    Runs as a process of its own: its word lists would stay in the server's memory for good.
    """
    command = [sys.executable, "-m", "config.check", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)  # noqa: S603 - our own module
    return "" if done.returncode == 0 else (done.stdout + done.stderr).strip() or "the check itself failed"


def bring_into_force(folder: Path, data_dir: Path) -> Published:
    """What to serve now: the files when they pass the gates, else the last good configuration. Raises `NothingPublished`."""
    now = digest(folder)
    last = _read_last_good(data_dir)
    if last and last.digest == now:
        return last
    report = gates(folder)
    if not report:
        fresh = Published(load(folder), now)
        _write_last_good(data_dir, fresh)
        return fresh
    if last is None:
        raise NothingPublished(report)
    return Published(last.configuration, now, faults=report)


def store_published(tx: Connection, runtime: Runtime) -> None:
    """Make the script and the gemeenten of the configuration known to the database."""
    scripts.publish(tx, runtime.script, runtime.clock())
    tenants.sync(tx, runtime.configuration.municipalities.values())


def _read_last_good(data_dir: Path) -> Published | None:
    try:
        stored = json.loads((data_dir / _LAST_GOOD).read_text())
        return Published(Configuration.model_validate(stored["configuration"]), stored["digest"])
    except (OSError, ValueError, KeyError):
        return None


def _write_last_good(data_dir: Path, published: Published) -> None:
    body = {"digest": published.digest, "configuration": published.configuration.model_dump(mode="json")}
    temporary = data_dir / f".{_LAST_GOOD}.{os.getpid()}"
    temporary.write_text(json.dumps(body, ensure_ascii=False))
    temporary.replace(data_dir / _LAST_GOOD)


def load_checked(folder: Path) -> Configuration:
    """The files themselves, for commands that show what they say. Raises `NothingPublished` with every fault."""
    try:
        return load(folder)
    except Faults as faults:
        raise NothingPublished(str(faults)) from None
