"""The queue page: who waits, who is with whom, who is on duty. Nothing on it comes from a child's words."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from handoff import confidant, keys
from handoff.accounts.sessions import Unlocked
from handoff.confidant import Board, Part
from handoff.console import auth, forms, labels
from handoff.console.context import context_of
from handoff.crypto import Vault
from handoff.errors import Conflict
from handoff.queue import handoffs
from handoff.queue.handoffs import Handoff
from handoff.team import access

PART = 50
"""Children shown at once; with more, the page has a next part."""

SHOWN = "x-shown"
"""Sent by our own script: the tags of the rows that its page shows, or `NO_ROWS`. What it has is not sent again."""

NO_ROWS = "geen"
"""The value of `SHOWN` for a page without a queue: it wants the counts alone."""

_TAG = re.compile(r"[A-Za-z0-9_-]{8}")


@dataclass(frozen=True, slots=True)
class TeamView:
    """One team's board with names."""

    board: Board
    """The team, who waits, who is on duty."""
    names: dict[str, str]
    """The first names of colleagues, by their id."""
    mine: list[Handoff]
    """The chats of this person."""
    others: list[Handoff]
    """The chats of colleagues."""
    skip: int
    """How many children stand above the first one that is shown."""
    put_back: bool
    """Somebody put an older team key back: no new child can be taken in."""

    @property
    def last(self) -> int:
        """The rank of the last child that is shown."""
        return self.skip + len(self.board.waiting)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a browser wants to see."""

    team_id: str
    """The team whose next part is wanted; empty for none."""
    skip: int
    """Children of that team to leave out."""
    shown: frozenset[str]
    """Tags of the rows that the page has already."""
    counts_only: bool
    """The page shows no queue."""


def asked_of(request: Request) -> Asked:
    """What the address and our script's header say. What cannot be meant counts as not said."""
    team_id, start = request.query_params.get("team", ""), request.query_params.get("vanaf", "")
    plain = start.isascii() and start.isdigit() and len(start) < 7
    shown = request.headers.get(SHOWN, "")
    tags = frozenset(tag for tag in shown[:16_384].split(",") if _TAG.fullmatch(tag))
    return Asked(team_id, int(start) // PART * PART if plain else 0, tags, shown == NO_ROWS)


def team_views(tx: Connection, vault: Vault, who: Unlocked, now: datetime, asked: Asked) -> list[TeamView]:
    """The boards of this person's teams, with the first names that they need."""

    def part(team_id: str) -> Part:
        if asked.counts_only:
            return Part(0)
        if team_id != asked.team_id:
            return Part(PART)
        count = handoffs.count_waiting(tx, team_id).waiting
        return Part(PART, min(asked.skip, max(0, count - 1) // PART * PART))

    return [_view(tx, vault, who, board, part(board.team.id).skip) for board in confidant.boards(tx, who, now, part)]


def _view(tx: Connection, vault: Vault, who: Unlocked, board: Board, skip: int) -> TeamView:
    names = {c.id: c.first_name for c in access.colleagues_of(tx, who, board.team.id)}
    mine = [item for item in board.held if item.claimed_by == who.person_id]
    others = [item for item in board.held if item.claimed_by != who.person_id]
    return TeamView(board, names, mine, others, skip, keys.is_put_back(vault, board.team.id, board.team.epoch))


def _values(who: Unlocked, views: list[TeamView], now: datetime, asked: Asked, notice: str = "", error: str = "") -> dict[str, Any]:
    counts = [view.board.count for view in views]
    newest = [count.newest for count in counts if count.newest]
    newest_acute = [count.newest_acute for count in counts if count.newest_acute]
    return {
        "who": who, "views": views, "now": now, "notice": notice, "error": error, "shown": asked.shown, "part": PART,
        "waiting": sum(count.waiting for count in counts), "acute": sum(count.acute for count in counts),
        "newest": max(newest, default=None), "newest_acute": max(newest_acute, default=None),
    }  # fmt: skip


async def page(request: Request) -> Response:
    """The whole page; opening it is a sign of life, also without a script."""
    asked, vault = replace(asked_of(request), shown=frozenset(), counts_only=False), context_of(request).runtime.vault

    def action(tx: Connection, who: Unlocked, now: datetime) -> dict[str, Any]:
        confidant.alive(tx, who, now)
        notice = labels.NOTICES.get(request.query_params.get("melding", ""), "")
        return _values(who, team_views(tx, vault, who, now, asked), now, asked, notice)

    return context_of(request).templates.page("queue.html", await auth.act(request, action))


async def fragment(request: Request) -> Response:
    """What changed in the lists, for the page's script: rows that it shows already are named by their tag alone."""
    asked, vault = asked_of(request), context_of(request).runtime.vault
    values = await auth.read(request, lambda tx, who, now: _values(who, team_views(tx, vault, who, now, asked), now, asked))
    return context_of(request).templates.page("queue_counts.html" if asked.counts_only else "queue_part.html", values)


async def duty(request: Request) -> Response:
    """'Ik heb dienst' on or off."""
    sent = await forms.fields(request)
    runtime = context_of(request).runtime
    team_id, present = forms.public_id(sent.get("team", "")), sent.get("dienst") == "aan"
    await auth.act(request, lambda tx, who, now: confidant.set_duty(tx, runtime, who, team_id, now, present=present))
    return RedirectResponse("/", 303)


async def claim(request: Request) -> Response:
    """Take a waiting child; when a colleague was first, the queue again with that fact."""
    context, handoff_id = context_of(request), forms.public_id(request.path_params["handoff_id"])
    try:
        await auth.act(request, lambda tx, who, now: confidant.claim(tx, context.runtime, who, handoff_id, now))
    except Conflict:
        asked, vault = asked_of(request), context.runtime.vault

        def again(tx: Connection, who: Unlocked, now: datetime) -> dict[str, Any]:
            return _values(who, team_views(tx, vault, who, now, asked), now, asked, error=labels.CLAIMED_BY_OTHER)

        values = await auth.act(request, again)
        return context.templates.page("queue.html", values, status=409)
    return RedirectResponse(f"/gesprek/{handoff_id}", 303)
