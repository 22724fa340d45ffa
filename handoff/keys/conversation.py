"""The key of a conversation: its private half sealed to each of its teams and, for the web, to the child.

All wraps are locked again under the key of the expiry day, so that destroying that one file closes the conversation for everyone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from handoff import crypto
from handoff.accounts.sessions import Unlocked
from handoff.crypto import ChildKey, Vault
from handoff.database.prepared import PreparedInsert
from handoff.errors import Denied
from handoff.keys.team import TeamKey, current_public_keys, open_wrap, team_private_keys
from handoff.models import conversation, conversation_key, key_wrap, team_wrap

_CHILD = "child"


@dataclass(frozen=True, slots=True)
class KeyScope:
    """What the keys of a conversation are bound to, besides its teams and their number."""

    conversation_id: str
    child_public_key: bytes | None
    """None on a channel whose child holds no token of ours."""
    expires_on: str
    """The expiry day, YYYY-MM-DD, whose key file locks every wrap."""


@dataclass(frozen=True, slots=True)
class ConversationKey:
    """The public half of the key in force of one conversation: it seals, and opens nothing."""

    conversation_id: str
    no: int
    public_key: bytes
    private_key: bytes | None = field(default=None, repr=False)
    """Only while a new key is being made: the first words under it then need no encapsulation. Stored nowhere in clear."""


SCOPE = (conversation.c.id, conversation.c.child_public_key, conversation.c.expires_on, conversation.c.team_id)
"""The columns that `scope_of` reads, and the team in whose queue the conversation is."""

_ADD_KEY = PreparedInsert(conversation_key, "conversation_id", "no", "public_key", "teams", "child_wrap", "mac")
_ADD_WRAPS = PreparedInsert(key_wrap, "conversation_id", "no", "team_id", "epoch", "sealed", "first_form")


def scope_of(row: Any) -> KeyScope:
    """Return the scope that stands in a conversation's row."""
    return KeyScope(row.id, row.child_public_key, row.expires_on)


def begin(tx: Connection, vault: Vault, scope: KeyScope, team_ids: Sequence[str]) -> ConversationKey:
    """Give a conversation, whose row exists with `key_no` 1, its first key, wrapped for these teams. Needs public keys only.

    Raises `Denied` when a team has no key or it was swapped, `StoreUnavailable` when the expiry day's key cannot be written.
    """
    return add_key(tx, vault, scope, 1, current_public_keys(tx, vault, team_ids))


def add_key(
    tx: Connection, vault: Vault, scope: KeyScope, no: int, teams: Iterable[TeamKey], child: ChildKey | None = None
) -> ConversationKey:
    """Make key number `no` of a conversation and wrap it for the teams and the child; `child` saves work while its token is there.

    Raises `StoreUnavailable` when the expiry day's key cannot be written.
    """
    ordered = sorted(teams, key=lambda team: team.id)
    private = vault.new_private_key()
    day = vault.make_bucket(scope.expires_on) if no == 1 else vault.bucket(scope.expires_on)
    public = crypto.public_key(private)
    named = ",".join(team.id for team in ordered)
    row = {
        "conversation_id": scope.conversation_id, "no": no, "public_key": public, "teams": named,
        "child_wrap": _wrap_for_child(scope, day, no, private, child), "mac": key_mac(vault, scope, named, no, public),
    }  # fmt: skip
    _ADD_KEY.run(tx, row)
    _ADD_WRAPS.run(tx, *(_wrap(scope, day, no, private, team) for team in ordered))
    return ConversationKey(scope.conversation_id, no, public, private)


def add_wrap(tx: Connection, vault: Vault, scope: KeyScope, no: int, private: bytes, team: TeamKey) -> None:
    """Seal a conversation's private key to one team, and lock that under the expiry day's key."""
    _ADD_WRAPS.run(tx, _wrap(scope, vault.bucket(scope.expires_on), no, private, team))


def _wrap(scope: KeyScope, day: bytes, no: int, private: bytes, team: TeamKey) -> dict[str, Any]:
    bound = (scope.conversation_id, no, team.id, team.epoch)
    sealed = crypto.lock(day, crypto.seal(team.public_key, private, "conversation", *bound), "bucket", *bound)
    return {
        "conversation_id": scope.conversation_id, "no": no, "team_id": team.id, "epoch": team.epoch, "sealed": sealed,
        "first_form": False,
    }  # fmt: skip


def _wrap_for_child(scope: KeyScope, day: bytes, no: int, private: bytes, child: ChildKey | None) -> bytes | None:
    if scope.child_public_key is None:
        return None
    bound = (scope.conversation_id, no, _CHILD)
    if child is None:
        inner = crypto.seal(scope.child_public_key, private, "conversation", *bound)
    else:
        inner = child.lock(private, "conversation", *bound)
    return crypto.lock(day, inner, "bucket", *bound)


def drop_team_wraps(tx: Connection, conversation_id: str, team_id: str) -> None:
    """Let this team open none of this conversation's keys any more; the child and other teams still can."""
    tx.execute(key_wrap.delete().where(key_wrap.c.conversation_id == conversation_id, key_wrap.c.team_id == team_id))


