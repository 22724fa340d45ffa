"""`praat backup` and `praat restore`: copies of the database, and putting one back without what was erased since."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bot.channels.registry import read_settings
from bot.preflight import own_folder
from config.settings import Settings
from handoff.backups import database
from handoff.crypto import Vault
from handoff.runtime import utc_now

out = Console(highlight=False, soft_wrap=True)

_NOT_IN_IT = "Er zitten geen sleutels en geen geheim in: zonder die opent deze kopie niets. Bewaar die apart."


def _vault(settings: Settings) -> Vault:
    return Vault(settings.secret(), settings.key_dir)


def backup(folder: Annotated[Path, typer.Argument(help="the folder in which a new folder with the copy is made")]) -> None:
    """Copy the database into a new folder, also while the program serves. No keys, no secret."""
    settings = read_settings()
    with out.status("reservekopie maken"):
        made = database.back_up(settings.database_url, _vault(settings), folder, utc_now(), _tell)
    rows = sum(made.rows.values())
    out.print(f"Klaar, en nagekeken: {folder} heeft een nieuwe kopie ({len(made.rows)} tabellen, {rows} rijen).\n{_NOT_IN_IT}")


def _tell(line: str) -> None:
    out.print(f"  {line}", markup=False)


def restore(
    copy: Annotated[Path, typer.Argument(help="the folder of one copy")],
    *,
    replace: Annotated[bool, typer.Option("--replace", help="also when there is a database with people or chats")] = False,
    without_keys: Annotated[bool, typer.Option("--without-keys", help="the key folder is lost for good")] = False,
) -> None:
    """Put a copy in the place of the database, without what was erased after it was made. The program must not run."""
    settings = read_settings()
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)  # no new secret: only that of then fits
    with own_folder(settings), out.status("terugzetten"):
        again, aside = database.put_back(
            settings.database_url, _vault(settings), copy, utc_now(), replace=replace, without_keys=without_keys
        )
    out.print("De reservekopie is teruggezet.")
    if without_keys:
        out.print("Maak nu een lege sleutelmap (chmod 700) en draai `praat keys adopt`.")
    if again:
        out.print(f"Opnieuw gewist: {again.chats} gesprekken. Opnieuw buitengesloten: {again.people} mensen.")
    out.print("Iedereen moet opnieuw inloggen. Een bericht dat naar Telegram onderweg was, kan daar twee keer aankomen.")
    if aside is not None:
        out.print(
            f"De database van daarvoor staat in {aside}. Verwijder haar zodra alles werkt: er staan gesprekken in.", markup=False
        )
