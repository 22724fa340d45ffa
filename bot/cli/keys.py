"""`praat keys`: take a key folder into use again after a disaster."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer
from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from bot.app import assemble
from bot.channels.registry import read_settings
from bot.preflight import CannotStart, why_not
from handoff import installation
from handoff.chats.said_in_clear import seal_what_was_said
from handoff.errors import HandoffError
from handoff.migrations import upgrade

app = typer.Typer(no_args_is_help=True, help=__doc__, pretty_exceptions_enable=False)
out = Console(highlight=False, soft_wrap=True)

_QUESTION = (
    "Deze sleutelmap hoort voortaan bij de database. Elk gesprek waarvan de sleutel er niet in staat, is dan voor het kind en voor "
    "het team [bold]onleesbaar[/bold]. Is de oude map alleen even weg? Stop dan hier en zet haar terug."
)


@app.callback()
def _group() -> None:
    """Keep `adopt` a name of its own, while it is the only command."""


@app.command()
def adopt(*, yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False) -> None:
    """Take a key folder without a mark into use with this database: an empty one, because the old one is lost for good."""
    settings = read_settings()
    parts = assemble(settings)
    try:
        upgrade(settings.database_url, partial(seal_what_was_said, vault=parts.runtime.vault))
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
