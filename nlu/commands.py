"""What `praat nlu parse|evaluate|explain` do, as plain functions; `bot/cli_nlu.py` gives them their names and options."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.table import Table

from nlu import danger_file, model
from nlu.assemble import open_reader, read_thresholds, record_path
from nlu.evaluate import Report, read_examples
from nlu.evaluate import evaluate as evaluated
from nlu.explain import Explanation
from nlu.explain import explain as explained
from nlu.model import CarriedModel
from nlu.model_file import ModelError
from nlu.reader import Reader, Thresholds

_PATIENT_S = 10.0  # figures must not depend on how busy the machine is


def parse_lines(lines: TextIO, out: TextIO, *, reader: Reader | None = None) -> None:
    """One JSON object for each line: text, intent, confidence, urgency, language. For sentences made up to try it out."""
    using = reader or open_reader().reader
    for line in lines:
        text = line.rstrip("\r\n")
        found = using.understand(text)
        said = {
            "text": text,
            "intent": found.intent,
            "confidence": round(found.confidence, 4),
            "urgency": found.urgency.label,
            "language": found.language,
        }
        out.write(json.dumps(said, ensure_ascii=not _takes_unicode(out, text)) + "\n")
        out.flush()


def _takes_unicode(out: TextIO, text: str) -> bool:
    try:
        text.encode(getattr(out, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def evaluate(path: Path, *, as_json: bool, out: TextIO, model_path: Path = model.DEFAULT_PATH) -> Report:
    """Figures over a TSV file with text and intent, as tables or as JSON.

    Raises `ExamplesError`, and `ModelError` when there is no model to judge.
    """
    examples = read_examples(path)
    opened = open_reader(model_path=model_path, deadline_s=_PATIENT_S)
    if opened.fault is not None:
        raise ModelError(opened.fault)
    report = evaluated(examples, opened.reader.understand)
    if as_json:
        out.write(json.dumps(report.as_dict(), indent=1) + "\n")
    else:
        _print(report, out)
    return report


def _print(report: Report, out: TextIO) -> None:
    console = Console(file=out)
    whole = Table(title=f"{report.examples} examples", show_header=False)
    for label, value in (
        ("accuracy", f"{report.accuracy:.1%}"),
        ("macro-F1", f"{report.macro_f1:.3f}"),
        ("not understood (fallback)", f"{report.fallback_rate:.1%}"),
        ("recall of acute", f"{report.acute_recall:.1%}"),
        ("recall of acute or high", f"{report.acute_or_high_recall:.1%}"),
        ("false alarms: normal read as acute", f"{report.false_alarm_rate:.1%}"),
        ("normal read as high or acute", f"{report.raised_rate:.1%}"),
        ("expected calibration error", f"{report.calibration_error:.3f}"),
    ):
        whole.add_row(label, value)
    console.print(whole)
    table = Table("intent", "precision", "recall", "F1", "examples", title="per intent")
    for row in report.intents:
        table.add_row(row.intent, f"{row.precision:.2f}", f"{row.recall:.2f}", f"{row.f1:.2f}", str(row.examples))
    console.print(table)


def explain(text: str, *, out: TextIO, model_path: Path = model.DEFAULT_PATH) -> Explanation:
    """Show what was understood and which n-grams and danger phrases spoke; without a model, the danger phrases alone."""
    try:
        carried, thresholds = CarriedModel.load(model_path), read_thresholds(record_path(model_path))
    except ModelError as fault:
        Console(file=out).print(f"no model: {fault}", markup=False)
        found = explained(text, None, danger_file.load(), Thresholds())
    else:
        found = explained(text, carried, danger_file.load(), thresholds)
    _show(found, out)
    return found


def _show(found: Explanation, out: TextIO) -> None:
    console = Console(file=out)
    said = found.understanding
    console.print(
        f"intent {said.intent} ({said.confidence:.2f}) · urgency {said.urgency.label} · language {said.language}", markup=False
    )
    console.print(f"danger phrases: {', '.join(found.danger_phrases) or 'none'}", markup=False)
    if not found.ranking:
        return
    likeliest = Table("intent", "probability", title="likeliest")
    for name, probability in found.ranking:
        likeliest.add_row(name, f"{probability:.3f}")
    console.print(likeliest)
    voices = Table("speaks for", "", "speaks against", "", title=f"n-grams on {found.ranking[0][0]} (spaces shown as ·)")
    for place in range(max(len(found.speaks_for), len(found.speaks_against))):
        row = []
        for side in (found.speaks_for, found.speaks_against):
            row += [side[place].ngram.replace(" ", "·"), f"{side[place].weight:+.2f}"] if place < len(side) else ["", ""]
        voices.add_row(*row)
    console.print(voices)
