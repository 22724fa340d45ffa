"""The page's own files, put together once: style and script go inside the page (one round trip), allowed by their hash alone.

Both are bundled and made small by `npm run build`, from `page/page.css` and the modules in `browser/`. The script is a module:
a browser that does not know modules, or a word of this one, skips all of it and keeps the page as it came.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

import jinja2

_HERE = Path(__file__).parent
_STYLE = _HERE / "built" / "page.css"
_SCRIPTS = {
    "page.html": _HERE / "built" / "chat_page.js",
    "start.html": _HERE / "built" / "start_page.js",
    "trouble.html": _HERE / "built" / "trouble_page.js",
}

BUILT_FILES = (_STYLE, *_SCRIPTS.values())
"""What `npm run build` makes, and no page can do without."""


def _hash(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def _template(name: str) -> str:
    return (_HERE / "page" / name).read_text("utf-8")


@dataclass(frozen=True, slots=True)
class Assets:
    """Templates with style and script inside, and the content security policy that belongs to each."""

    environment: jinja2.Environment
    policies: dict[str, str]

    def render(self, template: str, /, **values: object) -> str:
        """A whole page; every value is escaped."""
        return self.environment.get_template(template).render(**values)


def load() -> Assets:
    """Read templates and bundles. Raises `OSError` when one is missing: better at the start than before a child."""
    style = _STYLE.read_text("utf-8").strip()
    sources: dict[str, str] = {"parts.html": _template("parts.html")}
    policies: dict[str, str] = {}
    for name, bundle in _SCRIPTS.items():
        script = bundle.read_text("utf-8").strip()
        page = _template(name).replace("<style></style>", f"<style>{_raw(style)}</style>")
        sources[name] = page.replace('<script type="module"></script>', f'<script type="module">{_raw(script)}</script>')
        policies[name] = policy(_hash(script), _hash(style))
    environment = jinja2.Environment(
        loader=jinja2.DictLoader(sources), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip
    return Assets(environment, policies)


def _raw(text: str) -> str:
    return "{% raw %}" + text + "{% endraw %}"


def policy(script: str, style: str) -> str:
    """The strictest policy under which the page works: nothing from elsewhere, and no text can become code."""
    return (
        f"default-src 'none'; script-src {script}; style-src {style}; connect-src 'self'; form-action 'self'; img-src data:; "
        "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )
