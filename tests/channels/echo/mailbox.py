"""The world outside: a folder with two files for each child, `<name>.in` that it writes and `<name>.out` that it reads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bot.channels.channel import DeliveryFailed
from tests.channels.echo.spec import SPEC


@dataclass(frozen=True)
class Letter:
    """One line of a file. Numbers grow, in both files together."""

    number: int
    text: str = field(repr=False)
    buttons: list[str] = field(default_factory=list)
    """This channel can show none: they would be here by mistake."""


@dataclass(frozen=True)
class Mailbox:
    """The folder. Nothing arrives at a child whose `.out` was taken away (`<name>.closed`)."""

    folder: Path

    def write(self, name: str, text: str) -> int:
        """A child writes; returns the number of its letter."""
        number = self._next(name)
        with (self.folder / f"{name}.in").open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(Letter(number, text))) + "\n")
        return number

    def written(self) -> Iterator[tuple[str, Letter]]:
        """Every letter of every child, again and again: what was taken is known by its number."""
        for file in sorted(self.folder.glob("*.in")):
            yield from ((file.stem, letter) for letter in _letters(file))

    def read(self, name: str) -> list[Letter]:
        """What a child finds."""
        return _letters(self.folder / f"{name}.out")

    def put(self, name: str, text: str, buttons: Sequence[str] = ()) -> int:
        """Let a letter arrive; returns its number. Raises `DeliveryFailed` at a closed box, `ValueError` for too long a one."""
        if (self.folder / f"{name}.closed").exists():
            raise DeliveryFailed("echo: closed", permanent=True, gone=True)
        if len(text.encode("utf-16-le")) // 2 > (SPEC.capabilities.longest or 0):
            raise ValueError("longer than the channel said that it takes")
        number = self._next(name)
        with (self.folder / f"{name}.out").open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(Letter(number, text, list(buttons)))) + "\n")
        return number

    def remove(self, name: str, numbers: Sequence[int]) -> None:
        """Delete letters from both files. Raises `ValueError` for more at once than the channel said that it takes."""
        if len(numbers) > SPEC.capabilities.deletes_at_once:
            raise ValueError("more at once than the channel said that it takes")
        for file in (self.folder / f"{name}.in", self.folder / f"{name}.out"):
            kept = [letter for letter in _letters(file) if letter.number not in numbers]
            file.write_text("".join(json.dumps(asdict(letter)) + "\n" for letter in kept), "utf-8")

    def _next(self, name: str) -> int:
        counter = self.folder / f"{name}.count"
        number = int(counter.read_text()) + 1 if counter.exists() else 1
        counter.write_text(str(number))
        return number


def _letters(file: Path) -> list[Letter]:
    return [Letter(**json.loads(line)) for line in file.read_text("utf-8").splitlines()] if file.exists() else []
