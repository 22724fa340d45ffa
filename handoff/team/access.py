"""The one door from a signed-in person to rows: their own teams of their own gemeente, nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from handoff.accounts.sessions import Unlocked
from handoff.errors import NotFound
from handoff.models import membership, person, team
from handoff.queue.handoffs import Handoff, get


@dataclass(frozen=True, slots=True)
class Colleague:
    """Another member of the team."""

    id: str
    """The person's id."""
    first_name: str
    """What colleagues and children call them."""


@dataclass(frozen=True, slots=True)
class MyTeam:
    """A team that this person may read for."""

    id: str
    """As in the gemeente's file."""
    name: str
    """As confidants read it."""
    municipality_id: str
    """Whose team it is."""
    epoch: int
    """The number of the key that is in force."""


def teams_of(tx: Connection, who: Unlocked) -> list[MyTeam]:
    """Return the teams whose key a colleague granted to this confidant. Empty for others: a clerk or an admin reads nothing."""
    query = (
        sa.select(team.c.id, team.c.name, team.c.municipality_id, team.c.epoch)
        .join(membership, membership.c.team_id == team.c.id)
        .join(person, person.c.id == membership.c.person_id)
        .where(
            membership.c.person_id == who.person_id, membership.c.granted_at.is_not(None), person.c.disabled_at.is_(None),
            person.c.role == "confidant", team.c.municipality_id == person.c.municipality_id,
        )
    )  # fmt: skip
    return [MyTeam(**row._asdict()) for row in tx.execute(query.order_by(team.c.name))]


def handoff_of(tx: Connection, who: Unlocked, handoff_id: str) -> Handoff:
    """Return a handoff of one of this person's teams. Raises `NotFound` for everything else, so that ids tell nothing."""
    found = get(tx, handoff_id)
    if found.team_id not in {t.id for t in teams_of(tx, who)}:
        raise NotFound("no such handoff")
    return found


def held_by(tx: Connection, who: Unlocked, handoff_id: str) -> Handoff:
    """Return a handoff that this person has claimed: the only one whose words may be opened. Raises `NotFound` otherwise."""
    found = handoff_of(tx, who, handoff_id)
    if found.state != "claimed" or found.claimed_by != who.person_id:
        raise NotFound("no such handoff")
    return found


def colleagues_of(tx: Connection, who: Unlocked, team_id: str) -> list[Colleague]:
    """Return the other members of one of this person's teams, by name."""
    if team_id not in {t.id for t in teams_of(tx, who)}:
        raise NotFound("no such team")
    query = (
        sa.select(person.c.id, person.c.first_name)
        .join(membership, membership.c.person_id == person.c.id)
        .where(membership.c.team_id == team_id, membership.c.granted_at.is_not(None), person.c.id != who.person_id)
        .where(person.c.disabled_at.is_(None))
        .order_by(person.c.first_name)
    )
    return [Colleague(**row._asdict()) for row in tx.execute(query)]
