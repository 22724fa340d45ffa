"""A folder with copies of keys: each file sealed to the recovery key, and a list of them. Nothing opens without the words."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from config.private_files import make_private, write_private
from handoff.backups.folder import BadCopy
from handoff.crypto import RecoveryKey
from handoff.errors import Denied

SEALED = ".sealed"
_LIST = "keys.json"
_FORM = 1


@dataclass
class KeyFolder:
    """The list of what lies there. `marks` says of each file which content was sealed, to whom it can be compared."""

    path: Path
    installation: str
    recovery: RecoveryKey
    hashes: dict[str, str] = field(default_factory=dict)
    marks: dict[str, str] = field(default_factory=dict)

    def holds(self, name: str, mark: str) -> bool:
        """Whether this very content lies there, sealed, unharmed."""
        return self.marks.get(name) == mark and self.is_whole(name)

    def is_whole(self, name: str) -> bool:
        """Whether the file is there, as it was written."""
        try:
            return hashlib.sha256((self.path / (name + SEALED)).read_bytes()).hexdigest() == self.hashes.get(name)
        except OSError:
            return False

    def put(self, name: str, content: bytes, mark: str) -> None:
        """Seal and write it."""
        blob = self.recovery.seal(content, name)
        write_private(self.path / (name + SEALED), blob)
        self.hashes[name], self.marks[name] = hashlib.sha256(blob).hexdigest(), mark

    def destroy(self, name: str) -> None:
        """Overwrite and remove it; from then on this copy opens nothing either."""
        file = self.path / (name + SEALED)
        with file.open("r+b", buffering=0) as stream:
            stream.write(os.urandom(file.stat().st_size))
            os.fsync(stream.fileno())
        file.unlink()
        self.hashes.pop(name, None)
        self.marks.pop(name, None)

    def names(self) -> list[str]:
        """What lies there, listed or not."""
        return sorted(file.name.removesuffix(SEALED) for file in self.path.glob(f"[!.]*{SEALED}"))

    def write_list(self) -> None:
        """The last thing that is done."""
        said = {"form": _FORM, "installation": self.installation, "recovery": str(self.recovery), "files": self.hashes}
        write_private(self.path / _LIST, json.dumps(said | {"marks": self.marks}, indent=1).encode())


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the folder for one writer. Raises `BadCopy` when it cannot be written to, or somebody else writes."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        make_private(path / ".lock")
        with (path / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
    except BlockingIOError:
        raise BadCopy("in deze map wordt al een kopie van de sleutels gemaakt") from None
    except OSError as error:
        raise BadCopy(f"de kopie van de sleutels is niet gemaakt: {error.strerror or type(error).__name__}") from None


def read_list(path: Path) -> KeyFolder | None:
    """The list, or None where there is none. Raises `BadCopy` for one that cannot be read."""
    try:
        said = json.loads((path / _LIST).read_bytes())
        if said["form"] != _FORM:
            raise BadCopy("deze kopie van de sleutels heeft een andere vorm; gebruik de versie van het programma die haar maakte")
        return KeyFolder(path, said["installation"], RecoveryKey.parse(said["recovery"]), dict(said["files"]), dict(said["marks"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, Denied):
        raise BadCopy(f"{path / _LIST} is niet te lezen") from None
