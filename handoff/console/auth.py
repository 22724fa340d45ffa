"""From a request to a signed-in person: the cookie is checked in the same transaction as what the person does."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from handoff.accounts import sessions
from handoff.accounts.sessions import Unlocked
from handoff.console.context import ConsoleSettings, context_of
from handoff.database import awaited
from handoff.errors import Denied

T = TypeVar("T")
Action = Callable[[Connection, Unlocked, datetime], T]

LIVE = "x-console"
"""Sent by our own script. It wants a status code, not the sign-in page, when the session has ended."""


class SignedOut(Exception):
    """No session, or it has ended."""


class MustRenew(Exception):
    """Signed in with a passphrase for one use: first a new one."""

    path = "/nieuwe-wachtzin"
    """Where to go first."""


class NeedsSecondStep(MustRenew):
    """The second step is still to be taken, or to be set up."""

    path = "/tweede-stap"


def refuse_unfinished(who: Unlocked) -> None:
    """Let through who is signed in wholly. Raises `MustRenew`, `NeedsSecondStep`."""
    if who.must_renew:
        raise MustRenew
    if who.owes_step:
        raise NeedsSecondStep


def cookie_of(request: Request) -> bytes:
    """The session cookie's bytes. Raises `SignedOut` when there is none or it is no cookie of ours."""
    text = request.cookies.get(context_of(request).settings.cookie, "")
    try:
        return base64.b64decode(text.encode("ascii") + b"=", altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise SignedOut from None


def set_cookie(response: Response, settings: ConsoleSettings, cookie: bytes) -> None:
    """For as long as the browser runs; the server ends it sooner (`sessions.IDLE`, `sessions.LONGEST`)."""
    text = base64.urlsafe_b64encode(cookie).rstrip(b"=").decode("ascii")
    response.set_cookie(settings.cookie, text, path="/", secure=settings.secure, httponly=True, samesite="strict")


def drop_cookie(response: Response, settings: ConsoleSettings) -> None:
    """Let the browser forget it."""
    response.delete_cookie(settings.cookie, path="/", secure=settings.secure, httponly=True, samesite="strict")


async def act(request: Request, action: Action[T], *, unfinished: bool = False) -> T:
    """Do something as the signed-in person, in one writing transaction; counts as a sign of life of the session.

    Raises `SignedOut`, `MustRenew` and `NeedsSecondStep` (unless `unfinished`), and what the action raises.
    """
    return await _with_session(request, action, write=True, touch=True, unfinished=unfinished)


async def read(request: Request, action: Action[T]) -> T:
    """Read as the signed-in person, for a page that refreshes itself: writes nothing and keeps nobody signed in."""
    return await _with_session(request, action, write=False, touch=False, unfinished=False)


async def note(request: Request, action: Action[T]) -> T:
    """Write something down for a page that refreshes itself: keeps nobody signed in."""
    return await _with_session(request, action, write=True, touch=False, unfinished=False)


async def _with_session(request: Request, action: Action[T], *, write: bool, touch: bool, unfinished: bool) -> T:
    runtime, cookie = context_of(request).runtime, cookie_of(request)
    now = runtime.clock()

    def work(tx: Connection) -> T:
        try:
            who = sessions.resume(tx, runtime.vault, cookie, now=now, touch=touch)
        except Denied:
            raise SignedOut from None
        if not unfinished:
            refuse_unfinished(who)
        return action(tx, who, now)

    return await awaited((runtime.store.write if write else runtime.store.read)(work))
