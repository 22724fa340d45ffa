"""A program with one more line in its list of channels: the third one is opened, answers, reaches a human, and stands apart."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.app import assemble, first_start, prepare_database
from bot.channels.registry import read_settings
from bot.loops import steps
from bot.serve import Running, open_channels
from tests.channels.contract import Desk
from tests.channels.echo.mailbox import Mailbox
from tests.channels.echo.service import EchoService
from tests.channels.test_contract import REGISTERED
from tests.make import Clock, House


def test_one_line_brings_the_third_channel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mailbox = Mailbox(tmp_path / "mailbox")
    mailbox.folder.mkdir()
    monkeypatch.setenv("PRAAT_ECHO_FOLDER", str(mailbox.folder))
    environment = {"PRAAT_DATA_DIR": str(tmp_path / "var"), "PRAAT_ARGON2_MEMORY_KIB": "8192", "PRAAT_ARGON2_ITERATIONS": "1"}
    settings = read_settings(environment=environment)
    first_start(settings)
    parts = assemble(settings, REGISTERED)
    try:
        assert prepare_database(parts.runtime, settings.database_url)
        clock = Clock(datetime.now(UTC))
        desk = Desk(House(parts.runtime, clock, tmp_path, secrets.token_bytes(64), settings.database_url), None)  # type: ignore[arg-type]
        desk.who = desk.house.confidant("sanne")
        told: list[str] = []
        (service,) = open_channels(Running(parts), told.append)
        assert isinstance(service, EchoService)
        assert told == []
        delivery = next(step for _, name, step in steps(parts.runtime, {"echo": service.channel}) if name == "delivery")

        async def play() -> None:
            await service.once()
            await delivery()

        mailbox.write("kind", "papa slaat mij")
        asyncio.run(play())
        said = " ".join(letter.text for letter in mailbox.read("kind"))
        assert "112" in said
        assert "0800-0432" in said
        desk.claim()
        assert desk.read().channel.title == "de brievenbus"
        assert desk.child_wrote() == ["papa slaat mij"]
        desk.write("Hoi, met Sanne.")
        for _ in range(2):
            asyncio.run(play())
        assert mailbox.read("kind")[-1].text == "Hoi, met Sanne."
    finally:
        parts.close()
