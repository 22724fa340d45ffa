"""Persons of a gemeente, as an operator sees them: who there is, who may read, who waits for a colleague's grant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from handoff import audit, keys
from handoff.accounts import credentials, second_step, sessions
from handoff.accounts.credentials import LockedKey
from handoff.crypto import Vault
from handoff.database.after_commit import after_commit
from handoff.errors import Conflict, NotFound
from handoff.models import membership, person, session, shift, team, team_wrap


@dataclass(frozen=True, slots=True)
class Member:
    """One person of a gemeente, without keys."""

    id: str
    """A random id."""
    login: str
    """What they type to sign in."""
    first_name: str
    """What colleagues and children call them."""
    role: str
    """`confidant`, `clerk` or `admin`."""
    granted: bool
    """False while they wait for a colleague who compares the key code; then they can read nothing."""
    disabled: bool
    """They can not sign in any more."""
    must_renew: bool
    """True until they have chosen a passphrase of their own, and with it made a key of their own."""
    again: bool
    """They were let in before, with a key that is lost now."""


_GRANT = (membership.c.granted_at, membership.c.granted_by)


def of_municipality(tx: Connection, vault: Vault, municipality_id: str) -> list[Member]:
    """Return everybody of this gemeente, by login."""
    query = sa.select(person, *_GRANT).outerjoin(membership, membership.c.person_id == person.c.id)
    everyone = _members(tx, vault, query.where(person.c.municipality_id == municipality_id).order_by(person.c.login))
    return [_in_all_teams(list(rows)) for _, rows in groupby(everyone, key=lambda member: member.id)]


def _in_all_teams(rows: list[Member]) -> Member:
    """Make one member of a row for each team: waiting for a grant as long as no team has given one."""
    return replace(rows[0], granted=any(row.granted for row in rows), again=any(row.again for row in rows))


def of_team(tx: Connection, vault: Vault, team_id: str) -> list[Member]:
    """Return everybody who was ever invited to this team and not taken out of it, by first name."""
    query = sa.select(person, *_GRANT).join(membership, membership.c.person_id == person.c.id)
    return _members(tx, vault, query.where(membership.c.team_id == team_id).order_by(person.c.first_name, person.c.login))


def _members(tx: Connection, vault: Vault, query: sa.Select[Any]) -> list[Member]:
    return [
        Member(
            r.id,
            r.login,
            r.first_name,
            r.role,
            granted=r.granted_at is not None,
            disabled=r.disabled_at is not None,
            must_renew=not credentials.is_own(vault, r.id, r),
            again=r.granted_at is None and r.granted_by is not None,
        )
        for r in tx.execute(query)
    ]


def invited_to(tx: Connection, person_id: str) -> list[str]:
    """Return the teams that somebody was invited to, granted or not."""
    query = sa.select(membership.c.team_id).where(membership.c.person_id == person_id)
    return list(tx.execute(query.order_by(membership.c.team_id)).scalars())


def holders(tx: Connection, team_id: str) -> set[str]:
    """Return the ids of everybody to whom the key that is in force was sealed, also when they may not sign in any more."""
    same = sa.and_(team.c.id == team_wrap.c.team_id, team.c.epoch == team_wrap.c.epoch)
    query = sa.select(team_wrap.c.person_id).join(team, same).where(team.c.id == team_id)
    return set(tx.execute(query).scalars())


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody whom an operator adds, with a key behind the passphrase that was printed for them."""

    key: LockedKey
    """Made by `credentials.new_key`."""
    login: str
    """What they type to sign in."""
    first_name: str
    """What colleagues and children call them."""


def add_confidants(
    tx: Connection, vault: Vault, people: Sequence[Newcomer], *, municipality_id: str, now: datetime, team_id: str | None = None
) -> list[Member]:
    """Add confidants to a team, or to the one that receives. The first ones of a team found it together.

    Later ones wait for a grant.

    Raises `NotFound` for an unknown gemeente or a team that is not of it, `Conflict` for a taken login.
    """
    chosen = team.c.position == 0 if team_id is None else team.c.id == team_id
    found = tx.execute(sa.select(team.c.id, team.c.epoch).where(team.c.municipality_id == municipality_id, chosen)).first()
    if found is None:
        raise NotFound("no such municipality or team")
    added = [_insert(tx, newcomer, municipality_id, now) for newcomer in people]
    if found.epoch == 0:
        keys.found_team(tx, vault, team_id=found.id, person_ids=added, now=now)
    else:
        tx.execute(membership.insert(), [{"team_id": found.id, "person_id": person_id} for person_id in added])
    for person_id in added:
        _note(tx, vault, now, municipality_id, "add_person", person_id)
    members = {member.id: member for member in of_municipality(tx, vault, municipality_id)}
    return [members[person_id] for person_id in added]


