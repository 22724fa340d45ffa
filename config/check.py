"""`praat check`: every fault of the configuration at once: shapes, cross-checks, simple Dutch, speech acts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from config.channels import ChannelSpec
from config.crosscheck import crosscheck
from config.faults import Fault, Faults, Finding
from config.gates.guard import judge_utterance
from config.gates.simple_dutch import judge_button, judge_text
from config.load import assemble
from config.parse import Parsed, parse_folder
from config.required import requirements
from config.responses import UtteranceSource
from config.schema import Configuration


def check(folder: Path, channels: Iterable[ChannelSpec]) -> list[Fault]:
    """Return every fault in `folder` for a program with these `channels`, sorted by place; empty: ready to publish.

    Never raises on what the files hold.
    """
    return _judged(folder, channels)[1]


def load_checked(folder: Path, channels: Iterable[ChannelSpec]) -> Configuration:
    """`config.load.load` and both gates: what may be published. Raises `Faults`."""
    parsed, faults = _judged(folder, channels)
    if faults:
        raise Faults(faults)
    return assemble(parsed)


def _judged(folder: Path, channels: Iterable[ChannelSpec]) -> tuple[Parsed, list[Fault]]:
    parsed, required = parse_folder(folder), requirements(channels)
    crosscheck(parsed, required)
    for source in parsed.utterances.values():
        for i, finding in judge_utterance(source.utterance, required.union):
            _add(source, i, finding)
        if source.utterance.language == "nl":
            _simple_dutch(source, parsed)
    return parsed, sorted(set(parsed.faults))


def _simple_dutch(source: UtteranceSource, parsed: Parsed) -> None:
    for i, variant in enumerate(source.utterance.variants):
        for finding in judge_text(variant.text, parsed.explained):
            _add(source, i, finding)
        for j, button in enumerate(variant.buttons):
            for finding in judge_button(button.title, parsed.explained):
                source.tree.add(source.at(i, "buttons", j, "title"), finding.message, rule=finding.rule)


def _add(source: UtteranceSource, variant: int, finding: Finding) -> None:
    act = finding.rule.startswith("act-")
    path = source.at(variant, "metadata", "act") if act else source.at(variant, "text")
    source.tree.add(path, finding.message, rule=finding.rule)


def show(faults: Sequence[Fault], console: Console) -> None:
    """Print the faults for a person, or one sentence when there are none."""
    if not faults:
        console.print(Text("The configuration is whole: no faults.", style="green"))
        return
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="cyan")
    table.add_column(overflow="fold")
    for fault in faults:
        place = f"{fault.file}:{fault.line}" if fault.line else fault.file
        told = Text.assemble((fault.key, "bold"), "  " if fault.key else "", fault.message)
        table.add_row(Text(place), told.append(f" [{fault.rule}]" if fault.rule else "", style="dim"))
    console.print(table)
    count = f"{len(faults)} fault{'s' if len(faults) > 1 else ''}"
    console.print(Text(f"{count}. Nothing is published until all are mended.", style="red"))


def main(folder: Path, channels: Iterable[ChannelSpec]) -> int:
    """Print every fault of `folder`. Returns the exit code: 0 without faults, 1 with."""
    faults = check(folder, channels)
    show(faults, Console())
    return 1 if faults else 0
