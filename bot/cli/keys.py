"""`praat key`: what an operator does after a backup of the database was put back on purpose."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from bot.app import assemble
from bot.channels.registry import read_settings
from handoff.team import people

app = typer.Typer(no_args_is_help=True, help=__doc__, pretty_exceptions_enable=False)
out = Console(highlight=False, soft_wrap=True)

_ASK = (
    "[bold]Let op.[/bold] De database heeft sleutel {old} van team {team}; de sleutelmap kent sleutel {new} al. Hebt u zelf "
    "een oudere kopie van de database teruggezet? Dan is dit goed. Zo niet, dan heeft iemand de oude sleutel teruggezet om mee te "
    "lezen: stop hier en zet de juiste database terug."
)


@app.callback()
def _group() -> None:
    """Keep `accept-older` a name of its own."""


@app.command("accept-older")
def accept_older(
    team: Annotated[str, typer.Argument(help="the team's id")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
) -> None:
    """Take the team's key in the database for the newest again, after an older backup was put back on purpose."""
    parts = assemble(read_settings())
    try:
        runtime = parts.runtime
        found = runtime.store.read(lambda tx: people.key_of(tx, runtime.vault, team)).result()
        if found.noted <= found.epoch:
            out.print(f"Team {team} heeft de nieuwste sleutel ({found.epoch}). Er is niets te doen.")
            return
        if not yes:
            out.print(_ASK.format(team=team, old=found.epoch, new=found.noted))
            if typer.prompt("Typ ja om door te gaan", default="nee").strip().casefold() != "ja":
                raise typer.Abort
        runtime.store.write(lambda tx: people.accept_older_key(tx, runtime.vault, team, runtime.clock())).result()
    finally:
        parts.close()
    out.print(
        f"Sleutel {found.epoch} van team {team} geldt weer. Laat een vertrouwenspersoon nu meteen, onder Team, de teamsleutel "
        "vernieuwen: wie sinds die kopie is gestopt, heeft deze sleutel nog. Sluit eerst opnieuw het account van wie gestopt is."
    )
