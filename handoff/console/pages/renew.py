"""A new passphrase: made here, shown once, typed once by its owner. The server keeps neither words nor a copy in between.

The page carries the new words in a hidden field with a mark that only this server can make for this session: what comes back is
certainly what was generated, in whichever process, without storing it anywhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
from datetime import datetime

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from handoff import audit
from handoff.accounts import credentials, passphrases, sessions
from handoff.accounts.credentials import LockedKey
from handoff.accounts.sessions import Unlocked
from handoff.console import auth, device, forms
from handoff.console.context import Context, context_of
from handoff.console.pages import team
from handoff.console.pages.sign_in import person_topic
from handoff.display import storable
from handoff.errors import Conflict, HandoffError
from handoff.events import announce
from handoff.keys import first_sign_in

_PURPOSE = "console-new-passphrase"


def _self(_tx: Connection, who: Unlocked, _now: datetime) -> Unlocked:
    """Raises `NeedsSecondStep`: with a stolen passphrase alone nobody makes a new one, and so shuts its owner out."""
    if not who.must_renew:
        auth.refuse_unfinished(who)
    return who


async def form(request: Request) -> Response:
    """Show a new passphrase; each visit makes another one, and only the one that is typed counts."""
    who = await auth.act(request, _self, unfinished=True)
    return _page(context_of(request), who, passphrases.passphrase())


def _page(context: Context, who: Unlocked, phrase: str, error: str = "", status: int = 200) -> Response:
    values = {"who": who, "phrase": phrase, "mark": _mark(context, who, phrase), "error": error}
    return context.templates.page("new_passphrase.html", values, status=status)


def _mark(context: Context, who: Unlocked, phrase: str) -> str:
    return context.runtime.vault.row_mac(_PURPOSE, who.session_id, phrase).hex()


async def renew(request: Request) -> Response:
    """Store the lock made with the new passphrase, when it was typed as shown. All other sessions of this person end."""
    context = context_of(request)
    who = await auth.act(request, _self, unfinished=True)
    sent = await forms.fields(request)
    phrase, mark = storable(sent.get("nieuw", "")), storable(sent.get("merk", ""))
    if not hmac.compare_digest(mark.encode(), _mark(context, who, phrase).encode()):
        return RedirectResponse("/nieuwe-wachtzin", 303)
    if passphrases.plain(sent.get("wachtzin", "")) != passphrases.plain(phrase):
        return _page(context, who, phrase, "Dit is niet dezelfde zin. Typ de zes woorden precies over.", 422)
    try:
        key = await _store(request, who, phrase)
    except Conflict:
        return RedirectResponse("/?melding=zin-al-vernieuwd", 303)
    answer = RedirectResponse("/?melding=zin-vernieuwd", 303)
    device.remember(answer, context, who.person_id, key.public_key)
    return answer


async def _store(request: Request, shown_to: Unlocked, phrase: str) -> LockedKey:
    """The lock of the new passphrase. Who came in with a printed one gets a key pair of their own (`handoff.keys.first_sign_in`).

    Raises `Conflict` when that was done meanwhile: the form was sent twice.
    """
    context = context_of(request)
    vault = context.runtime.vault
    private_key = vault.new_private_key() if shown_to.must_renew else shown_to.private_key
    async with context.lanes.known.turn():
        key = await asyncio.to_thread(credentials.lock_key, vault, shown_to.person_id, private_key, phrase)

    def store(tx: Connection, who: Unlocked, now: datetime) -> list[str]:
        behind: list[str] = []
        if shown_to.must_renew and not who.must_renew:
            raise Conflict("renewed already")
        if shown_to.must_renew:
            behind = first_sign_in.take_own_key(
                tx, vault, who=who, cookie=auth.cookie_of(request), private_key=private_key, key=key, now=now
            )
        else:
            sessions.renew_passphrase(tx, _self(tx, who, now), key)
        announce(tx, person_topic(who.person_id), "signed_out")
        gemeente = who.municipality_id
        audit.note(tx, vault, now=now, municipality_id=gemeente, person_id=who.person_id, action="renew_passphrase")
        return behind

    for team_id in await auth.act(request, store, unfinished=True):
        with contextlib.suppress(HandoffError):  # the passphrase is stored; the team page offers to go on with the rest
            await team.catch_up(request, team_id)
    return key
