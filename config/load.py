"""The configuration folder as one frozen `Configuration`, or all its faults at once."""

from __future__ import annotations

from pathlib import Path

from config.crosscheck import crosscheck
from config.faults import Faults
from config.reading import Reading, read
from config.schema import Configuration


def load(folder: Path) -> Configuration:
    """Read and cross-check every file in `folder`.

    Raises `Faults` with every fault of every file; nothing else, whatever the files hold. The words are judged by
    the gates (`config.check`), not here.
    """
    reading = read(folder)
    crosscheck(reading)
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
