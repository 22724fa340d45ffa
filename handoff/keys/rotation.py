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

from handoff.accounts.sessions import Unlocked, end_all_sessions
from handoff.crypto import vault as v
from handoff.crypto.vault import Vault
from handoff.errors import Conflict, Denied
from handoff.keys import conversation as keys
from handoff.keys.team import (
    current_public_key,
    give,
    holder,
    lock_team,
    new_epoch,
    note_membership,
    team_private_keys,
    vouch,
)
from handoff.models import conversation, key_wrap, membership, person, team, team_key, team_wrap


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
    """The conversations that still have a key under an old epoch, the liveliest first."""
    recipient = keys.team_recipient(_current_epoch(tx, team_id))
    old = sa.and_(key_wrap.c.recipient != recipient, key_wrap.c.recipient != keys.CHILD)
    query = sa.select(conversation.c.id).where(
        conversation.c.team_id == team_id,
        sa.exists().where(key_wrap.c.conversation_id == conversation.c.id, old),
    )
    return list(tx.execute(query.order_by(conversation.c.last_child_at.desc())).scalars())


def rewrap(tx: Connection, vault: Vault, *, by: Unlocked, conversation_id: str) -> None:
    """Bring one conversation to the epoch in force and give it a fresh key; nothing happens when that was done already.

    Raises `Denied` when its expiry day was erased (retention removes the rows) or a key was swapped: skip it and go on
    with the next.
    """
    columns = (*keys.ROOM, conversation.c.key_no)
    room = tx.execute(sa.select(*columns).where(conversation.c.id == conversation_id).with_for_update()).first()
    if room is None:
        raise Denied
    epoch, public = current_public_key(tx, vault, room.team_id)
    recipient = keys.team_recipient(epoch)
    held = {keys.team_recipient(old): key for old, key in team_private_keys(tx, vault, by, room.team_id).items()}
    behind = [row for row in tx.execute(keys.wraps(room.id)).all() if row.recipient != recipient]
    for row in behind:
        if row.recipient not in held:
            raise Denied
        private = keys.open_key(vault, room, row, held[row.recipient])
        this = (key_wrap.c.conversation_id == room.id, key_wrap.c.no == row.no, key_wrap.c.recipient == row.recipient)
        tx.execute(key_wrap.delete().where(*this))
        keys.add_wrap(tx, vault, room, row.no, private, recipient, public)
    if behind:
        _fresh_key(tx, vault, room)


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


def found_again(tx: Connection, vault: Vault, *, team_id: str, person_id: str, now: datetime) -> None:
    """Everybody who held the team's key forgot their passphrase or left: a new key, for this person alone.

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
    for room in _lock_chats(tx, team_id):
        with contextlib.suppress(Denied), tx.begin_nested():  # its expiry day is gone: retention removes it
            keys.drop_team_wraps(tx, room.id)
            _fresh_key(tx, vault, room)


def _lock_chats(tx: Connection, team_id: str) -> Sequence[Any]:
    query = sa.select(*keys.ROOM, conversation.c.key_no).where(conversation.c.team_id == team_id)
    return tx.execute(query.order_by(conversation.c.id).with_for_update()).all()


def _fresh_key(tx: Connection, vault: Vault, room: Any) -> None:
    keys.add_key(tx, vault, room, room.key_no + 1)
    tx.execute(conversation.update().where(conversation.c.id == room.id).values(key_no=room.key_no + 1))


def _take_away(tx: Connection, team_id: str, person_id: str) -> None:
    gone = 0
    for table in (team_wrap, membership):
        gone += tx.execute(table.delete().where(table.c.team_id == team_id, table.c.person_id == person_id)).rowcount
    if not gone:
        raise Denied
    end_all_sessions(tx, person_id)


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
        v.demand_same(row.vouch, vouch(private, team_id, row.id, row.public_key))
        found[row.id] = row.public_key
    return found


def _current_epoch(tx: Connection, team_id: str) -> int:
    epoch = tx.execute(sa.select(team.c.epoch).where(team.c.id == team_id)).scalar_one_or_none()
    if epoch is None:
        raise Denied
    return int(epoch)
