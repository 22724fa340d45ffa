"""`praat erase-check`: see in the raw files whether what should be gone is gone."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import sqlalchemy as sa
import typer
from rich.console import Console
from rich.table import Table

from bot.channels.registry import read_settings
from bot.preflight import CannotStart
from config.settings import Settings
from handoff.backups.key_copies import opened
from handoff.backups.postgres_remains import CannotSee, in_postgres
from handoff.backups.remains import Remain, back_again, gone, in_folder, in_sqlite
from handoff.crypto import Vault
from handoff.database import open_store

out = Console(highlight=False, soft_wrap=True)

_UNSEEN = (
    "[bold]Niet gezien:[/bold] de bestanden van PostgreSQL. Deze databasegebruiker mag die niet lezen; draai dit als superuser. "
    "Reken erop dat gewiste gesprekken daar verzegeld blijven staan, tot de sleutel van hun dag vernietigd is."
)
_SEALED = (
    "Wat hierboven staat is verzegeld, en wordt voorgoed onleesbaar als de sleutel van zijn dag vernietigd is. SQLite: het logboek "
    "is binnen enkele tellen leeg, de rest gaat in de nacht. Kopieën: gooi oude weg. PostgreSQL: `VACUUM FULL` ruimt eerder op."
)


def erase_check(
    folders: Annotated[list[Path] | None, typer.Argument(metavar="[FOLDER]...", help="folders with copies, to search too")] = None,
) -> None:
    """Search the raw files of the database, and the given folders, for chats that are gone. Exit code 1 when something is left.

    Says where and how often, never what. Changes nothing.
    """
    for folder in folders or ():
        if not folder.is_dir():
            raise CannotStart(f"de map {folder} is er niet; er is niets nagekeken")
    settings = read_settings()
    vault = Vault(settings.secret(), settings.key_dir)
    opened(vault)
    store = open_store(settings.database_url)
    try:
        what = store.read(partial(gone, vault=vault)).result()
        back = store.read(partial(back_again, vault=vault)).result()
    finally:
        store.close()
    out.print(f"{len(what.ids)} gewiste en verlopen gesprekken om naar te zoeken.")
    found, seen = _in_database(settings, what.ids)
    for folder in folders or ():
        found += in_folder(folder, what.ids, vault.buckets())
    if found:
        _show(found)
    if back:
        out.print(f"{back} gewiste gesprekken staan weer in de database. De volgende start van het programma wist ze opnieuw.")
    if what.keyless:
        out.print(f"{what.keyless} gesprekken zijn over hun dag en onleesbaar; het programma verwijdert ze vanzelf.")
    if seen and not found and not back:
        out.print("Er is niets van over.")
    raise SystemExit(bool(found or back))


def _in_database(settings: Settings, ids: tuple[str, ...]) -> tuple[list[Remain], bool]:
    """(what is left there, whether it could be seen)."""
    url = settings.database_url
    if not url.startswith("sqlite"):
        try:
            return in_postgres(url, ids), True
        except CannotSee:
            out.print(_UNSEEN)
            return [], False
    file = Path(str(sa.engine.make_url(url).database))
    aside = sorted(file.parent.glob(f"{file.name}.before-*"))
    return [one for each in (file, *aside) for one in in_sqlite(each, ids)], True


def _show(found: list[Remain]) -> None:
    table = Table("waar", "hoe vaak", "bestand")
    table.columns[2].overflow = "fold"
    for one in found:
        table.add_row(one.where, str(one.count), one.file)
    out.print(table)
    out.print(_SEALED)
