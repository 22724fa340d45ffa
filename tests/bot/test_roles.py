"""Each role reads its own settings: what the child's process cannot see, it cannot lose."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from bot.app import assemble, first_start
from bot.channels.registry import CHANNELS, forget_others, read_settings
from bot.serve import ROLES, run
from config.settings import PREFIX, ChildSettings, ConsoleSettings, LoopsSettings, Settings, SettingsFaults, SharedSettings
from tests.journey.server import free_port

CHANNEL = {name for registration in CHANNELS if registration.settings for name in registration.settings.model_fields}
EVERY = sorted(set(Settings.model_fields) | CHANNEL)


class Recorded(Mapping[str, str]):
    """An environment that remembers whose value was looked at."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values_of = dict(values)
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> str:
        if name in self.values_of:
            self.read.add(name.removeprefix(PREFIX).lower())
        return self.values_of[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_of)

    def __len__(self) -> int:
        return len(self.values_of)


def only(kind: type[SharedSettings]) -> set[str]:
    """What this role reads and no other."""
    others = [other for other in ROLES.values() if other is not kind]
    return set(kind.model_fields) - {name for other in others for name in other.model_fields}


def test_there_is_something_to_keep_apart() -> None:
    assert only(ConsoleSettings) == {"console_host", "console_port", "console_origin", "argon2_memory_kib", "argon2_iterations"}
    assert only(ChildSettings) == {"child_host", "body_limit", "text_limit"}
    assert only(LoopsSettings) == {"loops_host", "loops_port"}


@pytest.mark.parametrize("role", ROLES)
def test_a_role_never_looks_at_what_another_role_needs(role: str) -> None:
    kind = ROLES[role]
    own = set(kind.model_fields) | (CHANNEL if role != "console" else set())
    environment = Recorded({f"{PREFIX}{name.upper()}": "" if name in own else "a secret of another role" for name in EVERY})
    settings = read_settings(kind, environment)
    assert environment.read <= own
    assert type(settings) is kind
    assert "a secret of another role" not in repr(settings)


@pytest.mark.parametrize("role", ROLES)
def test_a_misspelling_is_told_to_every_role(role: str) -> None:
    with pytest.raises(SettingsFaults, match="did you mean PRAAT_CONSOLE_PORT"):
        read_settings(ROLES[role], {"PRAAT_CONSOLE_PROT": "8081"})


@pytest.mark.parametrize("role", ROLES)
def test_what_a_role_does_not_read_is_taken_out_of_its_environment(role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in EVERY:
        monkeypatch.setenv(f"{PREFIX}{name.upper()}", "x")
    forget_others(ROLES[role])
    left = {name.removeprefix(PREFIX).lower() for name in os.environ if name.startswith(PREFIX)}
    assert left == set(ROLES[role].model_fields) | (CHANNEL if role != "console" else set())


def test_the_console_opens_no_model_and_no_channel(tmp_path: Path) -> None:
    settings = read_settings(ConsoleSettings, {"PRAAT_DATA_DIR": str(tmp_path), "PRAAT_CONSOLE_PORT": str(free_port())})
    first_start(settings)
    parts = assemble(settings)
    try:
        assert parts.reader is None
    finally:
        parts.close()


def test_the_servers_run_on_uvloop() -> None:
    async def loop() -> str:
        return type(asyncio.get_running_loop()).__module__

    assert run(loop()).startswith("uvloop")
