"""The team key: who holds it, how a colleague passes it on, and how a swapped key is noticed.

The team's private key of each epoch is sealed to every member's public key. Beside it stands a vouch that only a holder
of the team key can make, over the member's public key: whoever writes in the database, even with the configuration,
cannot slip in a member.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy import Connection

from handoff import crypto
from handoff.accounts import passphrases
from handoff.accounts.credentials import KEY, is_own
from handoff.accounts.sessions import Unlocked
from handoff.crypto import Vault
from handoff.database.after_commit import after_commit
from handoff.errors import Conflict, Denied, PutBack
from handoff.models import membership, person, team, team_key, team_wrap

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class TeamKey:
    """The public key of a team in its epoch in force."""

    id: str
    epoch: int
    public_key: bytes


def found_team(tx: Connection, vault: Vault, *, team_id: str, person_ids: Sequence[str], now: datetime) -> None:
    """Make a team's first key (epoch 1) and give it to its first members.

    They may have a printed passphrase still: somebody must be first. Their first sign-in replaces the key (`first_sign_in`).
    Raises `Conflict` when the team has one, `Denied` for a person who cannot hold it: only an active confidant of the same
    gemeente can, an admin never.
    """
    lock_team(tx, team_id)
    if tx.execute(sa.select(team_key.c.epoch).where(team_key.c.team_id == team_id)).first():
        raise Conflict("this team has its key already")
    publics = {person_id: holder(tx, team_id, person_id) for person_id in person_ids}
    private = new_epoch(tx, vault, team_id, 1)
    for person_id, public in publics.items():
        give(tx, team_id, 1, private, person_id, public)
        note_membership(tx, team_id, person_id, by=person_id, now=now)


def own_code(who: Unlocked) -> str:
    """Return six words that stand for this person's key; two colleagues compare them by voice.

    From the key that the session holds, not from a row: a row could be changed between two looks.
    """
    return code_of(who.person_id, crypto.public_key(who.private_key))


def code_of(person_id: str, public: bytes) -> str:
    """Return the six words of a person's public key."""
    return passphrases.code_of(crypto.bind("key-code", person_id, public))


def grant(tx: Connection, vault: Vault, *, by: Unlocked, person_id: str, code: str, now: datetime) -> None:
    """Give a colleague the keys of every team they were invited to and `by` belongs to.

    The key that is given to is the one whose code was compared and whose proof was checked (`credentials.is_own`): its row is read
    once. Raises `Denied` when the code differs from what the colleague reads out, when either key is not its owner's own yet,
    when nothing can be given, or when a key was swapped.
    """
    public = _own_key(tx, vault, person_id)
    crypto.demand_same(passphrases.plain(code).encode(), code_of(person_id, public).encode())
    if person_id == by.person_id or by.must_renew:
        raise Denied
    invited = sa.select(membership.c.team_id).where(membership.c.person_id == person_id).order_by(membership.c.team_id)
    shared = [team_id for team_id in tx.execute(invited).scalars().all() if _holds(tx, by.person_id, team_id)]
    if not shared:
        raise Denied
    for team_id in shared:
        lock_team(tx, team_id)
        crypto.demand_same(holder(tx, team_id, person_id), public)
        private_keys = team_private_keys(tx, vault, by, team_id)
        tx.execute(team_wrap.delete().where(team_wrap.c.team_id == team_id, team_wrap.c.person_id == person_id))
        for epoch, private in private_keys.items():
            give(tx, team_id, epoch, private, person_id, public)
        note_membership(tx, team_id, person_id, by=by.person_id, now=now)


def _own_key(tx: Connection, vault: Vault, person_id: str) -> bytes:
    """A person's public key, proven to be of their own making. Raises `Denied`."""
    row = tx.execute(sa.select(*(person.c[name] for name in KEY)).where(person.c.id == person_id)).first()
    if row is None or not is_own(vault, person_id, row):
        raise Denied
    return bytes(row.public_key)


def current_public_keys(tx: Connection, vault: Vault, team_ids: Sequence[str]) -> list[TeamKey]:
    """Return the key in force of each team; holds off a rotation of any of them until the commit.

    Raises `Denied` when one has no key or it was swapped.
    """
    query = (
        sa.select(team.c.id, team.c.epoch, team_key.c.public_key, team_key.c.mac)
        .join(team_key, sa.and_(team_key.c.team_id == team.c.id, team_key.c.epoch == team.c.epoch))
        .where(team.c.id.in_(team_ids))
        .order_by(team.c.id)
        .with_for_update(read=True, key_share=True, of=team)
    )
    found = [checked(tx, vault, row) for row in tx.execute(query)]
    if {one.id for one in found} != set(team_ids):
        raise Denied
    return found


def checked(tx: Connection, vault: Vault, row: Any) -> TeamKey:
    """Return a team's key from its row (id, epoch, public_key, mac). Raises `Denied` when it was swapped.

    Raises `PutBack` when a newer one was in force.
    """
    crypto.demand_same(row.mac, _mac(vault, row.id, row.epoch, row.public_key))
    _demand_newest(tx, vault, row.id, row.epoch)
    return TeamKey(row.id, row.epoch, row.public_key)


def is_put_back(vault: Vault, team_id: str, epoch: int) -> bool:
    """Whether this epoch, as a page read it, is older than one that was in force: the page says so."""
    return vault.epochs.is_past(team_id, epoch, grace_s=crypto.GRACE_S)


