"""Templates and static files. Autoescape is always on and no template may switch it off (tests look for `|safe`)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from config.schema import AMSTERDAM
from handoff import display
from handoff.console import labels

HERE = Path(__file__).parent
STATIC = HERE / "static"
VENDOR_FILES = ("utrecht.css", "voorbeeld-theme.css")
BUILT_FILES = (STATIC / "built" / "console.js", STATIC / "built" / "sign_in.js")
"""What `npm run build` makes of the modules in `browser/`."""

_MONTHS = ("jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov", "dec")


class Templates:
    """Renders pages. Without the design system's files (`python -m handoff.console.vendor`) it falls back to `plain.css`."""

    def __init__(self, static: Path = STATIC) -> None:
        self._pages = Environment(
            loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
            lstrip_blocks=True,
        )  # fmt: skip
        self._pages.filters |= {
            "clock": clock, "waited": waited, "iso": iso, "moment": moment, "code": code, "tag": tag, "pieces": display.pieces,
            "urgency": labels.urgency, "intent": labels.intent, "step": labels.step, "language": labels.language,
        }  # fmt: skip
        vendored = all((static / "vendor" / name).is_file() for name in VENDOR_FILES)
        self.styles = [f"vendor/{name}" for name in VENDOR_FILES] if vendored else ["plain.css"]

    def page(
        self, template: str, values: Mapping[str, Any], *, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> HTMLResponse:
        """A whole page or a fragment of one."""
        body = self._pages.get_template(template).render(styles=self.styles, **values)
        return HTMLResponse(body, status, headers)

    def problem(self, status: int, title: str, text: str, *, retry: bool = False) -> HTMLResponse:
        """A page for when something cannot be done; it never repeats what was asked."""
        headers = {"Retry-After": "5"} if status == 503 else None
        values = {"title": title, "text": text, "retry": retry, "who": None}
        return self.page("problem.html", values, status=status, headers=headers)


def clock(at: datetime, now: datetime) -> str:
    """Wall-clock time in Amsterdam: `14:05`, on another day `21 nov 14:05`."""
    local, today = at.astimezone(AMSTERDAM), now.astimezone(AMSTERDAM).date()
    day = "" if local.date() == today else f"{local.day} {_MONTHS[local.month - 1]} "
    return f"{day}{local:%H:%M}"


def waited(since: datetime, now: datetime) -> str:
    """`8 s`, `4 min 12 s`, `1 u 04 min`: the page's script counts on in the same form (`browser/time.js`)."""
    seconds = max(0, int((now - since).total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60:02} s"
    return f"{seconds // 3600} u {seconds % 3600 // 60:02} min"


def iso(at: datetime) -> str:
    """For a `datetime` attribute."""
    return at.isoformat(timespec="milliseconds")


def code(handoff_id: str) -> str:
    """Four characters by which colleagues can name a chat to each other. They open nothing."""
    return "".join(c for c in handoff_id if c.isalnum())[:4].upper()


def moment(at: datetime | None) -> str:
    """A moment as text that sorts as the moments do; empty for none."""
    return at.isoformat(timespec="microseconds") if at else ""


def tag(facts: Iterable[object]) -> str:
    """Eight characters that change when anything changes in what a row shows. They open nothing."""
    text = "\0".join(fact.isoformat() if isinstance(fact, datetime) else str(fact) for fact in facts)
    return base64.urlsafe_b64encode(hashlib.blake2b(text.encode(), digest_size=6).digest()).decode()
