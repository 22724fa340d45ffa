"""Signing in and out. One answer for every reason of refusal; the slow work outside any transaction, two people at a time."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from handoff import audit, confidant
from handoff.accounts import credentials, second_step, sessions
from handoff.accounts.credentials import LoginRow
from handoff.accounts.sessions import Unlocked
from handoff.console import auth, device, forms
from handoff.console.context import Context, context_of
from handoff.console.lanes import Lane
from handoff.crypto import Vault
from handoff.database import awaited
from handoff.errors import Denied
from handoff.events import announce
from handoff.models import session

NOBODY = "-"
"""Stands for the gemeente in the audit line of an unknown login: a refused login says nothing about who exists."""


def person_topic(person_id: str) -> str:
    """What a person's open pages listen to: the end of a session."""
    return f"person:{person_id}"


async def form(request: Request) -> Response:
    """The sign-in page."""
    asked = request.query_params
    notice = "U bent uitgelogd." if "uit" in asked else "U bent niet meer ingelogd. Log opnieuw in." if "weg" in asked else ""
    return _page(context_of(request), notice=notice)


def _page(context: Context, error: str = "", status: int = 200, notice: str = "") -> Response:
    return context.templates.page("sign_in.html", {"error": error, "notice": notice, "who": None}, status=status)


async def sign_in(request: Request) -> Response:
    """Check login and passphrase; a session cookie and the queue, or the same page with one and the same sentence."""
    context = context_of(request)
    sent = await forms.fields(request)
    login, passphrase = sent.get("naam", ""), sent.get("wachtzin", "")
    if not login.strip() or not passphrase.strip():
        return _page(context, "Vul uw inlognaam en uw wachtzin in.", 422)
    try:
        cookie, row = await _admit(request, login, passphrase)
    except Denied:
        return _page(context, "Dit klopt niet, of inloggen is even geblokkeerd. Controleer uw inlognaam en wachtzin.", 403)
    answer = RedirectResponse("/" if credentials.is_own(context.runtime.vault, row.person_id, row) else "/nieuwe-wachtzin", 303)
    auth.set_cookie(answer, context.settings, cookie)
    device.remember(answer, context, row.person_id, row.public_key)
    return answer


async def _admit(request: Request, login: str, passphrase: str) -> tuple[bytes, LoginRow]:
    """The new session's cookie. Raises `Denied`, `Crowded`.

    A try that cannot be right is refused at once, whether somebody has that login or not. The others cost one Argon2, and the
    same for every reason of refusal (unknown, wrong, held after failures, disabled meanwhile): one commit with the same two writes.
    """
    context = context_of(request)
    vault = context.runtime.vault
    row = await awaited(context.runtime.store.read(lambda tx: credentials.look_up(tx, login)))
    known, now = device.is_known(request, row.person_id, row.public_key), context.runtime.clock()
    mark = context.guesses.mark_of(vault.row_mac, credentials.login_name(login), row.salt, passphrase)
    if context.guesses.has_failed(mark) or not credentials.may_fit(vault, row, login, passphrase):
        await _turn_away(context, row, now)
        raise Denied
    private_key = await _unlock(context.lanes.known if known else context.lanes.strangers, vault, row, passphrase)

    def admit(tx: Connection) -> bytes | None:
        if private_key is not None:
            with contextlib.suppress(Denied):
                owes = second_step.has(tx, row.person_id) or second_step_required(context, row.municipality_id)
                cookie = sessions.open_session(tx, vault, row, private_key, now=now, known_device=known, owes_step=owes)
                _note(tx, vault, row, now, "login", "ok")
                return cookie
        credentials.note_failure(tx, row, now)  # a right passphrase on a held account counts for nothing: guesses do not prolong it
        _note(tx, vault, row, now, "login", "denied")
        return None

    if private_key is None:
        context.guesses.failed(mark)
    session_cookie = await awaited(context.runtime.store.write(admit))
    if session_cookie is None:
        raise Denied
    return session_cookie, row


def second_step_required(context: Context, municipality_id: str) -> bool:
    """Whether this gemeente lets nobody in with a passphrase alone. One that is not known any more does not either."""
    found = context.runtime.configuration.municipalities.get(municipality_id)
    return found is None or found.second_step == "required"


async def _turn_away(context: Context, row: LoginRow, now: datetime) -> None:
    """Write down that somebody tries, not how often: a flood must not fill the audit."""
    if context.guesses.is_due(row.person_id, now):
        vault = context.runtime.vault
        await awaited(context.runtime.store.write(lambda tx: _note(tx, vault, row, now, "login", "denied")))


async def _unlock(lane: Lane, vault: Vault, row: LoginRow, passphrase: str) -> bytes | None:
    """The member's private key, or None when the passphrase does not fit. Raises `Crowded`."""
    try:
        async with lane.turn():
            return await asyncio.to_thread(credentials.unlock, vault, row, passphrase)
    except Denied:
        return None


def _note(tx: Connection, vault: Vault, row: LoginRow, now: datetime, action: str, result: str) -> None:
    gemeente, person_id = row.municipality_id or NOBODY, row.person_id or None
    audit.note(tx, vault, now=now, municipality_id=gemeente, person_id=person_id, action=action, result=result)


def _signed_in_elsewhere(tx: Connection, who: Unlocked) -> bool:
    return tx.execute(sa.select(session.c.id).where(session.c.person_id == who.person_id)).first() is not None


async def sign_out(request: Request) -> Response:
    """End this session everywhere, end the shift, and let the browser drop what it still shows of earlier pages."""
    context = context_of(request)

    def leave(tx: Connection, who: Unlocked, now: datetime) -> None:
        sessions.end_session(tx, who.session_id)
        if not _signed_in_elsewhere(tx, who):
            confidant.leave(tx, context.runtime, who, now)
        announce(tx, person_topic(who.person_id), "signed_out")
        gemeente, vault = who.municipality_id, context.runtime.vault
        audit.note(tx, vault, now=now, municipality_id=gemeente, person_id=who.person_id, action="logout")

    with contextlib.suppress(auth.SignedOut):  # it had ended by itself; the browser is cleaned all the same
        await auth.act(request, leave, unfinished=True)
    answer = RedirectResponse("/inloggen?uit=1", 303)
    auth.drop_cookie(answer, context.settings)
    # "cookies" and "storage" would also wipe what other sites under the gemeente's domain keep, and the two sound switches
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer
