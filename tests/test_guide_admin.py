"""The admin's guide names every setting, with the default that it has, and no other; and only commands that exist."""

from __future__ import annotations

import re
from pathlib import Path

from typer.main import get_command

from bot.channels.registry import CHANNELS
from bot.cli.main import app
from config.settings import PREFIX, Settings, read_settings

GUIDE = (Path(__file__).parent.parent / "docs" / "guide-admin.md").read_text("utf-8")
OWN = [registration.settings for registration in CHANNELS if registration.settings]
"""What the channels read."""
_ROW = re.compile(r"^\| `PRAAT_(\w+)` \| (.+?) \| .+ \|$", re.MULTILINE)


def test_every_setting_is_in_the_table_and_no_other() -> None:
    told = [name.lower() for name, _ in _ROW.findall(GUIDE)]
    assert sorted(told) == sorted([*Settings.model_fields, *(name for kind in OWN for name in kind.model_fields)])


def test_defaults_are_those_of_the_program() -> None:
    settings = [read_settings(Settings, {}), *(kind.read({}) for kind in OWN)]
    told = ((name.lower(), default) for name, default in _ROW.findall(GUIDE))
    plain = {name: default.strip("`") for name, default in told if default.startswith("`") and " " not in default}
    assert len(plain) > 10
    for name, default in plain.items():
        (value,) = [getattr(part, name) for part in settings if hasattr(part, name)]
        assert str(value).endswith(default), PREFIX + name.upper()


def test_every_command_that_it_names_exists() -> None:
    named = set(re.findall(r"\bpraat ([a-z-]+)(?: ([a-z-]+))?", " ".join(GUIDE.split())))
    commands = {name: getattr(sub, "commands", {}) for name, sub in getattr(get_command(app), "commands", {}).items()}
    assert {"run", "check", "person", "sticker"} <= {first for first, _ in named}
    for first, second in named:
        assert first in commands, f"praat {first}"
        assert not commands[first] or second in commands[first], f"praat {first} {second}"
