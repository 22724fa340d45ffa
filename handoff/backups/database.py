"""`praat backup` and `praat restore`: a copy of the database, of either kind, that holds no key and no secret."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from handoff.backups import postgres_copy, sqlite_copy
from handoff.backups.folder import BadCopy, Manifest, new_copy, read_copy, write_manifest
from handoff.backups.replay import Replayed, keep, replay, settle_tables
from handoff.chats.said_in_clear import seal_what_was_said
from handoff.crypto import Vault
from handoff.database import sqlite_engine
from handoff.errors import StoreUnavailable
from handoff.migrations import Seal, is_known, upgrade

Tell = Callable[[str], None]


def back_up(url: str, vault: Vault, folder: Path, now: datetime, tell: Tell) -> Manifest:
    """Make a copy in a new folder below this one, while the program serves. Raises `BadCopy`; then nothing is left behind."""
    kind = _kind(url)
    with new_copy(folder, now) as half:
        taken = sqlite_copy.take(_path(url), half) if kind == "sqlite" else postgres_copy.take(url, half, tell)
        said = Manifest(kind, taken.revision, now.isoformat(), _mark(vault), taken.installation, taken.rows, taken.columns, {})
        return write_manifest(half, said)


def put_back(
    url: str, vault: Vault, copy: Path, now: datetime, *, replace: bool, without_keys: bool = False
) -> tuple[Replayed, Path | None]:
    """Put a copy in the place of the database, without what was erased after it was made. `without_keys`: the key directory is lost
    for good; nobody knows then what was erased, and nothing in it can be opened.

    Returns what was erased again, and where SQLite's database of before is kept. Raises `BadCopy`, `StoreUnavailable`; then the
    database is as it was.
    """
    manifest = read_copy(copy)
    _see_that_it_fits(manifest, _kind(url), vault)
    if not without_keys:
        _see_the_keys(manifest, vault)
    found: list[Replayed] = []
    seal = partial(seal_what_was_said, vault=vault)

    def prepare(tx: Connection) -> None:
        settle_tables(tx)
        found.append(Replayed(0, 0) if without_keys else replay(tx, vault, now))

    def note(tx: Connection) -> None:
        if not without_keys:
            keep(tx, vault, now)

    if manifest.kind == "postgresql":
        postgres_copy.put_back(url, copy, manifest, replace=replace, before=note, seal=seal, prepare=prepare)
        return found[0], None
    if _path(url).is_file():
        with suppress(SQLAlchemyError, sqlite3.Error), _transaction(_path(url)) as tx:  # one that cannot be read knows nothing
            note(tx)
    aside = sqlite_copy.put_back(copy, _path(url), replace=replace, prepare=lambda file: _prepare_file(file, seal, prepare))
    return found[0], aside


def _see_that_it_fits(manifest: Manifest, kind: str, vault: Vault) -> None:
    if manifest.kind != kind:
        raise BadCopy(f"dit is een kopie van {manifest.kind}, en PRAAT_DATABASE_URL wijst naar {kind}")
    if manifest.belongs_to != _mark(vault):
        raise BadCopy("deze reservekopie hoort bij een ander geheim (PRAAT_SECRET_FILE); zet eerst dat van toen terug")
    if not is_known(manifest.revision):
        raise BadCopy("deze reservekopie is van een nieuwere versie van het programma; gebruik die")


def _see_the_keys(manifest: Manifest, vault: Vault) -> None:
    """What was erased since stands in the key directory: without the right one nothing is put back."""
    try:
        marker = vault.key_files.marker()
    except StoreUnavailable:
        marker = None
    if marker is None:
        raise BadCopy(
            "de sleutelmap (PRAAT_KEY_DIR) is er niet, of is leeg. Daarin staat wat sindsdien gewist is. Koppel haar aan, of "
            "zet haar kopie terug. Is zij voorgoed weg? Dan kan het met --without-keys; oude gesprekken blijven onleesbaar"
        )
    if manifest.installation not in (None, marker):
        raise BadCopy("de sleutelmap (PRAAT_KEY_DIR) hoort niet bij deze reservekopie")
    vault.key_files.belong_to(marker)


def _prepare_file(file: Path, seal: Seal, prepare: Callable[[Connection], None]) -> None:
    try:
        upgrade(_url(file), seal)
        with _transaction(file) as tx:
            prepare(tx)
    except SQLAlchemyError as error:
        raise BadCopy(f"de reservekopie is niet te gebruiken: {type(error).__name__}") from None


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
