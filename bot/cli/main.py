"""`praat`: everything a person does from a terminal. Each command says what it did and, when it could not, what to do."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import structlog
import typer
from rich.console import Console

from bot import demo
from bot.app import Parts, assemble, first_start, prepare_database
from bot.channels.registry import CHANNELS, SPECS, forget_others, read_settings
from bot.cli import audit, backups, clock, erase_check, keys, nlu, people
from bot.cli.terminal import lines, municipality_in, use_utf8
from bot.hardening import harden
from bot.preflight import CannotStart, own_place, see_no_root, see_safe_words
from bot.refused import Refused, serve_numbers, told
from bot.serve import ROLES, Running, see_browser_files, serve
from bot.serve import run as serve_until_stopped
from bot.understanding import open_reader
from config.faults import ConfigError
from config.settings import Settings, SharedSettings
from handoff import publishing
from handoff.errors import HandoffError
from handoff.runtime import Runtime
from nlu import danger_file

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
app.add_typer(nlu.app, name="nlu")
app.add_typer(people.app, name="person")
app.add_typer(audit.app, name="audit")
app.add_typer(keys.app, name="keys")
app.add_typer(clock.app, name="clock")
app.command("backup")(backups.backup)
app.command("restore")(backups.restore)
app.add_typer(backups.recovery, name="recovery")
app.command("erase-check")(erase_check.erase_check)
err = Console(stderr=True, highlight=False, soft_wrap=True)


@contextlib.contextmanager
def _runtime() -> Iterator[Runtime]:
    """The parts of the program for a channel's own command."""
    parts = assemble(read_settings())
    try:
        yield parts.runtime
    finally:
        parts.close()


for registration in CHANNELS:
    if registration.commands is not None:
        app.add_typer(registration.commands(_runtime), name=registration.spec.name)


def main() -> None:
    """The entry point of the `praat` command."""
    use_utf8()
    structlog.configure(
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        processors=[structlog.processors.TimeStamper(fmt="iso", utc=True), structlog.processors.LogfmtRenderer()],
    )
    try:
        app()
    except Refused as refused:
        _refuse(refused, os.environ)
        raise SystemExit(1) from None
    except publishing.NothingPublished as report:
        err.print("[bold]De teksten hebben fouten en er is nog niets gepubliceerd.[/bold] Herstel dit eerst:")
        err.print(str(report), markup=False)
        raise SystemExit(1) from None
    except (HandoffError, ConfigError, CannotStart) as error:
        err.print(f"praat: {error}", markup=False)
        raise SystemExit(1) from None


@app.command()
def check(folder: Annotated[Path | None, typer.Argument(help="the configuration; the installed one if not given")] = None) -> None:
    """Load the configuration and hold every word against the gates. Shows all faults at once; exit code 1 when there is one."""
    from config import check as gates  # noqa: PLC0415 - word lists: only for this command

    chosen = folder or read_settings().config_dir
    faults = sorted([*gates.check(chosen, SPECS), *danger_file.check(chosen / "danger.yml")])
    gates.show(faults, Console())
    raise SystemExit(bool(faults))


@app.command()
def run(*, with_demo: Annotated[bool, typer.Option("--demo/--no-demo", help="make the demo gemeente's people")] = True) -> None:
    """Everything in one process on this machine: the child's page, the console, the loops."""
    with contextlib.ExitStack() as place:
        with told(numbers=True):
            settings = read_settings()
            _may_start(settings, list(ROLES), demo=True)
            first_start(settings)
            place.enter_context(own_place(settings))
            parts = assemble(settings)
            place.callback(parts.close)
            if with_demo and prepare_database(parts.runtime, settings.database_url):
                _welcome(settings, demo.prepare(parts.runtime, settings.data_dir / "demo-logins.json"))
        _serve(parts)


def _may_start(settings: SharedSettings, roles: Sequence[str], *, demo: bool) -> None:
    """Raise `CannotStart` for what no server should start with."""
    if not harden():
        raise CannotStart("een crash zou het geheugen naar een bestand kunnen schrijven (core dump): zet dat uit op deze computer")
    see_safe_words(settings)
    if warning := see_no_root(settings, os.geteuid(), demo=demo):
        err.print(warning, markup=False)
    see_browser_files(roles)


