"""`praat telegram`: what an admin does once for the bot at Telegram."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from bot.app import Parts, assemble
from bot.channels.channel import DeliveryFailed
from bot.channels.telegram.profile import NAME, Profile, profile_of
from config.schema import Configuration
from config.settings import PREFIX, read_settings

if TYPE_CHECKING:
    from bot.channels.telegram.client import TelegramClient

app = typer.Typer(no_args_is_help=True, help=__doc__)
err = Console(stderr=True, highlight=False, soft_wrap=True)


@app.callback()
def main() -> None:
    """What an admin does once for the bot at Telegram."""


@app.command()
def profile(name: Annotated[str, typer.Option(help="what stands in the list of chats; tells nothing", max=64)] = NAME) -> None:
    """Give the bot a neutral name, its description and its commands, and show the links for the stickers."""
    from bot.channels.telegram.client import TelegramClient  # noqa: PLC0415 - half a second of every start of `praat`

    settings = read_settings()
    token = settings.telegram()
    if token is None:
        err.print(f"Er is nog geen token. Zet {PREFIX}TELEGRAM_TOKEN_FILE op het bestand met het token van BotFather.")
        raise typer.Exit(1)
    parts = assemble(settings)
    try:
        user_name = asyncio.run(_set(TelegramClient(token, settings.telegram_base_url), profile_of(parts.runtime, name)))
    except DeliveryFailed as fault:
        err.print(f"Telegram deed het niet ({fault}). {_advice(fault)}", markup=False)
        raise typer.Exit(1) from None
    finally:
        parts.close()
    _show(parts, user_name)


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


def _show(parts: Parts, user_name: str) -> None:
    print(f"De bot @{user_name} heeft nu een naam, een beschrijving en opdrachten.")  # noqa: T201 - what a person asked for
    for where, link in links(parts.runtime.configuration, user_name):
        print(f"  {where}: {link}")  # noqa: T201


def links(configuration: Configuration, user_name: str) -> list[tuple[str, str]]:
    """(gemeente or place, start link) for every sticker."""
    found = []
    for municipality in configuration.municipalities.values():
        found.append((municipality.name, f"https://t.me/{user_name}?start={municipality.id}"))
        for code, label in municipality.places.items():
            found.append((f"{municipality.name}, {label}", f"https://t.me/{user_name}?start={code}"))
    return found
