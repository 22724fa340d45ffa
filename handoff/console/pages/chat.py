"""One claimed chat: read it, write in it, hand it on. Everything is refused as 'not there' to who does not hold it."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from config.limits import TEXT_LIMIT
from handoff import audit, confidant, display
from handoff.accounts.sessions import Unlocked
from handoff.clock import is_recent
from handoff.confidant import OpenChat
from handoff.console import auth, forms, labels
from handoff.console.context import Context, context_of
from handoff.errors import Conflict, Denied, NotFound
from handoff.queue.handoffs import Handoff, Outcome
from handoff.team import access

THERE = timedelta(seconds=60)
"""A child's page that gave a sign of life this recently is taken to be open."""

LINES = 200
"""Lines of a chat that are opened at first. All of a chat of a thousand takes a third of a second, and a long page."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A chat of this person's team that is not theirs now, and with whom it is."""

    handoff: Handoff
    holder: str


class ErasedByChild(NotFound):
    """The child erased the chat after a human had read it."""


class ChatEnded(NotFound):
    """The chat was deleted although it was open: its time was over."""


class Unreadable(Exception):
    """The person holds the chat, but its keys do not fit."""


def _id_of(request: Request) -> str:
    return forms.public_id(request.path_params["handoff_id"])


def _read(
    tx: Connection, context: Context, who: Unlocked, handoff_id: str, now: datetime, after: int, newest: int | None = None
) -> dict[str, Any] | Lost:
    """The values of the page, or who has the chat instead. Raises `NotFound`, `Unreadable`.

    Raises `NotNoted` before it is in the audit.
    """
    try:
        chat = confidant.read(tx, context.runtime, who, handoff_id, now, after=after, newest=newest)
    except NotFound:
        return _lost(tx, who, handoff_id)
    except Denied:
        raise Unreadable from None
    return {
        "who": who, "chat": chat, "now": now, "presence": _presence(chat, now), "delivery": labels.DELIVERY, "signs": labels.SIGNS,
        "colleagues": access.colleagues_of(tx, who, chat.handoff.team_id), "outcomes": labels.OUTCOMES,
        "more": (newest or 0) + LINES,
        "last_seq": max((line.seq for line in chat.lines), default=after),
    }  # fmt: skip


def _lost(tx: Connection, who: Unlocked, handoff_id: str) -> Lost:
    try:
        item = access.handoff_of(tx, who, handoff_id)
    except NotFound:
        if audit.was_erased_by_child(tx, who.municipality_id, handoff_id):
            raise ErasedByChild("the child erased this chat") from None
        if audit.was_ended_by_time(tx, who.municipality_id, handoff_id):
            raise ChatEnded("the time of this chat was over") from None
        raise
    names = {c.id: c.first_name for c in access.colleagues_of(tx, who, item.team_id)}
    return Lost(item, names.get(item.claimed_by or "", ""))


def _presence(chat: OpenChat, now: datetime) -> str:
    if not chat.channel.capabilities.sign_of_life:
        return "gone" if chat.gone else "unknown"
    return "open" if is_recent(chat.child_seen_at, within=THERE, now=now) else "away"


async def page(request: Request) -> Response:
    """The whole chat; opening it is audited."""
    context, handoff_id = context_of(request), _id_of(request)
    try:
        found = await _open(request, context, handoff_id)
    except Unreadable:
        return await _unreadable(request, context, handoff_id)
    if isinstance(found, Lost):
        return _lost_page(context, found)
    return _chat_page(context, found)


def _lines_of(request: Request) -> int:
    """How many lines are wanted, from the newest: more after each press of the link above them."""
    text = request.query_params.get("regels", "")
    return max(LINES, int(text)) if text.isascii() and text.isdigit() and len(text) < 7 else LINES


async def _open(request: Request, context: Context, handoff_id: str) -> dict[str, Any] | Lost:
    """The whole chat: first the line in the audit, committed; then a reader opens the words."""

    def look(tx: Connection, who: Unlocked, now: datetime) -> None:
        confidant.alive(tx, who, now)
        with contextlib.suppress(NotFound):
            confidant.look(tx, context.runtime, who, handoff_id, now)

    await auth.act(request, look)
    newest = _lines_of(request)
    return await auth.read(request, lambda tx, who, now: _read(tx, context, who, handoff_id, now, 0, newest))


def _chat_page(context: Context, values: dict[str, Any], *, error: str = "", draft: str = "", status: int = 200) -> Response:
    helplines = [line for line in context.runtime.configuration.helplines.values() if line.id in ("noodnummer", "veilig-thuis")]
    rest = {
        "error": error, "draft": draft, "message_id": secrets.token_urlsafe(16), "helplines": helplines,
        "text_limit": TEXT_LIMIT, "box_limit": forms.BOX_LIMIT,
    }  # fmt: skip
    return context.templates.page("chat.html", {**values, **rest}, status=status)


def _lost_page(context: Context, lost: Lost, draft: str = "") -> Response:
    values = {"who": None, "lost": lost, "draft": draft}
    return context.templates.page("lost.html", values, status=409)


