"""`praat audit`: who opened, claimed, granted and erased what, when; and whether a line was changed or taken out."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection

from bot.app import assemble
from bot.channels.registry import read_settings
from handoff import audit
from handoff.audit import Entry, Head
from handoff.crypto import Vault
from handoff.errors import Denied
from handoff.runtime import Runtime
from handoff.team import people

app = typer.Typer(no_args_is_help=True, help=__doc__, pretty_exceptions_enable=False)
out = Console(highlight=False, soft_wrap=True)

_KINDS = {
    "changed": "regel {no} is veranderd, of een regel van vóór de eerste",
    "missing": "vóór regel {no} ontbreken regels",
    "added": "regel {no} staat er dubbel",
    "cut_off": "het eind is weg: regel {no} is er geweest",
}
_SHOWN = 20
_ASK = (
    "[bold]Let op.[/bold] Hierna geldt regel {no} als de nieuwste. Doe dit alleen als u zelf een oudere kopie van de database hebt "
    "teruggezet: wat daarna is gebeurd, staat dan nergens meer."
)


@app.command()
def verify(
    head: Annotated[list[str] | None, typer.Option(help="a line of `praat audit head` that was kept elsewhere")] = None,
) -> None:
    """Check every line, and that the end is still there. Exit code 1 when something is wrong."""
    parts = assemble(read_settings())
    try:
        runtime = parts.runtime
        heads = [*_outside(runtime.vault), *(audit.from_text(runtime.vault, text) for text in head or ())]
        report = runtime.store.read(lambda tx: audit.verify(tx, runtime.vault, heads)).result()
    except Denied:
        raise SystemExit("praat: dit kopje is niet door deze server ondertekend: het is veranderd") from None
    finally:
        parts.close()
    for finding in report.findings[:_SHOWN]:
        out.print(f"FOUT: {_KINDS[finding.kind].format(no=finding.no)}")
    if len(report.findings) > _SHOWN:
        out.print(f"... en nog {len(report.findings) - _SHOWN}")
    out.print(f"{report.lines} regels nagekeken: {f'{len(report.findings)} fouten' if report.findings else 'alles klopt'}.")
    raise SystemExit(bool(report.findings))


def _outside(vault: Vault) -> list[Head]:
    found = audit.known(vault)
    return [] if found is None else [found]


@app.command()
def show(
    *,
    municipality: Annotated[str | None, typer.Option(help="the gemeente's id")] = None,
    person: Annotated[str | None, typer.Option(help="the name to sign in with")] = None,
    chat: Annotated[str | None, typer.Option(help="the id in the address of a chat's page")] = None,
    newest: Annotated[int, typer.Option(help="lines at most")] = 50,
) -> None:
    """Show the newest lines that fit, the newest last. No words and no addresses are in them."""
    parts = assemble(read_settings())
    try:
        found, logins = parts.runtime.store.read(lambda tx: _search(tx, municipality, person, chat, newest)).result()
    finally:
        parts.close()
    table = Table("tijd (UTC)", "gemeente", "wie", "wat", "waarop", "uitkomst", "vanaf")
    for line in found:
        who = logins.get(line.person_id or "", line.person_id or "-")
        when = line.at.strftime("%Y-%m-%d %H:%M:%S")
        table.add_row(when, line.municipality_id, who, line.action, line.object or "-", line.result, line.origin)
    out.print(table)


def _search(
    tx: Connection, municipality: str | None, person: str | None, chat: str | None, newest: int
) -> tuple[list[Entry], dict[str, str]]:
    logins = people.logins(tx)
    ids = {login: person_id for person_id, login in logins.items()}
    person_id = None if person is None else ids.get(person, person)
    return audit.search(tx, municipality_id=municipality, person_id=person_id, object_id=chat, newest=newest), logins


@app.command("head")
def show_head() -> None:
    """Print the newest line's signature, to keep with a backup or elsewhere; `verify --head` holds the audit against it."""
    parts = assemble(read_settings())
    try:
        found = audit.known(parts.runtime.vault)
        print("0" if found is None else found.as_text(parts.runtime.vault))  # noqa: T201 - for a file or a pipe
    finally:
        parts.close()


@app.command()
def accept(*, yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False) -> None:
    """Go on from the end that is there now, after an older backup was put back on purpose."""
    parts = assemble(read_settings())
    try:
        runtime = parts.runtime
        newest = runtime.store.read(lambda tx: audit.verify(tx, runtime.vault, [])).result().head
        if not yes:
            out.print(_ASK.format(no=newest.no))
            if typer.prompt("Typ ja om door te gaan", default="nee").strip().casefold() != "ja":
                raise typer.Abort
        audit.accept(runtime.vault, newest)
        runtime.store.write(lambda tx: _note(tx, runtime)).result()
    finally:
        parts.close()
    out.print(f"Het logboek gaat verder na regel {newest.no}.")


def _note(tx: Connection, runtime: Runtime) -> None:
    now = runtime.clock()
    audit.note(tx, runtime.vault, now=now, municipality_id="-", person_id=None, action="audit_accept", origin="cli")
