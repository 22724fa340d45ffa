"""A new passphrase: made here, shown once, typed once by its owner. The server keeps neither words nor a copy in between.

The page carries the new words in a hidden field with a mark that only this server can make for this session: what comes back is
certainly what was generated, in whichever process, without storing it anywhere.
"""

from __future__ import annotations

import asyncio
import hmac
from datetime import datetime

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from handoff import audit, members, phrases
from handoff.console import door, forms
from handoff.console.parts import Parts, parts_of
from handoff.console.show import storable
from handoff.console.sign_in import person_topic
from handoff.events import announce
from handoff.members import Unlocked

_PURPOSE = "console-new-passphrase"


def _self(_tx: Connection, who: Unlocked, _now: datetime) -> Unlocked:
    return who


async def form(request: Request) -> Response:
    """Show a new passphrase; each visit makes another one, and only the one that is typed counts."""
    who = await door.act(request, _self, renewing=True)
    return _page(parts_of(request), who, phrases.passphrase())


def _page(parts: Parts, who: Unlocked, phrase: str, error: str = "", status: int = 200) -> Response:
    values = {"who": who, "phrase": phrase, "mark": _mark(parts, who, phrase), "error": error}
    return parts.looks.page("new_passphrase.html", values, status=status)


def _mark(parts: Parts, who: Unlocked, phrase: str) -> str:
    return parts.runtime.vault.row_mac(_PURPOSE, who.session_id, phrase).hex()


async def renew(request: Request) -> Response:
    """Store the lock made with the new passphrase, when it was typed as shown. All other sessions of this person end."""
    parts = parts_of(request)
    who = await door.act(request, _self, renewing=True)
    sent = await forms.fields(request)
    phrase, mark = storable(sent.get("nieuw", "")), storable(sent.get("merk", ""))
    if not hmac.compare_digest(mark.encode(), _mark(parts, who, phrase).encode()):
        return RedirectResponse("/nieuwe-wachtzin", 303)
    if phrases.plain(sent.get("wachtzin", "")) != phrases.plain(phrase):
        return _page(parts, who, phrase, "Dit is niet dezelfde zin. Typ de zes woorden precies over.", 422)
    async with parts.argon:
        key = await asyncio.to_thread(members.lock_key, parts.runtime.vault, who.person_id, who.private_key, phrase)

    def store(tx: Connection, who: Unlocked, now: datetime) -> None:
        members.renew_passphrase(tx, who, key)
        announce(tx, person_topic(who.person_id), "signed_out")
        audit.note(tx, now=now, municipality_id=who.municipality_id, person_id=who.person_id, action="renew_passphrase")

    await door.act(request, store, renewing=True)
    return RedirectResponse("/?melding=zin-vernieuwd", 303)
