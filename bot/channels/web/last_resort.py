"""The page for when even making a page fails: put together at the start, from nothing but the helplines."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from bot.channels.web.labels import LABELS
from handoff.display import shown
from handoff.runtime import Runtime


def last_resort(runtime: Runtime) -> Callable[..., bytes]:
    """Return what makes a whole page in plain HTML with the numbers that are always there, and the child's text if it is given."""
    links = "".join(
        f'<p><a href="tel:{escape(line.tel)}">{escape(line.number)} {escape(line.name)}</a></p>'
        for line in runtime.configuration.helplines.values()
        if line.first_list
    )
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
    title = escape(LABELS["choose_name"])
    html = f'<!doctype html><html lang="nl"><head>{head}<title>{title}</title></head><body><main><h1>{escape(LABELS["call"])}</h1>'

    def page(text: str = "") -> bytes:
        label = f'<p><label for="text">{escape(LABELS["not_sent"])}</label></p>'
        box = f'{label}<textarea id="text" readonly rows="9">\n{escape(shown(text))}</textarea>' if text else ""
        return f"{html}{links}{box}</main></body></html>".encode("utf-8", "replace")

    return page
