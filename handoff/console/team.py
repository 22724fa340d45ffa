"""The team page: one's own key code, and letting a colleague in. The admin makes accounts; only a colleague can give the key.

Both people say the six words aloud, face to face or by telephone, and the one who lets in types what the other reads out: whoever
slipped in a key of their own has other words.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from handoff import access, audit, keys
from handoff.console import door, forms
from handoff.console.parts import parts_of
from handoff.errors import Denied
from handoff.events import announce, team_topic
from handoff.members import Unlocked
from handoff.models import membership, person

WRONG_CODE = "De zes woorden kloppen niet. Lees ze samen nog eens voor. Kloppen ze weer niet? Bel dan uw beheerder."


@dataclass(frozen=True, slots=True)
class _Invited:
    """Somebody who was added and waits for a colleague."""

    id: str
    first_name: str
    login: str
    team: str


def _invited(tx: Connection, who: Unlocked) -> list[_Invited]:
    teams = {team.id: team.name for team in access.teams_of(tx, who)}
    query = (
        sa.select(person.c.id, person.c.first_name, person.c.login, membership.c.team_id)
        .join(membership, membership.c.person_id == person.c.id)
        .where(membership.c.team_id.in_(teams), membership.c.granted_at.is_(None), person.c.disabled_at.is_(None))
        .order_by(person.c.first_name, person.c.id)
    )
    return [_Invited(row.id, row.first_name, row.login, teams[row.team_id]) for row in tx.execute(query)]


def _values(tx: Connection, who: Unlocked, error: str = "", notice: str = "") -> dict[str, Any]:
    code = keys.key_code(tx, who.person_id)
    return {
        "who": who,
        "code": code.split(" "),
        "teams": [(team, access.colleagues_of(tx, who, team.id)) for team in access.teams_of(tx, who)],
        "invited": _invited(tx, who),
        "error": error,
        "notice": notice,
    }


async def page(request: Request) -> Response:
    """Who is in the team, who waits to be let in, and the words of one's own key."""
    notice = "Uw collega kan nu meelezen." if request.query_params.get("melding") == "toegelaten" else ""
    values = await door.act(request, lambda tx, who, _now: _values(tx, who, notice=notice))
    return parts_of(request).looks.page("team.html", values)


async def let_in(request: Request) -> Response:
    """Give the team's key to an invited colleague whose six words were typed as they read them out."""
    parts = parts_of(request)
    sent = await forms.fields(request)
    person_id, code = forms.public_id(sent.get("persoon", "")), sent.get("code", "")

    def deed(tx: Connection, who: Unlocked, now: datetime) -> None:
        invited = {item.id for item in _invited(tx, who)}
        if person_id not in invited:
            raise HTTPException(404)
        keys.grant(tx, parts.runtime.vault, by=who, person_id=person_id, code=code, now=now)
        _note(tx, who, person_id, "ok", now)
        for team in access.teams_of(tx, who):
            announce(tx, team_topic(team.id), "members")

    try:
        await door.act(request, deed)
    except Denied:
        values = await door.act(request, lambda tx, who, now: _refused(tx, who, person_id, now))
        return parts.looks.page("team.html", values, status=422)
    return RedirectResponse("/team?melding=toegelaten", 303)


def _refused(tx: Connection, who: Unlocked, person_id: str, now: datetime) -> dict[str, Any]:
    _note(tx, who, person_id, "denied", now)
    return _values(tx, who, error=WRONG_CODE)


def _note(tx: Connection, who: Unlocked, person_id: str, result: str, now: datetime) -> None:
    audit.note(
        tx,
        now=now,
        municipality_id=who.municipality_id,
        person_id=who.person_id,
        action="grant",
        object_id=person_id,
        result=result,
    )
