"""`praat backup`, `praat restore`, `praat recovery`: copies of the database and of the keys, apart, and putting them back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import segno
import typer
from rich.console import Console

from bot.channels.registry import read_settings
from bot.preflight import own_folder
from config.settings import Settings
from handoff.accounts.passphrases import plain
from handoff.backups import database, key_copies
from handoff.crypto import Cost, Vault
from handoff.runtime import utc_now

recovery = typer.Typer(no_args_is_help=True, help="The recovery key: eight words on paper, that open the copies of the keys.")
out = Console(highlight=False, soft_wrap=True)

_KEYS = "keys"
_WHERE = "a folder; or the word keys and a folder, for the keys"
_NOT_IN_IT = (
    "Er zitten geen sleutels en geen geheim in: zonder die opent deze kopie niets. Bewaar die apart met `praat backup keys <map>`."
)
_APART = (
    "Bewaar deze map op een andere plek dan de database. Kopieer haar niet verder: een kopie die blijft, maakt wissen ongedaan."
)
_SAFE = (
    "Schrijf deze acht woorden over, of druk ze af, en leg ze in een kluis; liefst op twee plekken. Zij openen de kopie van de "
    "sleutels. Dit programma bewaart ze niet en toont ze nooit meer. Geef ze niet aan wie de kopieën bewaart."
)


def _vault(settings: Settings) -> Vault:
    return Vault(settings.secret(), settings.key_dir)


def _place(words: list[str]) -> tuple[bool, Path]:
    """(is it about the keys, the folder)."""
    if len(words) == 1 and words[0] != _KEYS:
        return False, Path(words[0])
    if len(words) == 2 and words[0] == _KEYS:
        return True, Path(words[1])
    raise typer.BadParameter("geef een map, of: keys en een map")


def backup(words: Annotated[list[str], typer.Argument(metavar="[keys] FOLDER", help=_WHERE)]) -> None:
    """Copy the database into a new folder below FOLDER, also while the program serves: no keys, no secret.

    With `keys`: bring the sealed copies of the keys in FOLDER up to date; do this every day.
    """
    about_keys, folder = _place(words)
    settings = read_settings()
    if about_keys:
        _back_up_keys(settings, folder)
        return
    with out.status("reservekopie maken"):
        made = database.back_up(settings.database_url, _vault(settings), folder, utc_now(), lambda line: out.print(f"  {line}"))
    rows = sum(made.rows.values())
    out.print(f"Klaar, en nagekeken: {folder} heeft een nieuwe kopie ({len(made.rows)} tabellen, {rows} rijen).\n{_NOT_IN_IT}")


def _back_up_keys(settings: Settings, folder: Path) -> None:
    done = key_copies.back_up_keys(_vault(settings), settings.secret(), folder, utc_now())
    out.print(f"De kopie van de sleutels is bij: {done.written} nieuw, {done.destroyed} vernietigd omdat hun dag voorbij is.")
    if done.missing:
        days = ", ".join(done.missing)
        out.print(f"[bold]Let op.[/bold] Deze dagen staan hier nog en niet meer in de sleutelmap: {days}. Is dat zo bedoeld?")
    out.print(_APART)


def restore(
    words: Annotated[list[str], typer.Argument(metavar="[keys] FOLDER", help=_WHERE)],
    *,
    replace: Annotated[bool, typer.Option("--replace", help="also when there is a database with people or chats")] = False,
    without_keys: Annotated[bool, typer.Option("--without-keys", help="the key folder is lost for good")] = False,
) -> None:
    """Put a copy in the place of the database, without what was erased after it was made. The program must not run.

    With `keys`: put the secret and the keys back, with the eight words of the recovery key.
    """
    about_keys, copy = _place(words)
    settings = read_settings()
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)  # no new secret: only that of then fits
    if about_keys:
        said = plain(typer.prompt("De acht woorden van de herstelsleutel"))
        new = key_copies.put_back_keys(copy, said, settings.key_dir, settings.secret_file, utc_now())
        out.print(f"{new} bestanden teruggezet. Zet nu de database terug met `praat restore <map van de kopie>`, als dat nodig is.")
        return
    with own_folder(settings), out.status("terugzetten"):
        again, aside = database.put_back(
            settings.database_url, _vault(settings), copy, utc_now(), replace=replace, without_keys=without_keys
        )
    out.print("De reservekopie is teruggezet.")
    if without_keys:
        out.print("Maak nu een lege sleutelmap (chmod 700) en draai `praat keys adopt`.")
    if again:
        out.print(f"Opnieuw gewist: {again.chats} gesprekken. Opnieuw buitengesloten: {again.people} mensen.")
    if again.leapt:
        out.print("De kopie is ouder dan twee dagen: draai na het starten `praat clock accept`, als de klok goed staat.")
    for team in again.teams:
        out.print(
            f"[bold]Let op.[/bold] De sleutel van {team} is na deze kopie vernieuwd. Kinderen kunnen daar nu niets bewaren. Is het "
            f"terugzetten zo bedoeld, draai dan `praat keys accept-older {team}`."
        )
    out.print("Iedereen moet opnieuw inloggen. Een bericht dat naar een kind onderweg was, kan twee keer aankomen.")
    out.print("Draai nu `praat audit accept`: het logboek begint weer bij het eind van de kopie.")
    if aside is not None:
        told = f"De database van daarvoor staat in {aside}. Verwijder haar zodra alles werkt: er staan gesprekken in."
        out.print(told, markup=False)


@recovery.callback()
def _group() -> None:
    """Keep `new` a name of its own, while it is the only command."""


@recovery.command()
def new(*, replace: Annotated[bool, typer.Option("--replace", help="another one; the old words open old copies")] = False) -> None:
    """Make the recovery key and print its words once, with a QR code."""
    settings = read_settings()
    words = key_copies.new_recovery_key(_vault(settings), replace=replace, cost=Cost())
    out.print(f"\n  [bold]{words}[/bold]\n")
    segno.make(words, error="m", micro=False).terminal(compact=True)
    out.print(_SAFE)
