"""From a published utterance to the words a child reads. Only `{names}` of a closed list are filled in; nothing is interpreted."""

from __future__ import annotations

import re
from collections.abc import Mapping

from config.schema import PLACEHOLDER, Helpline


def render(
    text: str,
    helplines: Mapping[str, Helpline],
    *,
    municipality: str,
    confidant: str | None = None,
    page: str = "",
    days: int | None = None,
) -> str:
    """Fill in numbers and names. A name that is not known stays out of sight rather than breaking the sentence."""
    values = {line.id.replace("-", "_"): line.number for line in helplines.values()}
    values["municipality"] = municipality
    values["confidant"] = confidant or "een mens"
    values["page"] = page
    values["days"] = "" if days is None else str(days)

    def value(match: re.Match[str]) -> str:
        return values.get(match.group(1), "")

    return PLACEHOLDER.sub(value, text)
