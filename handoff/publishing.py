"""Publishing the configuration: only what passes every gate comes into force.

A broken file never takes the running words down. The last good configuration is kept beside the data, so that a start with
broken files serves what was published before.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection

from config import schema
from config.channels import ChannelSpec
from config.faults import Faults
from config.private_files import write_private
from config.schema import Configuration
from handoff.chats.retention import GRACE
from handoff.places import municipalities
from handoff.runtime import Runtime
from handoff.scripts import versions

_LAST_GOOD = "published.json"
_GATES = Path(schema.__file__).parent
_COUNTS = (".yml", ".py", ".txt")


@dataclass(frozen=True, slots=True)
class Published:
    """`faults` is the report of the gates when the files on disk were refused and an older configuration is in force."""

    configuration: Configuration
    digest: str
    faults: str = ""


class NothingPublished(Exception):
    """The files have faults and nothing was ever published. Its text is the report of the gates."""


def digest(folder: Path, channels: Iterable[ChannelSpec]) -> str:
    """A fingerprint of every file that counts, of the gates and of what channels need: a stricter rule looks at old words again."""
    seen = hashlib.sha256(_stated(channels).encode())
    for base in (folder, _GATES):
        for path in sorted(p for p in base.rglob("*") if counts(p)):
            content = path.read_bytes()
            seen.update(f"{path.relative_to(base)}\0{len(content)}\0".encode() + content)
    return seen.hexdigest()


def _stated(channels: Iterable[ChannelSpec]) -> str:
    stated = [asdict(spec) for spec in channels]
    return json.dumps(stated, sort_keys=True, default=lambda value: sorted(value) if isinstance(value, frozenset) else str(value))


def counts(path: Path) -> bool:
    """Whether this is a file of the configuration or the gates; an editor's lock and swap files are none."""
    return is_named_so(path) and path.is_file()


def is_named_so(path: Path) -> bool:
    """Whether a file of this name would count; the file may be gone. The danger list does not: it comes into force on its own."""
    return path.suffix in _COUNTS and not path.name.startswith((".", "#")) and path.name != "danger.yml"


def publish_files(folder: Path, data_dir: Path, now: datetime, channels: Iterable[ChannelSpec]) -> Published:
    """What to serve now: the files when they pass the gates, else the last good configuration. Raises `NothingPublished`."""
    last, specs = _read_last_good(data_dir), tuple(channels)
    try:
        seen = digest(folder, specs)
    except OSError as error:
        unread = f"{Path(error.filename or folder).name}: cannot be read ({error.strerror})"
        if last is None:
            raise NothingPublished(unread) from None
        return Published(last.configuration, last.digest, faults=unread)
    if last and last.digest == seen:
        return last
    try:
        checked = load_checked(folder, specs)
    except NothingPublished as report:
        if last is None:
            raise
        return Published(last.configuration, seen, faults=str(report))
    kept = _with_retired(checked, last.configuration if last else checked, now.date())
    fresh = Published(kept, seen)
    _write_last_good(data_dir, fresh)
    return fresh


def _with_retired(fresh: Configuration, last: Configuration, today: date) -> Configuration:
    """A gemeente whose file is gone stays in force, out of the lists, until its last chat has expired."""
    kept = {}
    for item in last.municipalities.values():
        since = item.retired_on or today
        if item.id not in fresh.municipalities and today - since <= timedelta(days=item.retention_days) + GRACE:
            kept[item.id] = item.model_copy(update={"retired_on": since})
    return fresh.model_copy(update={"municipalities": {**fresh.municipalities, **kept}}) if kept else fresh


def store_published(tx: Connection, runtime: Runtime, configuration: Configuration | None = None) -> None:
    """Make a configuration (the one in force when None) known to the database. Before it comes into force, never after:

    a message points at a script version by foreign key, so words of a version that is not stored cannot be said.
    """
    chosen = configuration or runtime.configuration
    for script in {script.version: script for script in map(chosen.script_for, chosen.municipalities)}.values():
        versions.store(tx, script, runtime.clock())
    municipalities.sync(tx, chosen.municipalities.values())


def _read_last_good(data_dir: Path) -> Published | None:
    try:
        stored = json.loads((data_dir / _LAST_GOOD).read_bytes())
        return Published(Configuration.model_validate(stored["configuration"]), stored["digest"])
    except (OSError, ValueError, KeyError):
        return None


def _write_last_good(data_dir: Path, published: Published) -> None:
    body = {"digest": published.digest, "configuration": published.configuration.model_dump(mode="json")}
    write_private(data_dir / _LAST_GOOD, json.dumps(body, ensure_ascii=False).encode())


def load_checked(folder: Path, channels: Iterable[ChannelSpec]) -> Configuration:
    """The files themselves, when they pass both gates. Raises `NothingPublished` with every fault."""
    from config.check import load_checked as checked  # noqa: PLC0415 - most starts find nothing new to check

    try:
        return checked(folder, channels)
    except Faults as faults:
        raise NothingPublished(str(faults)) from None
