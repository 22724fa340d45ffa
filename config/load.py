"""The configuration folder as one frozen `Configuration`, or all its faults at once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from config.channels import ChannelSpec
from config.crosscheck import crosscheck
from config.faults import Faults
from config.reading import Reading, read
from config.required import requirements
from config.schema import Configuration


def load(folder: Path, channels: Iterable[ChannelSpec]) -> Configuration:
    """Read and cross-check every file in `folder`, for a program with these `channels`.

    Raises `Faults` with every fault of every file; nothing else, whatever the files hold. The words are judged by
    the gates (`config.check`), not here.
    """
    reading = read(folder)
    crosscheck(reading, requirements(channels))
    faults = list(reading.faults)
    if faults:
        raise Faults(faults)
    return assemble(reading)


def assemble(reading: Reading) -> Configuration:
    """The frozen form of a reading without faults."""
    return Configuration(
        script=reading.script(),
        helplines=reading.helplines,
        routes=reading.routes,
        municipalities=reading.municipalities,
    )
