"""Files that only their owner can read (mode 600), whatever the umask and the folder they are in."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

_OWNER_ONLY = 0o600


def write_private(path: Path, content: bytes) -> None:
    """Replace `path` by a private file with this content: whole or not at all, also when the process dies. Raises `OSError`."""
    half = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        handle = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), _OWNER_ONLY)  # a umask can take the owner's own rights away
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)


def make_private(path: Path) -> None:
    """Make an empty private file, or take away what others may do with the one that is there. Raises `OSError`.

    A file that is there is not opened: a process that closes a file loses the locks that it holds on it elsewhere.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    except FileExistsError:
        if path.stat().st_mode & 0o177:
            path.chmod(_OWNER_ONLY)
        return
    try:
        os.fchmod(handle, _OWNER_ONLY)
    finally:
        os.close(handle)
