"""`praat nlu`: what the bot understands of a sentence, how good it is at it, and why."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bot.channels.registry import read_settings
from bot.cli.terminal import lines
from bot.understanding import open_reader
from config.faults import Faults
from config.settings import UnderstandingSettings
from nlu import assemble, danger_file
from nlu.danger import DangerList
from nlu.evaluate import ExamplesError, Report, evaluate, read_examples
from nlu.explain import Explanation, explain
from nlu.model import CarriedModel
from nlu.model_file import ModelError
from nlu.reader import Reader
from nlu.understanding import EngineError

_PATIENT_S = 10.0  # figures must not depend on how busy a Rasa server is

app = typer.Typer(no_args_is_help=True, help=__doc__, pretty_exceptions_enable=False)
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


@app.command()
def parse() -> None:
    """Read sentences from standard input, one a line, and print what is understood, one JSON object a line."""
    reader = open_reader(read_settings())
    for text in lines(sys.stdin):
        found = reader.understand(text)
        shown = {
            "text": text,
            "intent": found.intent,
            "confidence": round(found.confidence, 4),
            "urgency": found.urgency.label,
            "language": found.language,
        }
        print(json.dumps(shown, ensure_ascii=False).encode("utf-8", "backslashreplace").decode(), flush=True)  # noqa: T201


@app.command("evaluate")
def evaluate_command(
    file: Annotated[Path, typer.Argument(help="tab-separated, with the columns text and intent")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="the figures as JSON")] = False,
) -> None:
    """Show how well the bot understands a file of examples: per intent and per urgency."""
    try:
        examples = read_examples(file)
    except (ExamplesError, OSError) as error:
        raise typer.BadParameter(str(error)) from None
    report = evaluate(examples, _judged(read_settings()).understand)
    if as_json:
        print(json.dumps(report.as_dict(), ensure_ascii=False, indent=2))  # noqa: T201
    else:
        _show(report)


def _judged(settings: UnderstandingSettings) -> Reader:
    """The reader to be judged: figures of danger words alone would be taken for the engine's."""
    opened = assemble.open_reader(
        model_path=settings.nlu_model, danger=_danger(settings), rasa_url=settings.rasa_url, deadline_s=_PATIENT_S
    )
    fault = opened.fault or (_silent(settings.rasa_url) if settings.rasa_url else None)
    if fault is not None:
        raise typer.BadParameter(f"er is geen taalmodel om te beoordelen: {fault}")
    return opened.reader


def _danger(settings: UnderstandingSettings) -> DangerList:
    try:
        return danger_file.load(settings.config_dir / "danger.yml")
    except Faults as report:
        raise typer.BadParameter(str(report)) from None


def _silent(url: str) -> str | None:
    """Why the Rasa server does not answer, or None when it does."""
    from nlu.rasa_server import RasaServer  # noqa: PLC0415 - it brings httpx, which other commands do without

    engine = RasaServer(url, timeout_s=_PATIENT_S)
    try:
        engine.classify("hoi")
    except EngineError as fault:
        return str(fault)
    finally:
        engine.close()
    return None


def _show(report: Report) -> None:
    whole = Table("maat", "waarde", title=f"{report.examples} voorbeelden")
    figures = {
        "goed begrepen (accuracy)": report.accuracy,
        "macro-F1": report.macro_f1,
        "niet begrepen (fallback)": report.fallback_rate,
        "kalibratiefout (ECE)": report.calibration_error,
    }
    for name, value in figures.items():
        whole.add_row(name, f"{value:.3f}")
    urgencies = Table("urgentie", "gevonden (recall)", "vals alarm (gewone berichten)")
    urgencies.add_row("acuut", f"{report.acute_recall:.3f}", f"{report.false_alarm_rate:.3f}")
    urgencies.add_row("acuut of hoog", f"{report.acute_or_high_recall:.3f}", f"{report.raised_rate:.3f}")
    intents = Table("intent", "aantal", "precisie", "recall", "F1")
    for row in report.intents:
        intents.add_row(row.intent, str(row.examples), f"{row.precision:.2f}", f"{row.recall:.2f}", f"{row.f1:.2f}")
    out.print(whole, urgencies, intents)


@app.command("explain")
def explain_command(text: Annotated[str, typer.Argument(help="the sentence")]) -> None:
    """Show why a sentence was understood as it was: the pieces of words and the danger phrases that spoke."""
    settings = read_settings()
    danger = _danger(settings)
    if settings.rasa_url:
        err.print("Let op: dit is het taalmodel van het programma zelf; nu leest een Rasa-server (PRAAT_RASA_URL).", markup=False)
    try:
        engine, thresholds = assemble.open_model(settings.nlu_model)
    except ModelError as error:
        raise typer.BadParameter(str(error)) from None
    _show_reasons(explain(text, engine if isinstance(engine, CarriedModel) else None, danger, thresholds))


def _show_reasons(found: Explanation) -> None:
    said = found.understanding
    out.print(f"[bold]{said.intent}[/bold]  {said.confidence:.2f}  {said.urgency.label}  {said.language}")
    out.print("gevaarzinnen: " + (", ".join(found.danger_phrases) or "geen"), markup=False)
    table = Table("pleit voor", "", "pleit tegen", "")
    for index in range(max(len(found.speaks_for), len(found.speaks_against))):
        row = []
        for voices in (found.speaks_for, found.speaks_against):
            voice = voices[index] if index < len(voices) else None
            row += [escape(repr(voice.ngram)), f"{voice.weight:+.2f}"] if voice else ["", ""]
        table.add_row(*row)
    out.print(table)
    out.print("ook mogelijk: " + ", ".join(f"{intent} {p:.2f}" for intent, p in found.ranking[1:]), markup=False)
