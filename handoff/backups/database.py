"""`praat backup` and `praat restore`: a copy of the database, of either kind, that holds no key and no secret."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from handoff.backups import postgres_copy, sqlite_copy
from handoff.backups.folder import BadCopy, Manifest, new_copy, read_copy, write_manifest
from handoff.backups.replay import Replayed, keep, replay, settle_tables
from handoff.crypto import Vault
from handoff.database import sqlite_engine
from handoff.migrations import is_known, upgrade

Tell = Callable[[str], None]


def back_up(url: str, vault: Vault, folder: Path, now: datetime, tell: Tell) -> Manifest:
    """Make a copy in a new folder below this one, while the program serves. Raises `BadCopy`; then nothing is left behind."""
    kind = _kind(url)
    with new_copy(folder, now) as half:
        if kind == "sqlite":
            revision, rows = sqlite_copy.take(_path(url), half)
            columns: dict[str, list[str]] = {}
        else:
            revision, rows, columns = postgres_copy.take(url, half, tell)
        said = Manifest(kind, revision, now.isoformat(), _mark(vault), rows, columns, {})
        return write_manifest(half, said)


def put_back(url: str, vault: Vault, copy: Path, now: datetime, *, replace: bool) -> tuple[Replayed, Path | None]:
    """Put a copy in the place of the database, without what was erased after it was made.

    Returns what was erased again, and where SQLite's database of before is kept. Raises `BadCopy`, `StoreUnavailable`; then the
    database is as it was.
    """
    manifest = read_copy(copy)
    _see_that_it_fits(manifest, _kind(url), vault)
    found: list[Replayed] = []

    def prepare(tx: Connection) -> None:
        settle_tables(tx)
        found.append(replay(tx, vault, now))

    if manifest.kind == "postgresql":
        postgres_copy.put_back(url, copy, manifest, replace=replace, before=lambda tx: keep(tx, vault, now), prepare=prepare)
        return found[0], None
    _note_what_goes(_path(url), vault, now)
    aside = sqlite_copy.put_back(copy, _path(url), replace=replace, prepare=lambda file: _prepare_file(file, prepare))
    return found[0], aside


def _see_that_it_fits(manifest: Manifest, kind: str, vault: Vault) -> None:
    if manifest.kind != kind:
        raise BadCopy(f"dit is een kopie van {manifest.kind}, en PRAAT_DATABASE_URL wijst naar {kind}")
    if manifest.belongs_to != _mark(vault):
        raise BadCopy("deze reservekopie hoort bij een ander geheim (PRAAT_SECRET_FILE); zet eerst dat van toen terug")
    if not is_known(manifest.revision):
        raise BadCopy("deze reservekopie is van een nieuwere versie van het programma; gebruik die")


def _prepare_file(file: Path, prepare: Callable[[Connection], None]) -> None:
    try:
        upgrade(_url(file))
        with _transaction(file) as tx:
            prepare(tx)
    except SQLAlchemyError as error:
        raise BadCopy(f"de reservekopie is niet te gebruiken: {type(error).__name__}") from None


def _note_what_goes(database: Path, vault: Vault, now: datetime) -> None:
    """The database that goes may know of erasures that were not noted yet. One that cannot be read knows nothing."""
    if database.is_file():
        with suppress(SQLAlchemyError, sqlite3.Error), _transaction(database) as tx:
            keep(tx, vault, now)


@contextmanager
def _transaction(file: Path) -> Iterator[Connection]:
    engine = sqlite_engine(_url(file))
    try:
        with engine.begin() as tx:
            yield tx
    finally:
        engine.dispose()


def _url(file: Path) -> str:
    return sa.URL.create("sqlite", database=str(file)).render_as_string(hide_password=False)


def _kind(url: str) -> str:
    return "sqlite" if url.startswith("sqlite") else "postgresql"


def _path(url: str) -> Path:
    return Path(str(sa.engine.make_url(url).database))


def _mark(vault: Vault) -> str:
    """Fits one secret, and tells nothing of it."""
    return vault.tombstones.mark("installation", "").hex()
