"""Persons of a gemeente: their member key behind a passphrase, and sessions that any process can serve.

Signing in is three steps, because Argon2 is slow and must never hold a transaction: `look_up` (transaction), `unlock`
(none), `open_session` or `note_failure` (transaction). An unknown login does the same work as a known one and gets the
same answer. A session's row holds the member key locked under a key that only the cookie gives; the cookie itself is
stored nowhere.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from handoff import vault as v
from handoff.errors import Conflict, Denied
from handoff.models import membership, person, session, team_wrap
from handoff.phrases import plain
from handoff.vault import Cost, Vault

IDLE = timedelta(minutes=15)
LONGEST = timedelta(hours=8)
FAILURES = 5
LOCKED = timedelta(minutes=15)
SHORTEST_PASSPHRASE = 15  # characters, when someone chooses their own
_LONGEST_PASSPHRASE = 1024
_LOGIN = re.compile(r"[a-z0-9._@+-]{1,64}")
_COLUMNS = ("municipality_id", "role", "first_name", "public_key", "kdf", "salt", "locked_key", "must_renew")


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


@dataclass(frozen=True, slots=True)
class LoginRow:
    """What signing in needs of a person; for an unknown login a stand-in (empty `person_id`) that no passphrase fits."""

    person_id: str
    municipality_id: str
    role: str
    first_name: str
    public_key: bytes = field(repr=False)
    kdf: str
    salt: bytes = field(repr=False)
    locked_key: bytes = field(repr=False)
    must_renew: bool


@dataclass(frozen=True, slots=True)
class LockedKey:
    """A member key behind a passphrase, ready to be stored. Made outside any transaction (`lock_key`)."""

    person_id: str
    public_key: bytes = field(repr=False)
    kdf: str
    salt: bytes = field(repr=False)
    locked_key: bytes = field(repr=False)


_NOBODY = LoginRow("", "", "", "", b"", "", bytes(16), bytes(61), must_renew=False)


def new_key(vault: Vault, passphrase: str, *, person_id: str | None = None) -> LockedKey:
    """A fresh member key, for a new person or (`replace_key`) for one who forgot.

    Slow (Argon2): outside any transaction.

    Raises `Conflict` for a short passphrase.
    """
    return lock_key(vault, person_id or secrets.token_urlsafe(16), vault.new_private_key(), passphrase)


def lock_key(vault: Vault, person_id: str, private_key: bytes, passphrase: str) -> LockedKey:
    """Put a member key behind a passphrase.

    Slow (Argon2): outside any transaction. Raises `Conflict` for a short passphrase.
    """
    phrase = plain(passphrase)
    if not SHORTEST_PASSPHRASE <= len(phrase) <= _LONGEST_PASSPHRASE:
        raise Conflict(f"a passphrase has at least {SHORTEST_PASSPHRASE} characters")
    salt, kdf = secrets.token_bytes(16), str(vault.cost)
    key = vault.stretch(phrase, salt, vault.cost)
    return LockedKey(person_id, v.public_key(private_key), kdf, salt, v.lock(key, private_key, "member", person_id, kdf))


def add_person(
    tx: Connection,
    vault: Vault,
    *,
    municipality_id: str,
    login: str,
    first_name: str,
    role: str,
    passphrase: str,
    must_renew: bool,
    now: datetime,
) -> str:
    """Add a person and their member key, which opens nothing yet; returns the person's id.

    Raises `Conflict` for a taken login.

    Runs Argon2 inside the transaction: for set-up and tests. A running server makes `new_key` first and calls
    `insert_person`.
    """
    key = new_key(vault, passphrase)
    return insert_person(
        tx, key, municipality_id=municipality_id, login=login, first_name=first_name, role=role, must_renew=must_renew, now=now
    )


def insert_person(
    tx: Connection,
    key: LockedKey,
    *,
    municipality_id: str,
    login: str,
    first_name: str,
    role: str,
    must_renew: bool,
    now: datetime,
) -> str:
    """Store a person with the key that `new_key` made; returns the person's id. Raises `Conflict` for a taken login."""
    name = login_name(login)
    if not name:
        raise Conflict("a login is 1 to 64 of: a-z 0-9 . _ @ + -")
    if tx.execute(sa.select(person.c.id).where(person.c.login == name)).first():
        raise Conflict("this login is taken")
    tx.execute(
        person.insert().values(
            id=key.person_id, municipality_id=municipality_id, login=name, first_name=first_name, role=role,
            must_renew=must_renew, created_at=now, **_key_columns(key),
        )
    )  # fmt: skip
    return key.person_id


