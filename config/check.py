"""`praat check`: every fault of the configuration at once: shapes, cross-checks, simple Dutch, speech acts."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from config.crosscheck import crosscheck
from config.faults import Fault, Faults, Finding
from config.gates.guard import judge_utterance
from config.gates.simple_dutch import judge_button, judge_text
from config.load import assemble
from config.parse import Parsed, parse_folder
from config.responses import UtteranceSource
from config.schema import Configuration


def check(folder: Path) -> list[Fault]:
    """Every fault in `folder`, sorted by file and line. Never raises on what the files hold. Empty: ready to publish."""
    return _judged(folder)[1]


def load_checked(folder: Path) -> Configuration:
    """`config.load.load` and both gates: what may be published. Raises `Faults`."""
    parsed, faults = _judged(folder)
    if faults:
        raise Faults(faults)
    return assemble(parsed)


def _judged(folder: Path) -> tuple[Parsed, list[Fault]]:
    parsed = parse_folder(folder)
    crosscheck(parsed)
    for source in parsed.utterances.values():
        for i, finding in judge_utterance(source.utterance):
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


def main(arguments: Sequence[str]) -> int:
    """Show the faults of the folder in the first argument, else of this package's own; 1 when there are any, else 0."""
    faults = check(Path(arguments[0]) if arguments else Path(__file__).parent)
    show(faults, Console())
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
