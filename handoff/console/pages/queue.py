"""The queue page: who waits, who is with whom, who is on duty. Nothing on it comes from a child's words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from handoff import confidant
from handoff.accounts.sessions import Unlocked
from handoff.confidant import Board
from handoff.console import door, forms, words
from handoff.console.parts import parts_of
from handoff.errors import Conflict
from handoff.queue.handoffs import Handoff
from handoff.team import access


@dataclass(frozen=True, slots=True)
class TeamView:
    """One team's board with names: `mine` are this person's chats, `others` the colleagues'."""

    board: Board
    names: dict[str, str]
    mine: list[Handoff]
    others: list[Handoff]


def team_views(tx: Connection, who: Unlocked, now: datetime) -> list[TeamView]:
    """The boards of this person's teams, with the first names that they need."""
    return [_view(tx, who, board) for board in confidant.boards(tx, who, now)]


def _view(tx: Connection, who: Unlocked, board: Board) -> TeamView:
    names = {c.id: c.first_name for c in access.colleagues_of(tx, who, board.team.id)}
    mine = [item for item in board.held if item.claimed_by == who.person_id]
    others = [item for item in board.held if item.claimed_by != who.person_id]
    return TeamView(board, names, mine, others)


def engaged(views: list[TeamView]) -> bool:
    """On duty, or with a child: such a person is not signed out for sitting still."""
    return any(view.board.my_shift or view.mine for view in views)


def _values(who: Unlocked, views: list[TeamView], now: datetime, notice: str = "", error: str = "") -> dict[str, Any]:
    return {"who": who, "views": views, "now": now, "notice": notice, "error": error}


async def page(request: Request) -> Response:
    """The whole page; opening it is a sign of life, also without a script."""

    def deed(tx: Connection, who: Unlocked, now: datetime) -> dict[str, Any]:
        confidant.alive(tx, who, now)
        notice = words.NOTICES.get(request.query_params.get("melding", ""), "")
        return _values(who, team_views(tx, who, now), now, notice)

    return parts_of(request).looks.page("queue.html", await door.act(request, deed))


async def fragment(request: Request) -> Response:
    """The lists alone, for the page's script."""
    values = await door.look(request, lambda tx, who, now: _values(who, team_views(tx, who, now), now))
    return parts_of(request).looks.page("queue_part.html", values)


async def duty(request: Request) -> Response:
    """'Ik heb dienst' on or off."""
    sent = await forms.fields(request)
    team_id, present = forms.public_id(sent.get("team", "")), sent.get("dienst") == "aan"
    await door.act(request, lambda tx, who, now: confidant.set_duty(tx, who, team_id, now, present=present))
    return RedirectResponse("/", 303)


async def claim(request: Request) -> Response:
    """Take a waiting child; when a colleague was first, the queue again with that fact."""
    parts, handoff_id = parts_of(request), forms.public_id(request.path_params["handoff_id"])
    try:
        await door.act(request, lambda tx, who, now: confidant.claim(tx, parts.runtime, who, handoff_id, now))
    except Conflict:
        values = await door.act(
            request, lambda tx, who, now: _values(who, team_views(tx, who, now), now, error=words.CLAIMED_BY_OTHER)
        )
        return parts.looks.page("queue.html", values, status=409)
    return RedirectResponse(f"/gesprek/{handoff_id}", 303)
