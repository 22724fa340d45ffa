"""Rows for the gemeenten of the configuration, each with its teams."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy import Connection

from config.schema import Municipality
from handoff.errors import Conflict
from handoff.models import municipality, person, team

_RECEIVES = team.c.position == 0


def sync(tx: Connection, municipalities: Iterable[Municipality]) -> None:
    """Add what is new and take over changed names and the order of teams.

    A gemeente or team that left the configuration keeps its rows until they expire. Raises `Conflict` for a team's id that another
    gemeente has.
    """
    known = {row.id: row.name for row in tx.execute(sa.select(municipality.c.id, municipality.c.name))}
    for item in municipalities:
        if item.id not in known:
            tx.execute(municipality.insert().values(id=item.id, name=item.name))
        elif known[item.id] != item.name:
            tx.execute(municipality.update().where(municipality.c.id == item.id).values(name=item.name))
        _sync_teams(tx, item)


def _sync_teams(tx: Connection, item: Municipality) -> None:
    here = (team.c.municipality_id == item.id, team.c.id.not_in([one.id for one in item.teams]), team.c.position.is_not(None))
    tx.execute(team.update().where(*here).values(position=None))
    for position, one in enumerate(item.teams):
        row = tx.execute(sa.select(team).where(team.c.id == one.id)).first()
        if row is None:
            tx.execute(team.insert().values(id=one.id, municipality_id=item.id, name=one.name, epoch=0, position=position))
        elif row.municipality_id != item.id:
            raise Conflict(f"{one.id} is a team of another gemeente")
        elif (row.name, row.position) != (one.name, position):
            tx.execute(team.update().where(team.c.id == one.id).values(name=one.name, position=position))


def has_people(tx: Connection, municipality_id: str) -> bool:
    """Return whether anybody works for this gemeente yet."""
    return tx.execute(sa.select(person.c.id).where(person.c.municipality_id == municipality_id)).first() is not None


def receiving(tx: Connection) -> frozenset[str]:
    """Return the gemeenten whose receiving team has its key (see `can_seal`)."""
    return frozenset(tx.execute(sa.select(team.c.municipality_id).where(_RECEIVES, team.c.epoch > 0)).scalars())


def can_seal(tx: Connection, municipality_id: str) -> bool:
    """Return whether the receiving team has its key: before its first confidant, nothing can be kept safely for the gemeente."""
    query = sa.select(team.c.epoch).where(team.c.municipality_id == municipality_id, _RECEIVES)
    return bool(tx.execute(query).scalar_one_or_none())