def team_private_keys(tx: Connection, vault: Vault, who: Unlocked, team_id: str, *, only_current: bool = False) -> dict[int, bytes]:
    """The team's private keys that `who` holds, by epoch.

    Raises `Denied` when the epoch in force is not among them, or when any public key in the database does not belong to
    its private key: someone swapped it, even if they knew the configuration.
    """
    same = sa.and_(team_key.c.team_id == team_wrap.c.team_id, team_key.c.epoch == team_wrap.c.epoch)
    query = (
        sa.select(team_wrap.c.epoch, team_wrap.c.sealed, team_key.c.public_key, team_key.c.mac, team.c.epoch.label("now"))
        .join(team_key, same)
        .join(team, team.c.id == team_wrap.c.team_id)
        .where(team_wrap.c.team_id == team_id, team_wrap.c.person_id == who.person_id)
    )
    rows = tx.execute(query.where(team_wrap.c.epoch == team.c.epoch) if only_current else query).all()
    found: dict[int, bytes] = {}
    for row in rows:
        crypto.demand_same(row.mac, _mac(vault, team_id, row.epoch, row.public_key))
        private = open_wrap(who, team_id, row.epoch, row.sealed)
        crypto.demand_same(row.public_key, crypto.public_key(private))
        found[row.epoch] = private
    if not rows or rows[0].now not in found:
        raise Denied
    _demand_newest(tx, vault, team_id, rows[0].now, grace_s=crypto.GRACE_S if only_current else 0.0)
    return found


def _demand_newest(tx: Connection, vault: Vault, team_id: str, epoch: int, *, grace_s: float = 0.0) -> None:
    """Compare an epoch, whose mac was checked, with what is known outside the database. Raises `PutBack`, and says so in the log.

    Who reads without a lock passes `grace_s`: a renewal may have been committed since.
    """
    if vault.epochs.is_past(team_id, epoch, grace_s=grace_s):
        log.error("team_key_put_back", team=team_id, epoch=epoch)
        raise PutBack
    if not vault.epochs.is_noted(team_id, epoch):
        after_commit(tx, partial(vault.epochs.note, team_id, epoch))


def open_wrap(who: Unlocked, team_id: str, epoch: int, sealed: bytes) -> bytes:
    """A team's private key from one person's wrap. Raises `Denied`."""
    return crypto.unseal(who.private_key, sealed, "team", team_id, epoch, who.person_id)


def new_epoch(tx: Connection, vault: Vault, team_id: str, epoch: int) -> bytes:
    """Make the team's key of this epoch and put it in force; returns the private half, which is stored nowhere yet."""
    private = vault.new_private_key()
    public = crypto.public_key(private)
    row = {"public_key": public, "mac": _mac(vault, team_id, epoch, public)}
    tx.execute(team_key.insert().values(team_id=team_id, epoch=epoch, **row))
    tx.execute(team.update().where(team.c.id == team_id).values(epoch=epoch))
    after_commit(tx, partial(vault.epochs.note, team_id, epoch))
    return private


def give(tx: Connection, team_id: str, epoch: int, private: bytes, person_id: str, public: bytes) -> None:
    """Seal a team's private key to one member, with the vouch for that member's key."""
    sealed = crypto.seal(public, private, "team", team_id, epoch, person_id)
    row = {"sealed": sealed, "vouch": vouch(private, team_id, person_id, public)}
    tx.execute(team_wrap.insert().values(team_id=team_id, epoch=epoch, person_id=person_id, **row))


def vouch(private: bytes, team_id: str, person_id: str, public: bytes) -> bytes:
    """Proof by a holder of the team key that this public key is this member's."""
    return crypto.mac(crypto.derive(private, "vouch"), team_id, person_id, public)


def holder(tx: Connection, team_id: str, person_id: str) -> bytes:
    """The public key of someone who may hold this team's key: an active confidant of its gemeente.

    Raises `Denied` for all others.
    """
    public = tx.execute(
        sa.select(person.c.public_key)
        .join(team, team.c.municipality_id == person.c.municipality_id)
        .where(team.c.id == team_id, person.c.id == person_id)
        .where(person.c.role == "confidant", person.c.disabled_at.is_(None))
    ).scalar_one_or_none()
    if public is None:
        raise Denied
    return bytes(public)


def lock_team(tx: Connection, team_id: str) -> None:
    """Grants, rotations and new conversations of one team wait for each other (PostgreSQL; SQLite has one writer)."""
    if tx.execute(sa.select(team.c.id).where(team.c.id == team_id).with_for_update()).first() is None:
        raise Denied


def _holds(tx: Connection, person_id: str, team_id: str) -> bool:
    where = (team_wrap.c.team_id == team_id, team_wrap.c.person_id == person_id)
    return tx.execute(sa.select(team_wrap.c.epoch).where(*where)).first() is not None


def note_membership(tx: Connection, team_id: str, person_id: str, *, by: str, now: datetime) -> None:
    """Write down who let this person in, and when."""
    here = sa.and_(membership.c.team_id == team_id, membership.c.person_id == person_id)
    values = {"granted_by": by, "granted_at": now}
    if not tx.execute(membership.update().where(here).values(**values)).rowcount:
        tx.execute(membership.insert().values(team_id=team_id, person_id=person_id, **values))


def _mac(vault: Vault, team_id: str, epoch: int, public: bytes) -> bytes:
    return vault.row_mac("team-key", team_id, epoch, public)
