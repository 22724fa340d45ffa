"""`praat keys`: take a key folder, or an older team key, into use again after a disaster."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from bot.app import assemble, migrate
from bot.channels.registry import read_settings
from bot.preflight import CannotStart, why_not
from handoff import installation
from handoff.errors import HandoffError, StoreUnavailable
from handoff.team import people

app = typer.Typer(no_args_is_help=True, help=__doc__, pretty_exceptions_enable=False)
out = Console(highlight=False, soft_wrap=True)

_QUESTION = (
    "Deze sleutelmap hoort voortaan bij de database. Elk gesprek waarvan de sleutel er niet in staat, is dan voor het kind en voor "
    "het team [bold]onleesbaar[/bold]. Is de oude map alleen even weg? Stop dan hier en zet haar terug."
)


_ASK = (
    "[bold]Let op.[/bold] De database heeft sleutel {old} van team {team}; de sleutelmap kent sleutel {new} al. Hebt u zelf "
    "een oudere kopie van de database teruggezet? Dan is dit goed. Zo niet, dan heeft iemand de oude sleutel teruggezet om mee te "
    "lezen: stop hier en zet de juiste database terug."
)


@app.command()
def adopt(*, yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False) -> None:
    """Take a key folder without a mark into use with this database: an empty one, because the old one is lost for good."""
    settings = read_settings()
    parts = assemble(settings)
    try:
        migrate(parts.runtime, settings.database_url)
        if not yes:
            out.print(_QUESTION)
            if typer.prompt("Typ ja om door te gaan", default="nee").strip().casefold() != "ja":
                raise typer.Abort
        adopted = installation.adopt(parts.runtime.store, parts.runtime.vault)
    except (SQLAlchemyError, HandoffError) as error:
        raise CannotStart(why_not(error)) from None
    finally:
        parts.close()
    out.print("De sleutelmap hoort nu bij deze database." if adopted else "De sleutelmap hoorde al bij deze database.")


@app.command("accept-older")
def accept_older(
    team: Annotated[str, typer.Argument(help="the team's id")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
) -> None:
    """Take the team's key in the database for the newest again, after an older backup was put back on purpose."""
    settings = read_settings()
    parts = assemble(settings)
    try:
        runtime = parts.runtime
        migrate(runtime, settings.database_url)
        installation.settle(runtime.store, runtime.vault)
        found = runtime.store.read(lambda tx: people.key_of(tx, runtime.vault, team)).result()
        if found.noted <= found.epoch:
            out.print(f"Team {team} heeft de nieuwste sleutel ({found.epoch}). Er is niets te doen.")
            return
        if not yes:
            out.print(_ASK.format(team=team, old=found.epoch, new=found.noted))
            if typer.prompt("Typ ja om door te gaan", default="nee").strip().casefold() != "ja":
                raise typer.Abort
        runtime.store.write(lambda tx: people.accept_older_key(tx, runtime.vault, team, runtime.clock())).result()
    except (SQLAlchemyError, StoreUnavailable) as error:
        raise CannotStart(why_not(error)) from None
    finally:
        parts.close()
    out.print(
        f"Sleutel {found.epoch} van team {team} geldt weer. Laat een vertrouwenspersoon nu meteen, onder Team, de teamsleutel "
        "vernieuwen: wie sinds die kopie is gestopt, heeft deze sleutel nog. Sluit eerst opnieuw het account van wie gestopt is."
    )
