"""The configuration folder as one frozen `Configuration`, or all its faults at once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from config.channels import ChannelSpec
from config.crosscheck import crosscheck
from config.faults import Faults
from config.parse import Parsed, parse_folder
from config.required import requirements
from config.schema import Configuration


def load(folder: Path, channels: Iterable[ChannelSpec]) -> Configuration:
    """Read and cross-check every file in `folder`, for a program with these `channels`.

    Raises `Faults` with every fault of every file; nothing else, whatever the files hold. The words are judged by
    the gates (`config.check`), not here.
    """
    parsed = parse_folder(folder)
    crosscheck(parsed, requirements(channels))
    faults = list(parsed.faults)
    if faults:
        raise Faults(faults)
    return assemble(parsed)


def assemble(parsed: Parsed) -> Configuration:
    """Freeze a folder that was parsed without faults."""
    return Configuration(
        script=parsed.script(),
        helplines=parsed.helplines,
        routes=parsed.routes,
        municipalities=parsed.municipalities,
    )
