"""What the commands share: text in and out is UTF-8 whatever the locale, and a gemeente that is not there is told."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from io import TextIOWrapper
from typing import TextIO

import typer

from config.schema import Configuration, Municipality


def use_utf8() -> None:
    """Read and write UTF-8, also where the locale says something else (a cron job, a container without a locale).

    Python would else read every letter with an accent as two others, and say nothing.
    """
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="strict" if stream is sys.stdin else "backslashreplace")
    sys.argv[1:] = [_argument(text) for text in sys.argv[1:]]


def _argument(text: str) -> str:
    """The same argument, as UTF-8. Raises `SystemExit` when it is none."""
    try:
        return os.fsencode(text).decode("utf-8")
    except UnicodeError:
        raise SystemExit("praat: wat achter de opdracht staat, is geen UTF-8-tekst") from None


def lines(stream: TextIO) -> Iterator[str]:
    """The lines of standard input, without their ends. Raises `SystemExit`, naming the line, when it is no UTF-8 text."""
    number = 0
    try:
        for number, line in enumerate(stream, start=1):  # noqa: B007 - told when the next one cannot be read
            yield line.rstrip("\r\n")
    except UnicodeDecodeError:
        raise SystemExit(f"praat: de invoer is geen UTF-8-tekst (na regel {number})") from None


def municipality_in(configuration: Configuration, wanted: str) -> Municipality:
    """The gemeente with this id. Raises `typer.BadParameter`, which names those that are there."""
    found = configuration.municipalities.get(wanted)
    if found is None:
        raise typer.BadParameter(f"deze gemeente is er niet; wel: {_listed(configuration.municipalities)}")
    return found


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
