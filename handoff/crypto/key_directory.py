"""A directory of small key files that is kept out of the database and out of its backups.

A key is written once, whole or not at all (temporary file, then a hard link that never overwrites), mode 0600 in a
directory of mode 0700. Destroying the file is what erases: everything that was locked with it is lost in the database,
its log, replicas and backups.

A marker in it holds the id of the installation that it belongs to. Every look is at the marker and the key in one opened
directory: a key that is not beside its marker is gone, and a directory without it is away (not mounted, moved, another one).
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from handoff.errors import Denied, HandoffError, StoreUnavailable

MARKER = "installation"
_LONGEST = 64
"""Bytes of a marker, at most."""


class Unfit(HandoffError):
    """This machine or its settings cannot keep secrets: nothing may start.

    The text names the setting, never its value.
    """


class KeyDirectory:
    """Reads, makes and destroys key files, once it was told with `belong_to` which marker must stand beside them.

    No key is remembered between calls, so a destroyed one is gone in every process at once.
    """

    def __init__(self, path: Path) -> None:
        """Raises `Unfit` when others may look into the directory or it is not ours; one that is away may still come."""
        self._path = path
        self._installation: str | None = None
        self._marker: tuple[int, ...] | None = None
        try:
            found = path.stat()
        except FileNotFoundError:
            return
        except OSError:
            raise Unfit("the key directory cannot be read") from None
        _demand_private(found)

    def found(self) -> str:
        """Make the directory and its marker where they are not there yet; returns the id in it. For a first start alone."""
        try:
            self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._opened() as folder:
                _make(folder, MARKER, secrets.token_hex(16).encode())
        except OSError:
            raise Unfit("the key directory cannot be made or written") from None
        marker = self.marker()
        if marker is None:
            raise StoreUnavailable("the key directory is away")
        return marker

    def mark(self, installation: str) -> None:
        """Write the marker into a directory that has none. Raises `StoreUnavailable` when it is away."""
        with self._changed() as folder:
            _make(folder, MARKER, installation.encode())

    def marker(self) -> str | None:
        """The id of the installation that this directory says it belongs to; None when it has no marker.

        Raises `StoreUnavailable` when the directory is away.
        """
        with self._opened() as folder:
            return _read_marker(folder)

    def belong_to(self, installation: str) -> None:
        """From now on every key must stand beside this id."""
        if installation != self._installation:
            self._installation, self._marker = installation, None

    def see(self) -> None:
        """Raise `StoreUnavailable` when the directory is away, is another one, or cannot be written to."""
        with self._ours():
            if not os.access(self._path, os.R_OK | os.W_OK | os.X_OK):
                raise StoreUnavailable("the key directory cannot be written")

    def read(self, name: str, *, size: int | None = None) -> bytes:
        """The bytes of a key file.

        Raises `Denied` when it is gone or not `size` bytes, `StoreUnavailable` when the directory is away or the disk fails.
        """
        with self._ours() as folder:
            try:
                content = _read(folder, name)
            except FileNotFoundError:
                raise Denied from None
            except OSError:
                raise StoreUnavailable("the key directory cannot be read") from None
        if size is not None and len(content) != size:
            raise Denied
        return content

    def written_at(self, name: str) -> float | None:
        """When the file was written, in seconds since 1970; None when it is not there.

        Raises `StoreUnavailable` when the directory is away or the disk fails.
        """
        with self._ours() as folder:
            try:
                return os.stat(name, dir_fd=folder).st_mtime
            except FileNotFoundError:
                return None
            except OSError:
                raise StoreUnavailable("the key directory cannot be read") from None

    def make(self, name: str, content: bytes) -> None:
        """Write a key file durably; one that is already there stays as it is.

        Raises `StoreUnavailable` when the directory is away or the disk fails.
        """
        with self._ours() as folder, _written():
            _make(folder, name, content)

    def replace(self, name: str, content: bytes) -> None:
        """Put a file in the place of the one that was there, whole or not at all. After a crash the older one may be back.

        Raises `StoreUnavailable` when the directory is away or the disk fails.
        """
        temporary = f".new-{secrets.token_hex(8)}"
        with self._ours() as folder, _written():
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=folder)
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
            os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)

    def append(self, name: str, content: bytes) -> None:
        """Add to the end of a file, durably and in one piece, whoever else does so.

        Raises `StoreUnavailable` when the directory is away or the disk fails.
        """
        with self._ours() as folder, _written():
            _write_durably(folder, name, content, os.O_APPEND)
            os.fsync(folder)  # the name too, when this was the first

    def destroy(self, name: str) -> None:
        """Overwrite and remove; one that is already gone is fine.

        Raises `StoreUnavailable` when the directory is away or the disk fails.
        """
        with self._ours() as folder, _written():
            try:
                handle = os.open(name, os.O_RDWR, dir_fd=folder)
            except FileNotFoundError:
                return
            with os.fdopen(handle, "r+b", buffering=0) as file:
                file.write(os.urandom(os.fstat(handle).st_size))
                os.fsync(handle)
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=folder)
            os.fsync(folder)

    def names(self, suffix: str = "") -> list[str]:
        """The key files whose name ends so, without the suffix, in order. Raises `StoreUnavailable` when it is away."""
        with self._ours() as folder:
            return _names(folder, suffix)

    def unmarked_names(self, suffix: str = "") -> list[str]:
        """Do as `names`, whatever the marker says: to find out what this directory is."""
        with self._opened() as folder:
            return _names(folder, suffix)

    @contextmanager
    def _opened(self) -> Iterator[int]:
        """The directory as it is now: what is moved or unmounted meanwhile stays one and the same for who looks."""
        try:
            folder = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            raise StoreUnavailable("the key directory is away") from None
        try:
            yield folder
        finally:
            os.close(folder)

    @contextmanager
    def _changed(self) -> Iterator[int]:
        with self._opened() as folder, _written():
            yield folder

    @contextmanager
    def _ours(self) -> Iterator[int]:
        with self._opened() as folder:
            try:
                found = os.stat(MARKER, dir_fd=folder)
                now = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
                if now != self._marker:
                    self._demand_ours(folder)
                    self._marker = now  # so long as it is this very file, it is not read again
            except FileNotFoundError:
                raise StoreUnavailable("the key directory has no marker: it is empty, or not mounted") from None
            except OSError:
                raise StoreUnavailable("the key directory cannot be read") from None
            yield folder

    def _demand_ours(self, folder: int) -> None:
        if self._installation is None:
            raise StoreUnavailable("the key directory was not held against the database yet")
        if _read_marker(folder) != self._installation:
            raise StoreUnavailable("the key directory belongs to another installation")
        try:
            _demand_private(os.fstat(folder))
        except Unfit as error:
            raise StoreUnavailable(str(error)) from None


@contextmanager
def _written() -> Iterator[None]:
    try:
        yield
    except OSError:
        raise StoreUnavailable("the key directory cannot be written") from None


def _demand_private(found: os.stat_result) -> None:
    if not stat.S_ISDIR(found.st_mode) or stat.S_IMODE(found.st_mode) & 0o077:
        raise Unfit("the key directory must be closed to group and others (mode 0700)")
    if found.st_uid != os.geteuid():
        raise Unfit("the key directory belongs to another user")


def _read(folder: int, name: str) -> bytes:
    handle = os.open(name, os.O_RDONLY, dir_fd=folder)
    try:
        return os.read(handle, os.fstat(handle).st_size + 1)
    finally:
        os.close(handle)


def _read_marker(folder: int) -> str | None:
    try:
        return _read(folder, MARKER)[:_LONGEST].decode("ascii", "replace").strip()
    except FileNotFoundError:
        return None
    except OSError:
        raise StoreUnavailable("the key directory cannot be read") from None


def _names(folder: int, suffix: str) -> list[str]:
    found = (name for name in os.listdir(folder) if name.endswith(suffix) and not name.startswith(".") and name != MARKER)
    return sorted(name.removesuffix(suffix) for name in found)


def _make(folder: int, name: str, content: bytes) -> None:
    """Write a file that is there whole, or not at all; one that is already there stays as it is. Raises `OSError`."""
    temporary = f".new-{secrets.token_hex(8)}"
    try:
        _write_durably(folder, temporary, content)
        os.link(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except FileExistsError:
        return  # another process was first: its key is the key
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=folder)
    os.fsync(folder)  # names in the directory durable too


def _write_durably(folder: int, name: str, content: bytes, how: int = os.O_EXCL) -> None:
    handle = os.open(name, os.O_WRONLY | os.O_CREAT | how, 0o600, dir_fd=folder)
    with os.fdopen(handle, "wb", buffering=0) as stream:
        if stream.write(content) != len(content):
            raise OSError
        os.fsync(stream.fileno())