def _insert(tx: Connection, newcomer: Newcomer, municipality_id: str, now: datetime) -> str:
    return credentials.insert_person(
        tx, newcomer.key, municipality_id=municipality_id, login=newcomer.login, first_name=newcomer.first_name, role="confidant",
        now=now,
    )  # fmt: skip


def find(tx: Connection, vault: Vault, login: str) -> Member:
    """Return the person who signs in with this name. Raises `NotFound`, also for somebody whose door was closed."""
    query = sa.select(person, *_GRANT).outerjoin(membership, membership.c.person_id == person.c.id)
    found = _members(tx, vault, query.where(person.c.login == credentials.login_name(login), person.c.disabled_at.is_(None)))
    if not found:
        raise NotFound("no such person")
    return _in_all_teams(found)


def stands_alone(tx: Connection, person_id: str) -> bool:
    """Return whether a team of this person has nobody else who could let them in: a new key then loses what was written before."""
    return any(not keys.held_by_another(tx, team_id, person_id) for team_id in invited_to(tx, person_id))


def renew(tx: Connection, vault: Vault, key: LockedKey, *, lose_words: bool, now: datetime) -> None:
    """Store the new key that `credentials.new_key` made after a forgotten passphrase; all that the old one opened is out of reach.

    A colleague lets the person in again. Where nobody else holds the team's key it is founded again, and the words of before
    are lost: raises `Conflict` unless `lose_words`.
    """
    alone = [team_id for team_id in invited_to(tx, key.person_id) if not keys.held_by_another(tx, team_id, key.person_id)]
    if alone and not lose_words:
        raise Conflict("nobody else holds this team's key: what was written before would be lost")
    sessions.replace_key(tx, key)
    second_step.forget(tx, key.person_id)  # it was locked under the old key; a new phone is set up at the first sign-in
    for team_id in alone:
        keys.replace_lost_key(tx, vault, team_id=team_id, person_id=key.person_id, now=now)
    gemeente = tx.execute(sa.select(person.c.municipality_id).where(person.c.id == key.person_id)).scalar_one()
    _note(tx, vault, now, gemeente, "renew_person", key.person_id)


def disable(tx: Connection, vault: Vault, *, login: str, now: datetime) -> str:
    """Close the door for a person: sessions, shift and access end at once. Returns their id. Raises `NotFound`.

    What they could read, they could have copied: a colleague renews the team's key afterwards (`handoff.team.teamwork.rotate`).
    """
    row = tx.execute(sa.select(person.c.id, person.c.municipality_id).where(person.c.login == login)).first()
    if row is None:
        raise NotFound("no such person")
    tx.execute(person.update().where(person.c.id == row.id).values(disabled_at=now))
    tx.execute(session.delete().where(session.c.person_id == row.id))
    tx.execute(shift.update().where(shift.c.person_id == row.id, shift.c.ends_at.is_(None)).values(ends_at=now))
    _note(tx, vault, now, row.municipality_id, "disable_person", row.id)
    return str(row.id)


@dataclass(frozen=True, slots=True)
class KeyAge:
    """How far a team's key is, here and by what is known outside the database."""

    epoch: int
    """In force in the database."""
    noted: int
    """The newest that was ever in force."""


def key_of(tx: Connection, vault: Vault, team_id: str) -> KeyAge:
    """Compare the two. Raises `NotFound` for a team that is not there."""
    epoch = tx.execute(sa.select(team.c.epoch).where(team.c.id == team_id)).scalar_one_or_none()
    if epoch is None:
        raise NotFound("no such team")
    return KeyAge(epoch, vault.epochs.newest(team_id, epoch))


def accept_older_key(tx: Connection, vault: Vault, team_id: str, now: datetime) -> None:
    """Take the key in the database for the newest again: the operator put an older copy back. Raises `NotFound`."""
    epoch = key_of(tx, vault, team_id).epoch
    gemeente = tx.execute(sa.select(team.c.municipality_id).where(team.c.id == team_id)).scalar_one()
    _note(tx, vault, now, gemeente, "accept_older_key", team_id)
    after_commit(tx, partial(vault.epochs.forget_after, team_id, epoch))


def _note(tx: Connection, vault: Vault, now: datetime, municipality_id: str, action: str, object_id: str) -> None:
    """An operator did this, at a terminal."""
    audit.note(
        tx, vault, now=now, municipality_id=municipality_id, person_id=None, action=action, object_id=object_id, origin="cli"
    )


def logins(tx: Connection) -> dict[str, str]:
    """Return everybody's login by their id, for an operator who reads the audit."""
    return {row.id: row.login for row in tx.execute(sa.select(person.c.id, person.c.login))}
