"""Persons of a gemeente, as an operator sees them: who there is, who may read, who waits for a colleague's grant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from handoff import audit, keys, members
from handoff.errors import NotFound
from handoff.members import LockedKey
from handoff.models import membership, person, session, shift, team
from handoff.vault import Vault


@dataclass(frozen=True, slots=True)
class Member:
    """One person. `granted` is false while they wait for a colleague who compares the key code; then they can read nothing."""

    id: str
    login: str
    first_name: str
    role: str
    granted: bool
    disabled: bool


def of_municipality(tx: Connection, municipality_id: str) -> list[Member]:
    """Everybody of this gemeente, by login."""
    query = (
        sa.select(person, membership.c.granted_at)
        .outerjoin(membership, membership.c.person_id == person.c.id)
        .where(person.c.municipality_id == municipality_id)
        .order_by(person.c.login)
    )
    return [
        Member(r.id, r.login, r.first_name, r.role, r.granted_at is not None, r.disabled_at is not None) for r in tx.execute(query)
    ]


def add_confidant(
    tx: Connection, vault: Vault, key: LockedKey, *, municipality_id: str, login: str, first_name: str, now: datetime
) -> Member:
    """Add a confidant. The first one of a gemeente founds the team; every next one waits for a colleague's grant."""
    team_id = tx.execute(sa.select(team.c.id).where(team.c.municipality_id == municipality_id)).scalar_one_or_none()
    if team_id is None:
        raise NotFound("no such municipality")
    person_id = members.insert_person(
        tx, key, municipality_id=municipality_id, login=login, first_name=first_name, role="confidant", must_renew=True, now=now
    )
    epoch: int = tx.execute(sa.select(team.c.epoch).where(team.c.id == team_id)).scalar_one()
    if epoch == 0:
        keys.found_team(tx, vault, team_id=team_id, person_id=person_id, now=now)
    else:
        tx.execute(membership.insert().values(team_id=team_id, person_id=person_id))
    audit.note(tx, now=now, municipality_id=municipality_id, person_id=None, action="add_person", object_id=person_id, origin="cli")
    return next(m for m in of_municipality(tx, municipality_id) if m.id == person_id)


def disable(tx: Connection, *, login: str, now: datetime) -> str:
    """Close the door for a person: sessions, shift and access end at once. Returns their id. Raises `NotFound`.

    What they could read, they could have copied: a colleague rotates the team's key afterwards (`handoff.keys.rotate`).
    """
    row = tx.execute(sa.select(person.c.id, person.c.municipality_id).where(person.c.login == login)).first()
    if row is None:
        raise NotFound("no such person")
    tx.execute(person.update().where(person.c.id == row.id).values(disabled_at=now))
    tx.execute(session.delete().where(session.c.person_id == row.id))
    tx.execute(shift.update().where(shift.c.person_id == row.id, shift.c.ends_at.is_(None)).values(ends_at=now))
    audit.note(
        tx, now=now, municipality_id=row.municipality_id, person_id=None, action="disable_person", object_id=row.id, origin="cli"
    )
    return str(row.id)
