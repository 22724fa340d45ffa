"""A new team key, when somebody leaves or a key may have leaked.

Done in small commits, so that no child ever waits for it:

    rotate            one commit: the new epoch, its wraps for who stays, who leaves loses theirs
    to_rewrap, rewrap one commit per conversation: its keys to the new epoch, and a fresh key for what comes next
    finish_rotation   one commit: the old epochs, when nothing needs them any more

Stopped halfway, everything stays readable for the team, and the same calls go on where they stopped.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from handoff import crypto
from handoff.accounts.sessions import Unlocked, end_all_sessions
from handoff.crypto import Vault
from handoff.errors import Conflict, Denied
from handoff.events import announce, team_topic
from handoff.keys import conversation as keys
from handoff.keys.team import (
    current_public_keys,
    give,
    holder,
    lock_team,
    new_epoch,
    note_membership,
    team_private_keys,
    vouch,
)
from handoff.models import conversation, conversation_key, key_wrap, membership, person, shift, team, team_key, team_wrap


def rotate(tx: Connection, vault: Vault, *, by: Unlocked, team_id: str, remove: str | None = None) -> None:
    """Put a new epoch in force for everyone who stays, and take the team from `remove`, whose sessions end everywhere.

    Raises `Denied` when `by` does not hold the key or would remove themselves, and when any member's key was swapped.
    """
    if remove == by.person_id:
        raise Denied
    lock_team(tx, team_id)
    old = team_private_keys(tx, vault, by, team_id)
    if remove is not None:
        _take_away(tx, team_id, remove)
    epoch = max(old)
    staying = _vouched_members(tx, team_id, epoch, old[epoch])
    private = new_epoch(tx, vault, team_id, epoch + 1)
    for person_id, public in staying.items():
        give(tx, team_id, epoch + 1, private, person_id, public)


def to_rewrap(tx: Connection, team_id: str) -> list[str]:
    """Return the conversations that still have a key under an old epoch of this team, the liveliest first."""
    old = sa.and_(key_wrap.c.team_id == team_id, key_wrap.c.epoch != _current_epoch(tx, team_id))
    query = sa.select(conversation.c.id).where(sa.exists().where(key_wrap.c.conversation_id == conversation.c.id, old))
    return list(tx.execute(query.order_by(conversation.c.last_child_at.desc())).scalars())


def rewrap(tx: Connection, vault: Vault, *, by: Unlocked, conversation_id: str) -> None:
    """Bring one conversation to the epoch in force of each team of it that `by` is in, and give it a fresh key.

    Nothing happens when that was done already. Raises `Denied` when `by` is in none of its teams, when its expiry day was erased
    (retention removes the rows) and when a key was swapped: skip it and go on with the next.
    """
    columns = (*keys.SCOPE, conversation.c.key_no)
    chat = tx.execute(sa.select(*columns).where(conversation.c.id == conversation_id).with_for_update()).first()
    if chat is None:
        raise Denied
    rows = tx.execute(keys.wraps(conversation_id)).all()
    mine = _teams_of(tx, by, {row.team_id for row in rows})
    if not mine:
        raise Denied
    renewed = [_rewrap_team(tx, vault, chat, [row for row in rows if row.team_id == team_id], by) for team_id in mine]
    if any(renewed):
        _fresh_key(tx, vault, chat)


def _teams_of(tx: Connection, who: Unlocked, among: set[str]) -> list[str]:
    query = sa.select(team_wrap.c.team_id).where(team_wrap.c.person_id == who.person_id, team_wrap.c.team_id.in_(among))
    return sorted(set(tx.execute(query).scalars()))


def _rewrap_team(tx: Connection, vault: Vault, chat: Any, rows: Sequence[Any], by: Unlocked) -> bool:
    """Whether any of these wraps of one team was still under an older epoch."""
    scope, team_id = keys.scope_of(chat), rows[0].team_id
    (current,) = current_public_keys(tx, vault, [team_id])
    held = team_private_keys(tx, vault, by, team_id)
    behind = [row for row in rows if row.epoch != current.epoch]
    for row in behind:
        if row.epoch not in held:
            raise Denied
        keys.check_key(vault, scope, chat.team_id, row)
        private = keys.open_team_wrap(vault, scope, row, held[row.epoch])
        this = (key_wrap.c.conversation_id == chat.id, key_wrap.c.no == row.no, key_wrap.c.team_id == team_id)
        tx.execute(key_wrap.delete().where(*this))
        keys.add_wrap(tx, vault, scope, row.no, private, current)
    return bool(behind)


def finish_rotation(tx: Connection, team_id: str) -> bool:
    """Forget the old epochs; False, and nothing happens, while a conversation still needs one."""
    lock_team(tx, team_id)
    if to_rewrap(tx, team_id):
        return False
    current = _current_epoch(tx, team_id)
    for table in (team_wrap, team_key):
        tx.execute(table.delete().where(table.c.team_id == team_id, table.c.epoch < current))
    return True


def held_by_another(tx: Connection, team_id: str, person_id: str) -> bool:
    """Whether an active member besides this person holds the key in force, and so can let them in again."""
    query = (
        sa.select(team_wrap.c.person_id)
        .join(team, sa.and_(team.c.id == team_wrap.c.team_id, team.c.epoch == team_wrap.c.epoch))
        .join(person, person.c.id == team_wrap.c.person_id)
        .where(team.c.id == team_id, person.c.id != person_id, person.c.disabled_at.is_(None), person.c.role == "confidant")
    )
    return tx.execute(query).first() is not None


def replace_lost_key(tx: Connection, vault: Vault, *, team_id: str, person_id: str, now: datetime) -> None:
    """Make a new team key for this person alone, after everybody who held the old one forgot their passphrase or left.

    What was written before stays closed to the team for good. Every chat gets a fresh key, so that what a child writes from
    now on is read. One transaction, some 3 ms for each chat: what is sealed in between would be lost as well.

    Raises `Conflict` while somebody else holds the key, `Denied` for a person who cannot hold it.
    """
    _lock_chats(tx, team_id)
    lock_team(tx, team_id)
    if held_by_another(tx, team_id, person_id):
        raise Conflict("a colleague still holds this team's key")
    public, epoch = holder(tx, team_id, person_id), _current_epoch(tx, team_id)
    for table in (team_wrap, team_key):
        tx.execute(table.delete().where(table.c.team_id == team_id))
    give(tx, team_id, epoch + 1, new_epoch(tx, vault, team_id, epoch + 1), person_id, public)
    note_membership(tx, team_id, person_id, by=person_id, now=now)
    for chat in _lock_chats(tx, team_id):
        with contextlib.suppress(Denied), tx.begin_nested():  # its expiry day is gone: retention removes it
            keys.drop_team_wraps(tx, chat.id, team_id)
            _fresh_key(tx, vault, chat)


def _lock_chats(tx: Connection, team_id: str) -> Sequence[Any]:
    query = sa.select(*keys.SCOPE, conversation.c.key_no).where(_is_wrapped_for(team_id))
    return tx.execute(query.order_by(conversation.c.id).with_for_update()).all()


def _is_wrapped_for(team_id: str) -> sa.ColumnElement[bool]:
    """In its queue, or with a key that this team was given."""
    given = sa.exists().where(key_wrap.c.conversation_id == conversation.c.id, key_wrap.c.team_id == team_id)
    return sa.or_(conversation.c.team_id == team_id, given)


def _fresh_key(tx: Connection, vault: Vault, chat: Any) -> None:
    """Make the next key of a conversation, for the same teams as the one in force. Raises `Denied` when that one was swapped."""
    scope = keys.scope_of(chat)
    mine = (conversation_key.c.conversation_id == chat.id, conversation_key.c.no == chat.key_no)
    row = tx.execute(sa.select(conversation_key).where(*mine)).one()
    keys.check_key(vault, scope, chat.team_id, row)
    keys.add_key(tx, vault, scope, chat.key_no + 1, current_public_keys(tx, vault, row.teams.split(",")))
    tx.execute(conversation.update().where(conversation.c.id == chat.id).values(key_no=chat.key_no + 1))


def _take_away(tx: Connection, team_id: str, person_id: str) -> None:
    gone = 0
    for table in (team_wrap, membership):
        gone += tx.execute(table.delete().where(table.c.team_id == team_id, table.c.person_id == person_id)).rowcount
    if not gone:
        raise Denied
    end_all_sessions(tx, person_id)
    mine = (shift.c.team_id == team_id, shift.c.person_id == person_id, shift.c.ends_at.is_(None))
    tx.execute(shift.update().where(*mine).values(ends_at=shift.c.seen_at))  # who is out is not there for a child any more
    announce(tx, team_topic(team_id), "duty")


def _vouched_members(tx: Connection, team_id: str, epoch: int, private: bytes) -> dict[str, bytes]:
    """The public keys of the active members.

    Raises `Denied` when one of them is not the key a colleague once compared.
    """
    query = (
        sa.select(person.c.id, person.c.public_key, team_wrap.c.vouch)
        .join(team_wrap, team_wrap.c.person_id == person.c.id)
        .where(team_wrap.c.team_id == team_id, team_wrap.c.epoch == epoch)
        .where(person.c.disabled_at.is_(None), person.c.role == "confidant")
    )
    found: dict[str, bytes] = {}
    for row in tx.execute(query):
        crypto.demand_same(row.vouch, vouch(private, team_id, row.id, row.public_key))
        found[row.id] = row.public_key
    return found


def _current_epoch(tx: Connection, team_id: str) -> int:
    epoch = tx.execute(sa.select(team.c.epoch).where(team.c.id == team_id)).scalar_one_or_none()
    if epoch is None:
        raise Denied
    return int(epoch)
