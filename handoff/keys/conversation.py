"""The key of a conversation: its private half sealed to the team and, for the web, to the child.

Both wraps are locked again under the key of the expiry day, so that destroying that one file closes the conversation
for everyone.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from handoff.accounts.sessions import Unlocked
from handoff.crypto import vault as v
from handoff.crypto.vault import ChildKey, Vault
from handoff.keys.team import current_public_key, open_wrap, team_private_keys
from handoff.models import conversation, conversation_key, key_wrap, team_wrap

CHILD = "child"
_TEAM = "team:"


def team_recipient(epoch: int) -> str:
    """How a wrap for the team is named, in this epoch."""
    return f"{_TEAM}{epoch}"


class Room(NamedTuple):
    """What the keys of a conversation are bound to, besides its number."""

    id: str
    team_id: str
    child_public_key: bytes | None
    expires_on: str


ROOM = tuple(conversation.c[name] for name in Room._fields)


def begin(
    tx: Connection, vault: Vault, *, conversation_id: str, team_id: str, child_public_key: bytes | None, expires_on: str
) -> int:
    """Give a conversation, whose row exists with `key_no` 1, its first key; returns its number.

    Needs public keys only.

    Raises `Denied` when the team has no key or it was swapped, `StoreUnavailable` when the expiry day's key cannot be
    written.
    """
    vault.make_bucket(expires_on)
    room = Room(conversation_id, team_id, child_public_key, expires_on)
    add_key(tx, vault, room, 1)
    return 1


def add_key(tx: Connection, vault: Vault, room: Any, no: int) -> None:
    """Make key number `no` of a conversation and wrap it for the team and the child."""
    epoch, team_public = current_public_key(tx, vault, room.team_id)
    private = vault.new_private_key()
    public = v.public_key(private)
    row = {"public_key": public, "mac": key_mac(vault, room, no, public)}
    tx.execute(conversation_key.insert().values(conversation_id=room.id, no=no, **row))
    add_wrap(tx, vault, room, no, private, team_recipient(epoch), team_public)
    if room.child_public_key is not None:
        add_wrap(tx, vault, room, no, private, CHILD, room.child_public_key)


def add_wrap(tx: Connection, vault: Vault, room: Any, no: int, private: bytes, recipient: str, public: bytes) -> None:
    """Seal a conversation's private key to one recipient, and lock that under the expiry day's key."""
    place = (room.id, no, recipient)
    sealed = v.lock(vault.bucket(room.expires_on), v.seal(public, private, "conversation", *place), "bucket", *place)
    tx.execute(key_wrap.insert().values(conversation_id=room.id, no=no, recipient=recipient, sealed=sealed))


def drop_team_wraps(tx: Connection, conversation_id: str) -> None:
    """The team can open none of this conversation's keys any more; the child still can."""
    tx.execute(key_wrap.delete().where(key_wrap.c.conversation_id == conversation_id, key_wrap.c.recipient.startswith(_TEAM)))


def open_key(vault: Vault, room: Any, row: Any, private: bytes | ChildKey) -> bytes:
    """A conversation's private key from one wrap, joined with its public key.

    Raises `Denied`, also when the public key was swapped.
    """
    v.demand_same(row.mac, key_mac(vault, room, row.no, row.public_key))
    place = (room.id, row.no, row.recipient)
    sealed = v.unlock(vault.bucket(room.expires_on), row.sealed, "bucket", *place)
    opener = private.private(sealed[:1]) if isinstance(private, ChildKey) else private
    found = v.unseal(opener, sealed, "conversation", *place)
    v.demand_same(row.public_key, v.public_key(found))
    return found


def open_keys(tx: Connection, vault: Vault, room: Any, opener: Unlocked | ChildKey) -> dict[int, bytes]:
    if isinstance(opener, ChildKey):
        return {row.no: open_key(vault, room, row, opener) for row in tx.execute(wraps(room.id, CHILD))}
    return _open_team_keys(tx, vault, room, opener)


def wraps(conversation_id: str, *recipients: str) -> sa.Select[Any]:
    """The wraps of a conversation for these recipients (all teams' when none is named), each with its conversation key."""
    same = sa.and_(conversation_key.c.conversation_id == key_wrap.c.conversation_id, conversation_key.c.no == key_wrap.c.no)
    whose = key_wrap.c.recipient.in_(recipients) if recipients else key_wrap.c.recipient.startswith(_TEAM)
    return (
        sa.select(key_wrap, conversation_key.c.public_key, conversation_key.c.mac)
        .join(conversation_key, same)
        .where(key_wrap.c.conversation_id == conversation_id, whose)
        .order_by(key_wrap.c.no)
    )


def _open_team_keys(tx: Connection, vault: Vault, room: Any, who: Unlocked) -> dict[int, bytes]:
    """One statement reads a person's team wraps together with the conversation's: during a rotation they always fit
    each other.
    """
    team_private_keys(tx, vault, who, room.team_id, only_current=True)  # the alarm: nobody swapped the team's key in force
    recipient = sa.literal(_TEAM) + sa.cast(team_wrap.c.epoch, sa.String)
    query = (
        wraps(room.id)
        .add_columns(team_wrap.c.epoch, team_wrap.c.sealed.label("team_sealed"))
        .join(team_wrap, sa.and_(team_wrap.c.team_id == room.team_id, key_wrap.c.recipient == recipient))
        .where(team_wrap.c.person_id == who.person_id)
    )
    return {
        row.no: open_key(vault, room, row, open_wrap(who, room.team_id, row.epoch, row.team_sealed)) for row in tx.execute(query)
    }


def key_mac(vault: Vault, room: Any, no: int, public: bytes) -> bytes:
    """Binds a conversation's key to the team and the child it is wrapped for: a swapped child key is noticed before it
    is used.
    """
    child = b"" if room.child_public_key is None else room.child_public_key
    return vault.row_mac("conversation-key", room.id, room.team_id, child, no, public)
