"""The page's own files, made ready once: style and script go inside the page (one round trip), allowed by their hash alone."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import jinja2

FOLDER = Path(__file__).parent / "page"

_SCRIPTS = {
    "page.html": ("exit.js", "show.js", "chat.js", "stream.js"),
    "start.html": ("exit.js", "start.js"),
    "trouble.html": ("exit.js",),
}


def slim_script(source: str) -> str:
    """Without whole-line comments, indentation and empty lines. Line ends stay, so that nothing changes its meaning."""
    lines = (line.strip() for line in source.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def slim_style(source: str) -> str:
    """Without comments and without space that means nothing."""
    bare = re.sub(r"/\*.*?\*/", "", source, flags=re.DOTALL)
    bare = re.sub(r"\s+", " ", bare)
    return re.sub(r" ?([{};,]) ?", r"\1", bare).replace(": ", ":").replace(";}", "}").strip()


def _hash(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def _read(name: str) -> str:
    return (FOLDER / name).read_text("utf-8")


@dataclass(frozen=True, slots=True)
class Assets:
    """Templates with style and script inside, and the content security policy that belongs to each."""

    environment: jinja2.Environment
    policies: dict[str, str]

    def render(self, template: str, /, **values: object) -> str:
        """A whole page; every value is escaped."""
        return self.environment.get_template(template).render(**values)


def load() -> Assets:
    """Read the files of `page/`. Raises `OSError` when one is missing: better at the start than before a child."""
    style = slim_style(_read("page.css"))
    sources: dict[str, str] = {"parts.html": _read("parts.html")}
    policies: dict[str, str] = {}
    for name, files in _SCRIPTS.items():
        body = "\n".join(_read(file) for file in files)
        script = slim_script(f'(function () {{\n"use strict";\n{body}\n}})();')
        sources[name] = _read(name).replace("<style></style>", f"<style>{_raw(style)}</style>")
        sources[name] = sources[name].replace("<script></script>", f"<script>{_raw(script)}</script>")
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
