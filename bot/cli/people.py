"""`praat person`: add the confidants of a gemeente, see who may read, close the door for somebody who left."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from bot.app import Parts, assemble, first_start, prepare
from bot.channels.registry import read_settings
from bot.cli.terminal import municipality_in
from bot.preflight import CannotStart, why_not
from handoff.accounts import credentials
from handoff.accounts.passphrases import passphrase
from handoff.backups.replay import keep
from handoff.crypto import Vault
from handoff.errors import HandoffError
from handoff.team import people

app = typer.Typer(no_args_is_help=True, help=__doc__, pretty_exceptions_enable=False)
out = Console(highlight=False, soft_wrap=True)

_LAST = (
    "[bold]Let op.[/bold] Niemand anders in dit team kan nu meelezen. Met een nieuwe wachtzin voor {login} is alles wat kinderen "
    "en het team tot nu toe schreven voor het team [bold]voorgoed onleesbaar[/bold]. Kinderen zien hun eigen gesprek nog wel, en "
    "wat zij vanaf nu schrijven is weer te lezen. Weet iemand de oude wachtzin nog? Stop dan hier."
)


def _parts() -> Parts:
    settings = read_settings()
    first_start(settings)
    parts = assemble(settings)
    try:
        prepare(parts.runtime, settings.database_url)
    except (SQLAlchemyError, HandoffError) as error:
        parts.close()
        raise CannotStart(why_not(error)) from None
    return parts


@app.command()
def add(
    login: Annotated[str, typer.Argument(help="the name to sign in with")],
    *,
    municipality: Annotated[str, typer.Option(help="the gemeente's id")],
    first_name: Annotated[str, typer.Option(help="what children see")],
    team: Annotated[str | None, typer.Option(help="the team's id; the one that receives children if not given")] = None,
) -> None:
    """Add a confidant and print a passphrase for one use. The first one of a team can read at once."""
    parts = _parts()
    try:
        runtime = parts.runtime
        municipality_in(runtime.configuration, municipality)
        phrase = passphrase()
        newcomer = people.Newcomer(credentials.new_key(runtime.vault, phrase), login, first_name)
        (made,) = runtime.store.write(
            lambda tx: people.add_confidants(
                tx, runtime.vault, [newcomer], municipality_id=municipality, now=runtime.clock(), team_id=team
            )
        ).result()
        out.print(f"{made.login} is toegevoegd aan {municipality}.\nEenmalige wachtzin (geef hem zelf door): [bold]{phrase}[/bold]")
        if not made.granted:
            out.print(
                "Deze persoon leest nog niets. Na het inloggen laat een collega in de console, onder Team, hem of haar toe: "
                "samen vergelijken zij de sleutelcode."
            )
    finally:
        parts.close()


@app.command("list")
def list_people(municipality: Annotated[str, typer.Argument(help="the gemeente's id")]) -> None:
    """Show who works for a gemeente and who may read."""
    parts = _parts()
    try:
        municipality_in(parts.runtime.configuration, municipality)
        rows = parts.runtime.store.read(lambda tx: people.of_municipality(tx, parts.runtime.vault, municipality)).result()
    finally:
        parts.close()
    table = Table("inlognaam", "voornaam", "rol", "leest mee")
    for row in rows:
        table.add_row(
            row.login, row.first_name, row.role,
            "gestopt" if row.disabled else "ja" if row.granted else "moet eerst inloggen" if row.must_renew else "wacht op collega",
        )  # fmt: skip
    out.print(table)


@app.command()
def disable(login: Annotated[str, typer.Argument(help="the name to sign in with")]) -> None:
    """Close the door for somebody who left: their sessions end at once."""
    parts = _parts()
    try:
        runtime = parts.runtime
        runtime.store.write(lambda tx: people.disable(tx, runtime.vault, login=login, now=runtime.clock())).result()
        runtime.store.read(lambda tx: keep(tx, runtime.vault, runtime.clock())).result()  # no older copy lets them in again
    finally:
        parts.close()
    out.print(f"{login} kan niet meer inloggen. Laat een collega in de console, onder Team, de teamsleutel vernieuwen.")


@app.command()
def renew(
    login: Annotated[str, typer.Argument(help="the name to sign in with")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask, also when older words are lost")] = False,
) -> None:
    """A forgotten passphrase: print a new one for one use. A colleague must let the person in again."""
    parts = _parts()
    try:
        runtime = parts.runtime
        who, alone = runtime.store.read(lambda tx: _who(tx, runtime.vault, login)).result()
        if alone and not yes:
            out.print(_LAST.format(login=who.login))
            if typer.prompt("Typ ja om door te gaan", default="nee").strip().casefold() != "ja":
                raise typer.Abort
        phrase = passphrase()
        key = credentials.new_key(runtime.vault, phrase, person_id=who.id)
        runtime.store.write(lambda tx: people.renew(tx, runtime.vault, key, lose_words=alone, now=runtime.clock())).result()
    finally:
        parts.close()
    out.print(f"De oude wachtzin van {who.login} werkt niet meer.\nEenmalige wachtzin (geef hem zelf door): [bold]{phrase}[/bold]")
    if alone:
        out.print("Wat eerder is geschreven, kan het team niet meer lezen. Laat deze persoon meteen inloggen.")
    else:
        out.print("Deze persoon leest nog niets. Na het inloggen laat een collega in de console, onder Team, hem of haar weer toe.")


def _who(tx: Connection, vault: Vault, login: str) -> tuple[people.Member, bool]:
    """The person, and whether nobody else could let them in again."""
    who = people.find(tx, vault, login)
    return who, people.stands_alone(tx, who.id)
