"""`praat person`: add the confidants of a gemeente, see who may read, close the door for somebody who left."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bot.app import Parts, assemble, first_start, prepare_database
from config.settings import read_settings
from handoff import members, people
from handoff.errors import StoreUnavailable
from handoff.phrases import passphrase

app = typer.Typer(no_args_is_help=True, help=__doc__, pretty_exceptions_enable=False)
out = Console(highlight=False, soft_wrap=True)


def _parts() -> Parts:
    settings = read_settings()
    first_start(settings)
    parts = assemble(settings)
    if not prepare_database(parts.runtime, settings.database_url):
        parts.close()
        raise StoreUnavailable("the database cannot be used; is PRAAT_DATABASE_URL right?")
    return parts


@app.command()
def add(
    login: Annotated[str, typer.Argument(help="the name to sign in with")],
    *,
    municipality: Annotated[str, typer.Option(help="the gemeente's id")],
    first_name: Annotated[str, typer.Option(help="what children see")],
) -> None:
    """Add a confidant and print a passphrase for one use. The first one of a gemeente can read at once."""
    parts = _parts()
    try:
        runtime = parts.runtime
        runtime.municipality(municipality)
        phrase = passphrase()
        key = members.new_key(runtime.vault, phrase)
        made = runtime.store.write(
            lambda tx: people.add_confidant(
                tx, runtime.vault, key, municipality_id=municipality, login=login, first_name=first_name, now=runtime.clock()
            )
        ).result()
        out.print(f"{made.login} is toegevoegd aan {municipality}.\nEenmalige wachtzin (geef hem zelf door): [bold]{phrase}[/bold]")
        if not made.granted:
            out.print(
                "Deze persoon leest nog niets. Een collega geeft in de console toegang, na het vergelijken van de sleutelcode."
            )
    finally:
        parts.close()


@app.command("list")
def list_people(municipality: Annotated[str, typer.Argument(help="the gemeente's id")]) -> None:
    """Show who works for a gemeente and who may read."""
    parts = _parts()
    try:
        rows = parts.runtime.store.read(lambda tx: people.of_municipality(tx, municipality)).result()
    finally:
        parts.close()
    table = Table("inlognaam", "voornaam", "rol", "leest mee")
    for row in rows:
        table.add_row(
            row.login, row.first_name, row.role, "gestopt" if row.disabled else "ja" if row.granted else "wacht op collega"
        )
    out.print(table)


@app.command()
def disable(login: Annotated[str, typer.Argument(help="the name to sign in with")]) -> None:
    """Close the door for somebody who left: their sessions end at once."""
    parts = _parts()
    try:
        parts.runtime.store.write(lambda tx: people.disable(tx, login=login, now=parts.runtime.clock())).result()
    finally:
        parts.close()
    out.print(f"{login} kan niet meer inloggen. Laat een collega in de console de teamsleutel vernieuwen.")
