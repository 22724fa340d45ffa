"""`praat clock`: say that the clock of this machine is right, after it leapt ahead and expiry was stopped."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from bot.app import assemble, migrate
from bot.channels.registry import read_settings
from bot.preflight import CannotStart, why_not
from config.schema import AMSTERDAM
from handoff.chats import retention
from handoff.database.clock import DatabaseClock
from handoff.errors import HandoffError

app = typer.Typer(no_args_is_help=True, help=__doc__, pretty_exceptions_enable=False)
out = Console(highlight=False, soft_wrap=True)


@app.callback()
def _group() -> None:
    """Keep `accept` a name of its own, while it is the only command."""


@app.command()
def accept(*, yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False) -> None:
    """The clock is right: what is past its day may go again, a few days at a time."""
    settings = read_settings()
    parts = assemble(settings)
    store, clock = parts.runtime.store, parts.runtime.clock
    try:
        migrate(parts.runtime, settings.database_url)
        if isinstance(clock, DatabaseClock):
            asyncio.run(clock.ask(store))
        out.print(
            f"Het is nu [bold]{clock().astimezone(AMSTERDAM):%d-%m-%Y %H:%M}[/bold], volgens de klok waar het programma op let."
        )
        if not yes and typer.prompt("Klopt dat precies? Typ ja", default="nee").strip().casefold() != "ja":
            raise typer.Abort
        store.write(lambda tx: retention.accept_clock(tx, clock())).result()
    except (SQLAlchemyError, HandoffError) as error:
        raise CannotStart(why_not(error)) from None
    finally:
        parts.close()
    out.print(f"Goed. Wat over zijn dag heen is, gaat weer weg: hoogstens {retention.DAYS_AT_ONCE} dagen per etmaal.")
