"""Rows for the gemeenten of the configuration, each with its team."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy import Connection

from config.schema import Municipality
from handoff.models import municipality, person, team
from handoff.runtime import team_id_of


def sync(tx: Connection, municipalities: Iterable[Municipality]) -> None:
    """Add what is new and take over changed names. A gemeente that left the configuration keeps its rows until they expire."""
    known = {row.id: row.name for row in tx.execute(sa.select(municipality.c.id, municipality.c.name))}
    for item in municipalities:
        team_id = team_id_of(item.id)
        if item.id not in known:
            tx.execute(municipality.insert().values(id=item.id, name=item.name))
            tx.execute(team.insert().values(id=team_id, municipality_id=item.id, name=item.team, epoch=0))
        elif known[item.id] != item.name:
            tx.execute(municipality.update().where(municipality.c.id == item.id).values(name=item.name))
        tx.execute(team.update().where(team.c.id == team_id, team.c.name != item.team).values(name=item.team))


def has_people(tx: Connection, municipality_id: str) -> bool:
    """Whether anybody works for this gemeente yet."""
    return tx.execute(sa.select(person.c.id).where(person.c.municipality_id == municipality_id)).first() is not None


def receiving(tx: Connection) -> frozenset[str]:
    """The gemeenten whose team has its key (see `can_seal`)."""
    return frozenset(tx.execute(sa.select(team.c.municipality_id).where(team.c.epoch > 0)).scalars())


def can_seal(tx: Connection, municipality_id: str) -> bool:
    """Whether the gemeente's team has its key: before its first confidant, nothing can be kept safely for it."""
    found = tx.execute(sa.select(team.c.epoch).where(team.c.id == team_id_of(municipality_id))).scalar_one_or_none()
    return bool(found)
