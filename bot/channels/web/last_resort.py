"""The page for when even making a page fails: put together at the start, from nothing but the helplines."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape

from bot.channels.web.labels import LABELS
from config.schema import Helpline
from handoff.display import shown
from handoff.runtime import Runtime

ALWAYS = (("112", "112 Alarmnummer"), ("08000432", "0800-0432 Kindertelefoon"))
"""What is dialled and what is read, for when not even the file of helplines can be read."""


def last_resort(runtime: Runtime) -> Callable[..., bytes]:
    """Return what makes a whole page in plain HTML with the numbers that are always there, and the child's text if it is given."""
    return bare_page(first_lines(runtime.configuration.helplines.values()))


def first_lines(helplines: Iterable[Helpline]) -> list[tuple[str, str]]:
    """What is dialled and what is read of the lines that stand everywhere."""
    return [(line.tel, f"{line.number} {line.name}") for line in helplines if line.first_list]


def bare_page(lines: Iterable[tuple[str, str]]) -> Callable[..., bytes]:
    """The same as `last_resort`, of these lines."""
    links = "".join(f'<p><a href="tel:{escape(tel)}">{escape(text)}</a></p>' for tel, text in lines)
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
    title = escape(LABELS["choose_name"])
    html = f'<!doctype html><html lang="nl"><head>{head}<title>{title}</title></head><body><main><h1>{escape(LABELS["call"])}</h1>'

    def page(text: str = "") -> bytes:
        label = f'<p><label for="text">{escape(LABELS["not_sent"])}</label></p>'
        box = f'{label}<textarea id="text" readonly rows="9">\n{escape(shown(text))}</textarea>' if text else ""
        return f"{html}{links}{box}</main></body></html>".encode("utf-8", "replace")

    return page
