"""A browser from which somebody signed in before: a stranger's guesses do not keep its owner out.

Five wrong passphrases hold an account for a quarter of an hour, for everybody who knows its login. A cookie that only this server
can make, for this person and their present key, says that the browser is known; the hold does not count there. The cookie opens
nothing: the passphrase is asked as ever. It is void as soon as the person has another key.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from handoff.console.context import Context, context_of

KEPT = timedelta(days=90)
"""From the last time somebody signed in here."""

_PURPOSE = "console-device"
_NONCE = 16


def remember(response: Response, context: Context, person_id: str, public_key: bytes) -> None:
    """Let the browser keep that this person signed in here."""
    nonce = secrets.token_bytes(_NONCE)
    text = base64.urlsafe_b64encode(nonce + _mark(context, person_id, public_key, nonce)).decode("ascii")
    settings = context.settings
    response.set_cookie(
        settings.device_cookie, text, max_age=int(KEPT.total_seconds()), path="/", secure=settings.secure, httponly=True,
        samesite="strict",
    )  # fmt: skip


def is_known(request: Request, person_id: str, public_key: bytes) -> bool:
    """Whether this very person signed in from this browser, with the key that they have now."""
    context = context_of(request)
    try:
        found = base64.urlsafe_b64decode(request.cookies.get(context.settings.device_cookie, "").encode("ascii"))
    except (binascii.Error, UnicodeEncodeError):
        return False
    return hmac.compare_digest(found[_NONCE:], _mark(context, person_id, public_key, found[:_NONCE]))


def _mark(context: Context, person_id: str, public_key: bytes, nonce: bytes) -> bytes:
    return context.runtime.vault.row_mac(_PURPOSE, person_id, public_key, nonce)
