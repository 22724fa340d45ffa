"""Sessions that any process can serve, and what ends them.

A session's row holds the member key locked under a key that only the cookie gives; the cookie itself is stored nowhere.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from handoff import crypto
from handoff.accounts.credentials import KEY, LockedKey, LoginRow, is_held, is_own, store_key
from handoff.clock import CORRECTION, is_recent
from handoff.crypto import Vault
from handoff.errors import Denied
from handoff.models import membership, person, session, team_wrap

IDLE = timedelta(minutes=15)
LONGEST = timedelta(hours=8)


@dataclass(frozen=True, slots=True)
class Unlocked:
    """A person who is signed in, for the length of one request. Its repr shows no key."""

    person_id: str
    municipality_id: str
    role: str
    first_name: str
    session_id: bytes = field(repr=False)
    private_key: bytes = field(repr=False)
    must_renew: bool
    owes_step: bool = False
    """The second step at the door is still to be taken (`handoff.accounts.second_step`): nothing may be shown yet."""


def replace_key(tx: Connection, key: LockedKey) -> None:
    """A forgotten passphrase: a new key under the old account, made with `new_key(..., person_id=...)`.

    It opens nothing until a colleague grants again. `granted_by` stays: it says that the old key was granted once.

    Everything that was sealed to the old key is dropped, all sessions end, and the passphrase must be renewed.

    Raises `Denied` for a key that is said to be the person's own: an operator made it.
    """
    if key.own_proof is not None:
        raise Denied
    person_id = key.person_id
    tx.execute(team_wrap.delete().where(team_wrap.c.person_id == person_id))
    tx.execute(membership.update().where(membership.c.person_id == person_id).values(granted_at=None))
    store_key(tx, key)
    end_all_sessions(tx, person_id)


def open_session(
    tx: Connection,
    vault: Vault,
    row: LoginRow,
    private_key: bytes,
    *,
    now: datetime,
    known_device: bool = False,
    owes_step: bool = False,
) -> bytes:
    """Step 3: the new session's cookie (32 bytes, kept nowhere). With `owes_step` it shows nothing until `pass_step`.

    Raises `Denied` while the account is held after failures (not for a known device: guesses of strangers must not keep the
    owner out; not for a printed passphrase, which knows no device yet), or when it was disabled or got another passphrase since
    `look_up`.
    """
    account = tx.execute(
        sa.select(person.c.locked_key, person.c.locked_until, person.c.disabled_at)
        .where(person.c.id == row.person_id)
        .with_for_update()
    ).first()
    if account is None or account.disabled_at is not None or account.locked_key != row.locked_key:
        raise Denied
    if is_held(account.locked_until, now) and not known_device and row.own_proof is not None:
        raise Denied
    tx.execute(person.update().where(person.c.id == row.person_id).values(failures=0, locked_until=None))
    return _begin(tx, vault, row.person_id, private_key, now, owes_step=owes_step)


def _begin(tx: Connection, vault: Vault, person_id: str, private_key: bytes, now: datetime, *, owes_step: bool) -> bytes:
    cookie = secrets.token_bytes(crypto.TOKEN_BYTES)
    session_id, key = vault.session_keys(cookie)
    expires = now + LONGEST
    locked = crypto.lock(key, private_key, "session", person_id, session_id, _moment(expires))
    tx.execute(
        session.insert().values(
            id=session_id, person_id=person_id, locked_key=locked, created_at=now, expires_at=expires, last_seen_at=now,
            step_owed=owes_step,
        )
    )  # fmt: skip
    return cookie


def resume(tx: Connection, vault: Vault, cookie: bytes, *, now: datetime, touch: bool = True) -> Unlocked:
    """The person behind a cookie, in any process.

    Raises `Denied`: unknown, ended, 15 minutes idle, 8 hours old, disabled, tampered with.

    `touch` counts this as a sign of life, which writes: give it a writing transaction. A page's own polling passes
    `touch=False`, reads only, and keeps no one signed in.
    """
    if len(cookie) != crypto.TOKEN_BYTES:
        raise Denied
    session_id, key = vault.session_keys(cookie)
    row = _session_row(tx, session_id)
    if row is None or row.disabled_at is not None or not _is_alive(row, now):
        raise Denied
    bound = ("session", row.person_id, row.id, _moment(row.expires_at))
    private = crypto.unlock(key, row.session_lock, *bound)
    crypto.demand_same(row.public_key, crypto.public_key(private))
    if touch:
        tx.execute(session.update().where(session.c.id == row.id).values(last_seen_at=now))
    printed = not is_own(vault, row.person_id, row)
    return Unlocked(row.person_id, row.municipality_id, row.role, row.first_name, row.id, private, printed, row.step_owed)


def renew_passphrase(tx: Connection, unlocked: Unlocked, key: LockedKey) -> None:
    """Store the lock that `lock_key` made with the new passphrase.

    Ends the person's other sessions; grants and history stay. Raises `Denied` for another key, and while the passphrase is
    one that somebody printed: then the key was in other hands as well (`handoff.keys.first_sign_in`).
    """
    same = key.person_id == unlocked.person_id and key.public_key == crypto.public_key(unlocked.private_key)
    if unlocked.must_renew or key.own_proof is None or not same:
        raise Denied
    store_key(tx, key)
    _end_other_sessions(tx, unlocked)


def relock_session(tx: Connection, vault: Vault, unlocked: Unlocked, cookie: bytes, private_key: bytes) -> Unlocked:
    """From now on this session's cookie opens another member key; all other sessions of the person end.

    Raises `Denied` when the cookie is not this session's.
    """
    session_id, key = vault.session_keys(cookie)
    crypto.demand_same(session_id, unlocked.session_id)
    here = (session.c.id == session_id, session.c.person_id == unlocked.person_id)
    expires = tx.execute(sa.select(session.c.expires_at).where(*here)).scalar_one_or_none()
    if expires is None:
        raise Denied
    locked = crypto.lock(key, private_key, "session", unlocked.person_id, session_id, _moment(expires))
    tx.execute(session.update().where(*here).values(locked_key=locked))
    _end_other_sessions(tx, unlocked)
    return replace(unlocked, private_key=private_key, must_renew=False)


def pass_step(tx: Connection, unlocked: Unlocked) -> None:
    """The second step was taken in this session."""
    tx.execute(session.update().where(session.c.id == unlocked.session_id).values(step_owed=False))


def end_session(tx: Connection, session_id: bytes) -> None:
    """Sign out: no process serves this cookie any more."""
    tx.execute(session.delete().where(session.c.id == session_id))


def end_all_sessions(tx: Connection, person_id: str) -> None:
    """Sign a person out everywhere."""
    tx.execute(session.delete().where(session.c.person_id == person_id))


def _end_other_sessions(tx: Connection, unlocked: Unlocked) -> None:
    tx.execute(session.delete().where(session.c.person_id == unlocked.person_id, session.c.id != unlocked.session_id))


def forget_old_sessions(tx: Connection, *, now: datetime) -> int:
    """Remove the rows of sessions that have ended by themselves; returns how many."""
    gone = sa.or_(session.c.expires_at <= now, session.c.last_seen_at <= now - IDLE)
    return tx.execute(session.delete().where(gone)).rowcount


def _session_row(tx: Connection, session_id: bytes) -> sa.Row[Any] | None:
    mine = (session.c.id, session.c.person_id, session.c.expires_at, session.c.last_seen_at, session.c.step_owed)
    whose = (person.c[name] for name in ("municipality_id", "role", "first_name", "disabled_at", *KEY))
    query = sa.select(*mine, session.c.locked_key.label("session_lock"), *whose).join(person, person.c.id == session.c.person_id)
    return tx.execute(query.where(session.c.id == session_id)).first()


def _is_alive(row: sa.Row[Any], now: datetime) -> bool:
    """Neither old nor idle, nor from a clock that ran far ahead: after a correction nobody stays signed in much longer than was
    meant, and nobody is thrown out of a chat for a correction of a minute."""
    not_old = now < row.expires_at <= now + LONGEST + CORRECTION
    return not_old and is_recent(row.last_seen_at, within=IDLE, now=now, ahead=CORRECTION)


def _moment(at: datetime) -> str:
    """The same text before and after the database, whatever zone it was given in."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