def replace_key(tx: Connection, key: LockedKey) -> None:
    """A forgotten passphrase: a new key under the old account, made with `new_key(..., person_id=...)`.

    It opens nothing until a colleague grants again. `granted_by` stays: it says that the old key was granted once.

    Everything that was sealed to the old key is dropped, all sessions end, and the passphrase must be renewed.
    """
    person_id = key.person_id
    tx.execute(team_wrap.delete().where(team_wrap.c.person_id == person_id))
    tx.execute(membership.update().where(membership.c.person_id == person_id).values(granted_at=None))
    store_key(tx, key, must_renew=True)
    end_all_sessions(tx, person_id)


def look_up(tx: Connection, login: str) -> LoginRow:
    """Step 1 of signing in.

    Also gives a row for an unknown or disabled login: the caller cannot tell, and does the same work.
    """
    columns = [person.c.id.label("person_id"), *(person.c[name] for name in _COLUMNS)]
    found = tx.execute(sa.select(*columns).where(person.c.login == login_name(login), person.c.disabled_at.is_(None))).first()
    return LoginRow(**found._asdict()) if found else _NOBODY


def unlock(vault: Vault, row: LoginRow, passphrase: str) -> bytes:
    """Step 2, outside any transaction: the member's private key.

    Slow (Argon2, at most two at once). Raises `Denied`.
    """
    cost = Cost.parse(row.kdf) if row.kdf else vault.cost
    key = vault.stretch(plain(passphrase)[:_LONGEST_PASSPHRASE], row.salt, cost)
    private = v.unlock(key, row.locked_key, "member", row.person_id, row.kdf)
    v.demand_same(row.public_key, v.public_key(private))
    return private


def open_session(
    tx: Connection, vault: Vault, row: LoginRow, private_key: bytes, *, now: datetime, known_device: bool = False
) -> bytes:
    """Step 3: the new session's cookie (32 bytes, kept nowhere).

    Raises `Denied` while the account is held after failures (not for a known device: guesses of strangers must not keep the
    owner out), or when it was disabled or got another passphrase since `look_up`.
    """
    account = tx.execute(
        sa.select(person.c.locked_key, person.c.locked_until, person.c.disabled_at)
        .where(person.c.id == row.person_id)
        .with_for_update()
    ).first()
    if account is None or account.disabled_at is not None or account.locked_key != row.locked_key:
        raise Denied
    if (account.locked_until or now) > now and not known_device:
        raise Denied
    tx.execute(person.update().where(person.c.id == row.person_id).values(failures=0, locked_until=None))
    cookie = secrets.token_bytes(v.TOKEN_BYTES)
    session_id, key = vault.session_keys(cookie)
    expires = now + LONGEST
    locked = v.lock(key, private_key, "session", row.person_id, session_id, _moment(expires))
    tx.execute(
        session.insert().values(
            id=session_id, person_id=row.person_id, locked_key=locked, created_at=now, expires_at=expires, last_seen_at=now
        )
    )
    return cookie


def note_failure(tx: Connection, row: LoginRow, now: datetime) -> None:
    """Step 3 after a wrong passphrase: the fifth in a row holds the account for 15 minutes, also for the right
    passphrase.

    Guesses while it is held do not prolong it. For an unknown login one row is written back unchanged: the same work,
    the same wait.
    """
    if not row.person_id:
        anyone = sa.select(sa.func.min(person.c.id)).scalar_subquery()
        tx.execute(person.update().where(person.c.id == anyone).values(failures=person.c.failures))
        return
    held = sa.and_(person.c.locked_until.is_not(None), person.c.locked_until > now)
    last = person.c.failures >= FAILURES - 1
    tx.execute(
        person.update()
        .where(person.c.id == row.person_id)
        .values(
            failures=sa.case((held, person.c.failures), (last, 0), else_=person.c.failures + 1),
            locked_until=sa.case((held, person.c.locked_until), (last, sa.literal(now + LOCKED, person.c.locked_until.type))),
        )
    )