async def _unreadable(request: Request, context: Context, handoff_id: str) -> Response:
    def note(tx: Connection, who: Unlocked, now: datetime) -> None:
        gemeente, person_id = who.municipality_id, who.person_id
        audit.note(
            tx, context.runtime.vault, now=now, municipality_id=gemeente, person_id=person_id, action="open",
            object_id=handoff_id, result="denied",
        )  # fmt: skip

    await auth.act(request, note)
    return context.templates.page("unreadable.html", {"who": None, "handoff_id": handoff_id}, status=409)


async def fragment(request: Request) -> Response:
    """What is new after sequence number `na`, and the state of what was sent; for the page's script."""
    context, handoff_id = context_of(request), _id_of(request)
    number = request.query_params.get("na", "")
    if not (number.isascii() and number.isdigit() and 0 < len(number) < 9 and int(number) > 0):
        raise HTTPException(404)

    def read(tx: Connection, who: Unlocked, now: datetime) -> dict[str, Any] | Lost:
        return _read(tx, context, who, handoff_id, now, int(number))

    try:
        try:
            found = await auth.read(request, read)
        except confidant.NotNoted:
            await auth.note(request, lambda tx, who, now: confidant.look(tx, context.runtime, who, handoff_id, now))
            found = await auth.read(request, read)
    except Unreadable:
        raise HTTPException(404) from None
    if isinstance(found, Lost):
        return _lost_page(context, found)
    return context.templates.page("chat_part.html", found)


async def write(request: Request) -> Response:
    """Send words to the child. The page's script asks for JSON; without it the page comes back whole."""
    context, handoff_id = context_of(request), _id_of(request)
    sent = await forms.fields(request)
    text, message_id = display.storable(forms.typed(sent.get("tekst", ""))), forms.client_id(sent.get("bericht", ""))
    fault = _fault(text, message_id)
    if fault or message_id is None:
        return await _not_sent(request, context, handoff_id, text, fault)

    def action(tx: Connection, who: Unlocked, now: datetime) -> Lost | None:
        try:
            confidant.write(tx, context.runtime, who, handoff_id, external_id=message_id, text=text, now=now)
        except (NotFound, Conflict):
            return _lost(tx, who, handoff_id)
        return None

    lost = await auth.act(request, action)
    if lost is not None:
        return _lost_page(context, lost, text)
    if auth.LIVE in request.headers:
        return JSONResponse({"stored": True})
    return RedirectResponse(f"/gesprek/{handoff_id}#schrijven", 303)


def _fault(text: str, message_id: str | None) -> str:
    if not text:
        return "Uw bericht is leeg."
    if len(text) > TEXT_LIMIT:
        return f"Uw bericht is te lang: {len(text)} tekens, er passen er {TEXT_LIMIT}. Knip het in tweeën."
    return "" if message_id else "Uw bericht is niet verstuurd. Probeer het nog eens."


async def _not_sent(request: Request, context: Context, handoff_id: str, text: str, fault: str) -> Response:
    if auth.LIVE in request.headers:
        return JSONResponse({"stored": False, "fault": fault}, 422)
    found = await _open(request, context, handoff_id)
    if isinstance(found, Lost):
        return _lost_page(context, found, text)
    return _chat_page(context, found, error=fault, draft=text, status=422)


Change = Callable[[Connection, Unlocked, datetime], None]


async def _hand_on(request: Request, change: Change, notice: str) -> Response:
    """Do it and go back to the queue; when the chat is not theirs any more, say so."""
    handoff_id = _id_of(request)

    def action(tx: Connection, who: Unlocked, now: datetime) -> Lost | None:
        if access.handoff_of(tx, who, handoff_id).claimed_by == who.person_id:
            with contextlib.suppress(Conflict):
                change(tx, who, now)
                return None
        return _lost(tx, who, handoff_id)

    lost = await auth.act(request, action)
    if lost is not None:
        return _lost_page(context_of(request), lost)
    return RedirectResponse(f"/?melding={notice}", 303)


async def release(request: Request) -> Response:
    """Give the child back to the queue."""
    context, handoff_id = context_of(request), _id_of(request)
    return await _hand_on(
        request, lambda tx, who, now: confidant.release(tx, context.runtime, who, handoff_id, now), "teruggegeven"
    )


async def transfer(request: Request) -> Response:
    """Offer the child to a colleague."""
    context, handoff_id = context_of(request), _id_of(request)
    to = forms.public_id((await forms.fields(request)).get("collega", ""))
    return await _hand_on(
        request, lambda tx, who, now: confidant.transfer(tx, context.runtime, who, handoff_id, to, now), "overgedragen"
    )


async def close(request: Request) -> Response:
    """End the conversation with an outcome from the list. Raises `HTTPException` 400 for anything else."""
    context, handoff_id = context_of(request), _id_of(request)
    chosen = (await forms.fields(request)).get("uitkomst", "")
    if chosen not in set(Outcome):
        raise HTTPException(400)
    return await _hand_on(
        request,
        lambda tx, who, now: confidant.close(tx, context.runtime, who, handoff_id, Outcome(chosen), now),
        "afgesloten",
    )
