"""SQLite: a copy while the program serves (`VACUUM INTO`, one consistent view), and a file that is put back whole or not at all.

The copy is written anew, row by row: nothing that was deleted from the database goes along in a page that was not wiped.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from config.private_files import make_private
from handoff.backups.folder import BadCopy, Taken

FILE = "praat.db"
_PATIENCE_S = 10.0
_IN_USE = "de database is in gebruik; stop eerst het programma"


def take(database: Path, folder: Path) -> Taken:
    """Copy the database into this folder. Raises `BadCopy`."""
    if not database.is_file():
        raise BadCopy("er is nog geen database")
    try:
        make_private(folder / FILE)
        with _open(database) as source:
            source.execute("VACUUM INTO ?", (str(folder / FILE),))
        with _open(folder / FILE) as made:
            if made.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
                raise BadCopy("de database is beschadigd: PRAGMA integrity_check vindt fouten")
            rows = _rows(made)
            found = made.execute("SELECT id FROM installation").fetchone() if "installation" in rows else None
            revision = made.execute("SELECT version_num FROM alembic_version").fetchone()[0]
            return Taken(str(revision), found[0] if found else None, rows, {})
    except sqlite3.Error as error:
        raise BadCopy(f"de database is niet te kopiëren: {error.sqlite_errorname}") from None


def put_back(folder: Path, database: Path, *, replace: bool, prepare: Callable[[Path], None]) -> Path | None:
    """Put a copy in the place of the database, after `prepare` did with it what must be done before anything serves.

    Returns where the database of before is kept, if there was one. Raises `BadCopy`; then nothing has changed.
    """
    _let_go(database, replace=replace)
    half = database.with_name(f".restoring-{secrets.token_hex(8)}.db")
    try:
        make_private(half)
        shutil.copyfile(folder / FILE, half)
        prepare(half)
        with _open(half) as made:  # one file, without a log beside it
            made.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            made.execute("PRAGMA journal_mode=DELETE")
        _sync(half)
        before = _keep_aside(database)
        half.replace(database)
        _sync(database.parent)
    except sqlite3.Error as error:
        raise BadCopy(f"de reservekopie is niet te gebruiken: {error.sqlite_errorname}") from None
    else:
        return before
    finally:
        for left in database.parent.glob(half.name + "*"):
            left.unlink()


def _let_go(database: Path, *, replace: bool) -> None:
    """See that nobody uses the database, and that it may go. Its log is worked into it: a log of before would spoil the copy."""
    if not database.exists():
        return
    try:
        with _open(database, patience_s=0) as there:
            if there.execute("PRAGMA journal_mode=DELETE").fetchone() != ("delete",):
                raise BadCopy(_IN_USE)
            filled = _is_filled(there)
    except sqlite3.OperationalError:
        raise BadCopy(_IN_USE) from None
    except sqlite3.DatabaseError:
        if not replace:
            raise BadCopy("de database die er staat, is onleesbaar; zet haar zelf opzij, of gebruik --replace") from None
        for log in ("-wal", "-shm"):
            database.with_name(database.name + log).unlink(missing_ok=True)
        return
    if filled and not replace:
        raise BadCopy("er staat al een database met mensen of gesprekken; met --replace komt de reservekopie ervoor in de plaats")


def _is_filled(there: sqlite3.Connection) -> bool:
    tables = {name for (name,) in there.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    return any(there.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone() for name in ("person", "conversation") if name in tables)  # noqa: S608


def _keep_aside(database: Path) -> Path | None:
    if not database.exists():
        return None
    aside = database.with_name(f"{database.name}.before-{secrets.token_hex(4)}")
    os.link(database, aside)  # so that at no moment there is no database: a start would make an empty one
    return aside


@contextlib.contextmanager
def _open(file: Path, *, patience_s: float = _PATIENCE_S) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(file, timeout=patience_s, isolation_level=None)) as connection:
        yield connection


def _rows(made: sqlite3.Connection) -> dict[str, int]:
    names = [name for (name,) in made.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
    return {name: int(made.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]) for name in sorted(names)}  # noqa: S608


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