def resume(tx: Connection, vault: Vault, cookie: bytes, *, now: datetime, touch: bool = True) -> Unlocked:
    """The person behind a cookie, in any process.

    Raises `Denied`: unknown, ended, 15 minutes idle, 8 hours old, disabled, tampered with.

    `touch` counts this as a sign of life, which writes: give it a writing transaction. A page's own polling passes
    `touch=False`, reads only, and keeps no one signed in.
    """
    if len(cookie) != v.TOKEN_BYTES:
        raise Denied
    session_id, key = vault.session_keys(cookie)
    row = _session_row(tx, session_id)
    if row is None or row.disabled_at is not None or now >= row.expires_at or now - row.last_seen_at >= IDLE:
        raise Denied
    bound = ("session", row.person_id, row.id, _moment(row.expires_at))
    private = v.unlock(key, row.locked_key, *bound)
    v.demand_same(row.public_key, v.public_key(private))
    if touch:
        tx.execute(session.update().where(session.c.id == row.id).values(last_seen_at=now))
    return Unlocked(row.person_id, row.municipality_id, row.role, row.first_name, row.id, private, must_renew=row.must_renew)


def renew_passphrase(tx: Connection, unlocked: Unlocked, key: LockedKey) -> None:
    """Store the lock that `lock_key` made with the new passphrase.

    Ends the person's other sessions; grants and history stay. Raises `Denied` for another key, and while the passphrase is
    one that somebody printed: then the key was in other hands as well (`handoff.renewal`).
    """
    if unlocked.must_renew or key.person_id != unlocked.person_id or key.public_key != v.public_key(unlocked.private_key):
        raise Denied
    store_key(tx, key, must_renew=False)
    _end_other_sessions(tx, unlocked)


def store_key(tx: Connection, key: LockedKey, *, must_renew: bool) -> None:
    """Put a member key in the place of the one that was there. What was sealed to the old one is the caller's care."""
    tx.execute(person.update().where(person.c.id == key.person_id).values(must_renew=must_renew, **_key_columns(key)))


def relock_session(tx: Connection, vault: Vault, unlocked: Unlocked, cookie: bytes, private_key: bytes) -> Unlocked:
    """From now on this session's cookie opens another member key; all other sessions of the person end.

    Raises `Denied` when the cookie is not this session's.
    """
    session_id, key = vault.session_keys(cookie)
    v.demand_same(session_id, unlocked.session_id)
    here = (session.c.id == session_id, session.c.person_id == unlocked.person_id)
    expires = tx.execute(sa.select(session.c.expires_at).where(*here)).scalar_one_or_none()
    if expires is None:
        raise Denied
    locked = v.lock(key, private_key, "session", unlocked.person_id, session_id, _moment(expires))
    tx.execute(session.update().where(*here).values(locked_key=locked))
    _end_other_sessions(tx, unlocked)
    return replace(unlocked, private_key=private_key, must_renew=False)


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
    columns = (person.c.municipality_id, person.c.role, person.c.first_name, person.c.public_key, person.c.must_renew)
    query = sa.select(session, person.c.disabled_at, *columns).join(person, person.c.id == session.c.person_id)
    return tx.execute(query.where(session.c.id == session_id)).first()


def _key_columns(key: LockedKey) -> dict[str, bytes | str]:
    return {"public_key": key.public_key, "kdf": key.kdf, "salt": key.salt, "locked_key": key.locked_key}


def login_name(login: str) -> str:
    """The login as it is stored; empty, which fits nobody, for anything that cannot be a login."""
    name = login.strip().casefold()
    return name if _LOGIN.fullmatch(name) else ""


def _moment(at: datetime) -> str:
    """The same text before and after the database, whatever zone it was given in."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
