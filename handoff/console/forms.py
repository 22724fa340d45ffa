"""What a browser sends: form fields or a small JSON object, as plain strings. Anything else counts as nothing sent."""

from __future__ import annotations

import json
import re
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

BOX_LIMIT = 20_000
"""UTF-16 units that a browser lets somebody put in a box: at most 3 bytes each, so that the form can be read and given back."""

_PUBLIC_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


async def fields(request: Request) -> dict[str, str]:
    """The string fields of the body. Raises `HTTPException` 400 for a body that is broken, without repeating it."""
    if request.headers.get("content-type", "").startswith("application/json"):
        return {name: value for name, value in _object(await request.body()).items() if isinstance(value, str)}
    form = await request.form(max_files=0, max_fields=20)
    return {name: value for name, value in form.items() if isinstance(value, str)}


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise HTTPException(400) from None
    if not isinstance(found, dict):
        raise HTTPException(400)
    return found


def public_id(text: str) -> str:
    """An id from an address or a list. Raises `HTTPException` 404 for what can be no id: the database is not asked."""
    if not _PUBLIC_ID.fullmatch(text):
        raise HTTPException(404)
    return text


def client_id(text: str) -> str | None:
    """The browser's own name for a message, or None when it cannot be one."""
    return text if _CLIENT_ID.fullmatch(text) else None


def typed(text: str) -> str:
    """What was typed in a box: one kind of line end, no space around it."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()
