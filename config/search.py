"""Find a gemeente by what somebody typed, also when it is not quite right. Pure."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable

from config.schema import Municipality

_CLOSE = 0.6
"""Likeness (0..1, difflib) from which a name is offered."""

_LONGEST = 60


def plain(text: str) -> str:
    """Lower case, no accents, only letters and digits with single spaces, without the word 'gemeente'."""
    flat = unicodedata.normalize("NFKD", text[:_LONGEST].casefold())
    flat = "".join(letter for letter in flat if not unicodedata.combining(letter))
    words = re.sub(r"[\W_]+", " ", flat).split()
    return " ".join(word for word in words if word != "gemeente")


def names(municipality: Municipality) -> list[str]:
    """Every spelling under which a gemeente is found, in `plain` form."""
    return [plain(name) for name in (municipality.name, municipality.id, *municipality.aliases)]


def search(municipalities: Iterable[Municipality], query: str, *, limit: int = 8) -> list[Municipality]:
    """The gemeenten that fit best, best first: the same, then beginning so, then holding it, then looking like it."""
    wanted = plain(query)
    if not wanted:
        return []
    scored = [(max(_score(name, wanted) for name in names(m)), m) for m in municipalities]
    fit = [(score, m) for score, m in scored if score >= _CLOSE]
    return [m for _, m in sorted(fit, key=lambda pair: (-pair[0], pair[1].name))[:limit]]


def _score(name: str, wanted: str) -> float:
    if name == wanted:
        return 4
    if name.startswith(wanted):
        return 3
    if wanted in name and len(wanted) > 2:
        return 2
    return difflib.SequenceMatcher(None, name, wanted).ratio()
