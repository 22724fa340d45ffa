"""The page for when even making a page fails: made once, at the start, from nothing but the helplines."""

from __future__ import annotations

from html import escape

from bot.channels.web.labels import LABELS
from handoff.runtime import Runtime


def last_resort(runtime: Runtime) -> bytes:
    """A whole page in plain HTML with the numbers that are always there."""
    links = "".join(
        f'<p><a href="tel:{escape(line.tel)}">{escape(line.number)} {escape(line.name)}</a></p>'
        for line in runtime.configuration.helplines.values()
        if line.first_list
    )
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
    title = escape(LABELS["choose_name"])
    html = f'<!doctype html><html lang="nl"><head>{head}<title>{title}</title></head><body><main><h1>{escape(LABELS["call"])}</h1>'
    return f"{html}{links}</main></body></html>".encode()
