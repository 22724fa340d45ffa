"""The first sign-in with a passphrase that an operator printed: a key pair of one's own, which nobody else ever held.

Whoever printed the phrase can have kept it, with the person's row and the configuration: that is the old key pair, and every
team key that was ever sealed to it. So the old pair is thrown away, and each team whose key it held gets a new epoch in the
same transaction. What was written before stays in reach of such a person; what is written from then on does not.
"""

from __future__ import annotations

import contextlib
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from handoff import audit, crypto
from handoff.accounts import credentials, sessions
from handoff.accounts.credentials import LockedKey
from handoff.accounts.sessions import Unlocked
from handoff.crypto import Vault
from handoff.errors import Denied
from handoff.keys.rotation import finish_rotation, rewrap, rotate, to_rewrap
from handoff.keys.team import give, lock_team, team_private_keys
from handoff.models import conversation, key_wrap, team_wrap

FEW = 25
"""Chats of a team that get a fresh key in the renewal itself (4 ms each): a team whose founder never signed in has no more."""


def take_own_key(
    tx: Connection, vault: Vault, *, who: Unlocked, cookie: bytes, private_key: bytes, key: LockedKey, now: datetime
) -> list[str]:
    """Replace the member key of someone who came in with a printed passphrase by `private_key`, which `key` holds locked.

    The session goes on with the new key, all others of this person end. Returns the teams whose chats are not all under the
    new epoch yet: rewrap those in small commits (`handoff.team.teamwork`). Raises `Denied` when this is not a first sign-in, when
    the key is not a new one, and when a key of the team was swapped.

    Locks, in this order: the chats, the teams, the person.
    """
    fresh = crypto.public_key(private_key)
    mine = key.person_id == who.person_id and key.public_key == fresh and key.own_proof is not None
    if not who.must_renew or not mine or private_key == who.private_key:
        raise Denied
    held = _teams_of(tx, who.person_id)
    chats = {team_id: _hold_chats(tx, team_id) for team_id in held}
    for team_id in held:
        _reseal(tx, vault, who, team_id, fresh)
    credentials.store_key(tx, key)
    me = sessions.relock_session(tx, vault, who, cookie, private_key)
    behind = [team_id for team_id in held if not _new_epoch(tx, vault, me, team_id, chats[team_id])]
    for team_id in held:
        audit.note(
            tx, vault, now=now, municipality_id=me.municipality_id, person_id=me.person_id, action="rotate", object_id=team_id
        )
    return behind


def _teams_of(tx: Connection, person_id: str) -> list[str]:
    """The teams whose key was ever sealed to this person's key."""
    query = sa.select(team_wrap.c.team_id).where(team_wrap.c.person_id == person_id).distinct()
    return list(tx.execute(query.order_by(team_wrap.c.team_id)).scalars())


def _hold_chats(tx: Connection, team_id: str) -> list[str]:
    """The liveliest chats, before the team: a turn takes a chat first and nobody then waits in a circle (decision 0008)."""
    given = sa.exists().where(key_wrap.c.conversation_id == conversation.c.id, key_wrap.c.team_id == team_id)
    query = sa.select(conversation.c.id).where(given)
    return list(tx.execute(query.order_by(conversation.c.last_child_at.desc()).limit(FEW).with_for_update()).scalars())


def _reseal(tx: Connection, vault: Vault, who: Unlocked, team_id: str, public: bytes) -> None:
    lock_team(tx, team_id)
    private_keys = team_private_keys(tx, vault, who, team_id)
    tx.execute(team_wrap.delete().where(team_wrap.c.team_id == team_id, team_wrap.c.person_id == who.person_id))
    for epoch, private in private_keys.items():
        give(tx, team_id, epoch, private, who.person_id, public)


def _new_epoch(tx: Connection, vault: Vault, who: Unlocked, team_id: str, chats: list[str]) -> bool:
    """Whether the whole team stands under the new epoch now."""
    rotate(tx, vault, by=who, team_id=team_id)
    behind = set(to_rewrap(tx, team_id))
    for conversation_id in chats:
        if conversation_id in behind:
            with contextlib.suppress(Denied), tx.begin_nested():  # its expiry day is gone: retention removes it
                rewrap(tx, vault, by=who, conversation_id=conversation_id)
    return finish_rotation(tx, team_id)
