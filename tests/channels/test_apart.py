"""Nothing outside a channel's folder has its name, but for its one line of registration."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = (".py", ".html", ".js", ".mako")
REGISTRY = Path("bot/channels/registry.py")


def places(word: str, root: Path) -> Iterator[str]:
    """`file:line` of every line of the program that has this word, outside the channel's own folder and the registry."""
    for room in ("bot", "handoff", "config", "nlu"):
        for file in sorted((root / room).rglob("*")):
            short = file.relative_to(root)
            if file.suffix not in CODE or short == REGISTRY or (root / "bot" / "channels" / word) in file.parents:
                continue
            for number, line in enumerate([short.name, *file.read_text("utf-8").splitlines()]):
                if word in line.casefold():
                    yield f"{short}:{number}"


def test_nothing_knows_telegram_but_its_folder() -> None:
    assert list(places("telegram", ROOT)) == []


@pytest.mark.parametrize("line", ["import bot.channels.telegram", "# as Telegram does", 'if channel == "telegram":'])
def test_a_word_that_slips_in_is_found(tmp_path: Path, line: str) -> None:
    """The check itself, also in comments."""
    for room in ("bot/channels/telegram", "handoff/chats", "config", "nlu"):
        (tmp_path / room).mkdir(parents=True)
    (tmp_path / "bot/channels/telegram/parse.py").write_text(line)
    (tmp_path / "bot/channels/registry.py").write_text(line)
    (tmp_path / "handoff/chats/outbox.py").write_text(f"x = 1\n{line}\n")
    assert list(places("telegram", tmp_path)) == ["handoff/chats/outbox.py:2"]


def test_the_line_of_registration_is_one_line() -> None:
    """One import and one line in the list."""
    lines = [line.strip() for line in (ROOT / REGISTRY).read_text("utf-8").splitlines() if "telegram" in line.casefold()]
    assert lines == ["from bot.channels.telegram.registration import TELEGRAM", "TELEGRAM,"]
