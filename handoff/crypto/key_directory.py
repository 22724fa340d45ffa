"""A directory of small key files that is kept out of the database and out of its backups.

A key is written once, whole or not at all (temporary file, then a hard link that never overwrites), mode 0600 in a
directory of mode 0700. Destroying the file is what erases: everything that was locked with it is lost in the database,
its log, replicas and backups.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from handoff.errors import Denied, HandoffError, StoreUnavailable


class Unfit(HandoffError):
    """This machine or its settings cannot keep secrets: nothing may start.

    The text names the setting, never its value.
    """


class KeyDirectory:
    """Reads, makes and destroys key files.

    Nothing is remembered between calls, so a destroyed key is gone in every process at once.
    """

    def __init__(self, path: Path) -> None:
        """Make the directory when absent. Raises `Unfit` when others may look into it or it is not ours."""
        self._path = path
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = path.stat()
        except OSError:
            raise Unfit("the key directory cannot be made or read") from None
        if not stat.S_ISDIR(found.st_mode) or stat.S_IMODE(found.st_mode) & 0o077:
            raise Unfit("the key directory must be closed to group and others (mode 0700)")
        if found.st_uid != os.geteuid():
            raise Unfit("the key directory belongs to another user")

    def read(self, name: str, *, size: int | None = None) -> bytes:
        """The bytes of a key file.

        Raises `Denied` when it is gone or not `size` bytes, `StoreUnavailable` when the disk fails.
        """
        try:
            content = (self._path / name).read_bytes()
        except FileNotFoundError:
            raise Denied from None
        except OSError:
            raise StoreUnavailable("the key directory cannot be read") from None
        if size is not None and len(content) != size:
            raise Denied
        return content

    def exists(self, name: str) -> bool:
        """Whether the key file is there now."""
        return (self._path / name).exists()

    def written_at(self, name: str) -> float | None:
        """When the key file was written, in seconds since 1970; None when it is not there. Raises `StoreUnavailable`."""
        try:
            return (self._path / name).stat().st_mtime
        except FileNotFoundError:
            return None
        except OSError:
            raise StoreUnavailable("the key directory cannot be read") from None

    def make(self, name: str, content: bytes) -> None:
        """Write a key file durably; one that is already there stays as it is.

        Raises `StoreUnavailable` when the disk fails.
        """
        temporary = self._path / f".new-{secrets.token_hex(8)}"
        try:
            try:
                _write_durably(temporary, content)
                os.link(temporary, self._path / name)
            except FileExistsError:
                return  # another process was first: its key is the key
            finally:
                temporary.unlink(missing_ok=True)
            self._sync()
        except OSError:
            raise StoreUnavailable("the key directory cannot be written") from None

    def replace(self, name: str, content: bytes) -> None:
        """Put a file in the place of the one that was there, whole or not at all. Not a key: a crash may bring the older one back.

        Raises `StoreUnavailable` when the disk fails.
        """
        temporary = self._path / f".new-{secrets.token_hex(8)}"
        try:
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
            temporary.replace(self._path / name)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise StoreUnavailable("the key directory cannot be written") from None

    def append(self, name: str, content: bytes) -> None:
        """Add to the end of a file, durably and in one piece, whoever else does so.

        Raises `StoreUnavailable` when the disk fails.
        """
        file = self._path / name
        try:
            new = not file.exists()
            _write_durably(file, content, os.O_APPEND)
            if new:
                self._sync()
        except OSError:
            raise StoreUnavailable("the key directory cannot be written") from None

    def destroy(self, name: str) -> None:
        """Overwrite and remove; one that is already gone is fine. Raises `StoreUnavailable` when the disk fails."""
        file = self._path / name
        try:
            with file.open("r+b", buffering=0) as handle:
                handle.write(os.urandom(file.stat().st_size))
                os.fsync(handle.fileno())
            file.unlink(missing_ok=True)
            self._sync()
        except FileNotFoundError:
            return
        except OSError:
            raise StoreUnavailable("the key directory cannot be written") from None

    def names(self, suffix: str) -> list[str]:
        """The key files whose name ends so, without the suffix, in order."""
        return sorted(file.name.removesuffix(suffix) for file in self._path.glob(f"[!.]*{suffix}"))

    def _sync(self) -> None:
        """Make names in the directory durable too."""
        handle = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _write_durably(file: Path, content: bytes, how: int = os.O_EXCL) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | how, 0o600)
    with os.fdopen(handle, "wb", buffering=0) as stream:
        if stream.write(content) != len(content):
            raise OSError
        os.fsync(stream.fileno())