def check_key(vault: Vault, scope: KeyScope, team_id: str, row: Any) -> None:
    """Raise `Denied` when a key's row was changed, or the conversation is in the queue of a team that it is not wrapped for."""
    crypto.demand_same(row.mac, key_mac(vault, scope, row.teams, row.no, row.public_key))
    if team_id not in row.teams.split(","):
        raise Denied


def sealing_key(vault: Vault, scope: KeyScope, team_id: str, row: Any) -> ConversationKey:
    """Return the key in force from its row. Raises `Denied` when it was swapped."""
    check_key(vault, scope, team_id, row)
    return ConversationKey(scope.conversation_id, row.no, row.public_key)


def binding_of(row: Any) -> tuple[str | int, ...]:
    """Return what a team's wrap is bound to: its conversation, number, team and epoch; before 0005 the team had no id in it."""
    if row.first_form:
        return row.conversation_id, row.no, f"team:{row.epoch}"
    return row.conversation_id, row.no, row.team_id, row.epoch


def open_team_wrap(vault: Vault, scope: KeyScope, row: Any, team_private: bytes) -> bytes:
    """Return a conversation's private key from a team's wrap, joined with its public key. Raises `Denied` for either if swapped."""
    bound = binding_of(row)
    inner = crypto.unlock(vault.bucket(scope.expires_on), row.sealed, "bucket", *bound)
    return _belongs(row, crypto.unseal(team_private, inner, "conversation", *bound))


def _open_child_wrap(vault: Vault, scope: KeyScope, row: Any, child: ChildKey) -> bytes:
    bound = (scope.conversation_id, row.no, _CHILD)
    inner = crypto.unlock(vault.bucket(scope.expires_on), row.child_wrap, "bucket", *bound)
    return _belongs(row, child.open(inner, "conversation", *bound))


def _belongs(row: Any, private: bytes) -> bytes:
    crypto.demand_same(row.public_key, crypto.public_key(private))
    return private


def open_keys(tx: Connection, vault: Vault, scope: KeyScope, team_id: str, opener: Unlocked | ChildKey) -> dict[int, bytes]:
    """Return the conversation's private keys that this opener can reach, by number. Raises `Denied` for one that was changed."""
    if isinstance(opener, Unlocked):
        return _open_as_member(tx, vault, scope, team_id, opener)
    found = {}
    query = sa.select(conversation_key, _IN_FORCE).join(conversation, conversation.c.id == conversation_key.c.conversation_id)
    mine = (conversation_key.c.conversation_id == scope.conversation_id, conversation_key.c.child_wrap.is_not(None))
    for row in tx.execute(query.where(*mine).order_by(conversation_key.c.no)):
        check_key(vault, scope, team_id, row)
        found[row.no] = _open_child_wrap(vault, scope, row, opener)
        in_force = row.in_force
    return _newest(found, in_force) if found else found


_IN_FORCE = conversation.c.key_no.label("in_force")


def _newest(found: dict[int, bytes], in_force: int) -> dict[int, bytes]:
    """Return them. Raises `Denied` when an older key was put in force again: who left may hold it.

    `in_force` must come from the statement that read the keys, so that a renewal beside it is no such thing.
    """
    if max(found) != in_force:
        raise Denied
    return found


def wraps(conversation_id: str) -> sa.Select[Any]:
    """Select the teams' wraps of a conversation, each with its conversation key."""
    same = sa.and_(conversation_key.c.conversation_id == key_wrap.c.conversation_id, conversation_key.c.no == key_wrap.c.no)
    return (
        sa.select(key_wrap, conversation_key.c.public_key, conversation_key.c.teams, conversation_key.c.mac)
        .join(conversation_key, same)
        .where(key_wrap.c.conversation_id == conversation_id)
        .order_by(key_wrap.c.no)
    )


def _open_as_member(tx: Connection, vault: Vault, scope: KeyScope, team_id: str, who: Unlocked) -> dict[int, bytes]:
    """One statement reads a person's team wraps together with the conversation's: during a rotation they always fit each other."""
    query = (
        wraps(scope.conversation_id)
        .add_columns(team_wrap.c.sealed.label("team_sealed"), _IN_FORCE)
        .join(conversation, conversation.c.id == key_wrap.c.conversation_id)
        .join(team_wrap, sa.and_(team_wrap.c.team_id == key_wrap.c.team_id, team_wrap.c.epoch == key_wrap.c.epoch))
        .where(team_wrap.c.person_id == who.person_id)
    )
    rows = tx.execute(query).all()
    for held in sorted({row.team_id for row in rows}):  # the alarm: nobody swapped a team's key in force
        team_private_keys(tx, vault, who, held, only_current=True)
    found: dict[int, bytes] = {}
    for row in rows:
        check_key(vault, scope, team_id, row)
        private = open_team_wrap(vault, scope, row, open_wrap(who, row.team_id, row.epoch, row.team_sealed))
        found.setdefault(row.no, private)
    return _newest(found, rows[0].in_force) if found else found


def key_mac(vault: Vault, scope: KeyScope, teams: str, no: int, public: bytes) -> bytes:
    """Bind a conversation's key to its teams and its child: a swapped or added one is noticed before anything is sealed for it.

    Raises `Denied` for a row that holds no text there.
    """
    if not isinstance(teams, str):
        raise Denied
    child = b"" if scope.child_public_key is None else scope.child_public_key
    return vault.row_mac("conversation-key", scope.conversation_id, *teams.split(","), child, no, public)
