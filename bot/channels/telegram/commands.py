"""`praat telegram`: what an admin does once for the bot at Telegram."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from bot.channels.channel import DeliveryFailed
from bot.channels.telegram.profile import NAME, Profile, profile_of
from bot.channels.telegram.settings import TelegramSettings
from config.schema import Configuration
from config.settings import PREFIX
from handoff.runtime import Runtime

if TYPE_CHECKING:
    from bot.channels.registration import OpenRuntime
    from bot.channels.telegram.client import TelegramClient

err = Console(stderr=True, highlight=False, soft_wrap=True)


def commands(open_runtime: OpenRuntime) -> typer.Typer:
    """Return the command group; `open_runtime` gives the program's parts for as long as a command needs them."""
    app = typer.Typer(no_args_is_help=True, help=__doc__)

    @app.callback()
    def main() -> None:
        """What an admin does once for the bot at Telegram."""

    @app.command()
    def profile(name: Annotated[str, typer.Option(help="what stands in the list of chats; tells nothing", max=64)] = NAME) -> None:
        """Give the bot a neutral name, its description and its commands, and show the links for the stickers."""
        settings = TelegramSettings.read()
        token = settings.token()
        if token is None:
            err.print(f"Er is nog geen token. Zet {PREFIX}TELEGRAM_TOKEN_FILE op het bestand met het token van BotFather.")
            raise typer.Exit(1)
        with open_runtime() as runtime:
            _profile(runtime, token, settings.telegram_base_url, name)

    return app


def _profile(runtime: Runtime, token: str, base_url: str, name: str) -> None:
    from bot.channels.telegram.client import TelegramClient  # noqa: PLC0415 - half a second of every start of `praat`

    try:
        user_name = asyncio.run(_set(TelegramClient(token, base_url), profile_of(runtime, name)))
    except DeliveryFailed as fault:
        err.print(f"Telegram deed het niet ({fault}). {_advice(fault)}", markup=False)
        raise typer.Exit(1) from None
    _show(runtime.configuration, user_name)


async def _set(client: TelegramClient, wanted: Profile) -> str:
    try:
        user_name = await client.me()
        await client.profile(wanted.name, wanted.about, wanted.short, wanted.commands)
    finally:
        await client.close()
    return user_name


def _advice(fault: DeliveryFailed) -> str:
    if "InvalidToken" in str(fault):
        return "Het token klopt niet: vraag BotFather om een nieuw token (/token)."
    if fault.retry_after:
        return f"Probeer het over {fault.retry_after:.0f} seconden opnieuw."
    return "Kijk of deze computer bij Telegram kan, en probeer het opnieuw."


def _show(configuration: Configuration, user_name: str) -> None:
    print(f"De bot @{user_name} heeft nu een naam, een beschrijving en opdrachten.")  # noqa: T201 - what a person asked for
    for where, link in links(configuration, user_name):
        print(f"  {where}: {link}")  # noqa: T201


def links(configuration: Configuration, user_name: str) -> list[tuple[str, str]]:
    """(gemeente or place, start link) for every sticker."""
    found = []
    for municipality in configuration.municipalities.values():
        found.append((municipality.name, f"https://t.me/{user_name}?start={municipality.id}"))
        for code, label in municipality.places.items():
            found.append((f"{municipality.name}, {label}", f"https://t.me/{user_name}?start={code}"))
    return found