def _refuse(refused: Refused, environment: Mapping[str, str]) -> None:
    """Say why there is no server, and where children would come, show them the numbers until somebody stops this."""
    err.print(f"praat: {refused}", markup=False)
    structlog.get_logger().error("refused_to_start", kind=refused.kind)
    if refused.numbers:
        told_then = "Kinderen zien tot die tijd alleen de nummers. Stop dit (Ctrl+C), herstel het, en start opnieuw."
        try:
            serve_numbers(environment, lambda: err.print(told_then, markup=False))
        except OSError:
            err.print("De nummers kunnen hier ook niet staan: de poort van de kinderpagina is niet vrij.", markup=False)


def _welcome(settings: Settings, logins: list[demo.Login]) -> None:
    print(f"\n  Kind:     {settings.child_origin}/{demo.MUNICIPALITY}")  # noqa: T201 - this is what a person waits for
    print(f"  Console:  {settings.console_origin}/")  # noqa: T201
    for login in logins:
        phrase = login.passphrase or "(de eenmalige wachtzin is gebruikt; log in met je eigen wachtzin)"
        print(f"  Inloggen: {login.login}  {phrase}")  # noqa: T201
    print("\n  Stoppen: Ctrl+C\n", flush=True)  # noqa: T201


def _serve(parts: Parts) -> None:
    if parts.published.faults:
        err.print("[bold]De teksten op schijf hebben fouten; de vorige blijven gelden.[/bold]")
        err.print(parts.published.faults, markup=False)
    serve_until_stopped(serve(Running(parts), lambda text: err.print(text, markup=False)))


@app.command("serve")
def serve_one(role: Annotated[str, typer.Argument(help="child, console or loops")]) -> None:
    """One role of a larger installation; any number of each, on PostgreSQL."""
    if role not in ROLES:
        raise typer.BadParameter(f"kies uit: {', '.join(ROLES)}")
    with told(numbers=role == "child"):
        settings = read_settings(ROLES[role])
        _may_start(settings, (role,), demo=False)
        forget_others(ROLES[role])
        parts = assemble(settings)
    try:
        _serve(parts)
    finally:
        parts.close()


@app.command("simulate")
def simulate_command(municipality: Annotated[str, typer.Option(help="the gemeente's id")] = demo.MUNICIPALITY) -> None:
    """Read a child's messages from standard input, one a line, and print what the bot does, one JSON object a line."""
    from bot.simulate import as_json_lines, simulate  # noqa: PLC0415 - the server starts without it

    settings = read_settings()
    configuration = publishing.load_checked(settings.config_dir, SPECS)
    chosen = municipality_in(configuration, municipality)
    for line in as_json_lines(simulate(lines(sys.stdin), configuration, chosen.id, open_reader(settings).understand)):
        print(line, flush=True)  # noqa: T201


@app.command()
def sticker(
    municipality: Annotated[str, typer.Argument(help="the gemeente's id")],
    out: Annotated[Path, typer.Option(help="the folder to write to")] = Path(),
) -> None:
    """Write the printable sticker of a gemeente, as SVG and PDF."""
    from handoff.places.stickers import address_of, pdf, shapes, svg  # noqa: PLC0415 - it brings a PDF library

    settings = read_settings()
    configuration = publishing.load_checked(settings.config_dir, SPECS)
    chosen = municipality_in(configuration, municipality)
    try:
        drawn = shapes(chosen, configuration.helplines["kindertelefoon"], settings.child_origin)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    out.mkdir(parents=True, exist_ok=True)
    files = out / f"sticker-{chosen.id}.svg", out / f"sticker-{chosen.id}.pdf"
    files[0].write_text(svg(drawn), encoding="utf-8")
    files[1].write_bytes(pdf(drawn, title=f"Sticker {chosen.name}"))
    address = address_of(chosen, settings.child_origin)
    print(f"{files[0]}\n{files[1]}\nDe QR en de letters wijzen naar {address}")  # noqa: T201
    if "localhost" in address or "127.0.0.1" in address:
        err.print("Let op: dit adres werkt alleen op deze computer. Zet PRAAT_CHILD_ORIGIN voor een echte sticker.")
