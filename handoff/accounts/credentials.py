"""Persons of a gemeente, with their member key behind a passphrase: adding, locking, and the first two steps of signing in.

Signing in is three steps, because Argon2 is slow and must never hold a transaction: `look_up` (transaction), `unlock`
(none), `handoff.accounts.sessions.open_session` or `note_failure` (transaction). An unknown login does the same work as a
known one and gets the same answer.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from handoff import crypto
from handoff.accounts.passphrases import plain
from handoff.clock import AHEAD
from handoff.crypto import Cost, Vault
from handoff.errors import Conflict, Denied
from handoff.models import person

FAILURES = 5
LOCKED = timedelta(minutes=15)
SHORTEST_PASSPHRASE = 15  # characters, when someone chooses their own
_LONGEST_PASSPHRASE = 1024
_LOGIN = re.compile(r"[a-z0-9._@+-]{1,64}")
KEY = ("public_key", "kdf", "salt", "locked_key", "own_proof", "door_tag")
"""The columns that hold a member key, and whether it is the person's own (`is_own`)."""
_COLUMNS = ("municipality_id", "role", "first_name", *KEY)


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
    own_proof: bytes | None = field(repr=False)
    door_tag: int | None = field(repr=False)
    """None for a passphrase from before there were tags: nothing is turned away at once."""


@dataclass(frozen=True, slots=True)
class LockedKey:
    """A member key behind a passphrase, ready to be stored. Made outside any transaction (`new_key`, `lock_key`)."""

    person_id: str
    public_key: bytes = field(repr=False)
    kdf: str
    salt: bytes = field(repr=False)
    locked_key: bytes = field(repr=False)
    own_proof: bytes | None = field(repr=False)
    """None while the passphrase is one that somebody printed."""
    door_tag: int = field(repr=False)


_NOBODY = LoginRow("", "", "", "", b"", "", bytes(16), bytes(61), None, 0)


def new_key(vault: Vault, passphrase: str, *, person_id: str | None = None) -> LockedKey:
    """A fresh member key behind a passphrase that is printed for one use, for a new person or (`replace_key`) for one who forgot.

    Slow (Argon2): outside any transaction.

    Raises `Conflict` for a short passphrase.
    """
    key = lock_key(vault, person_id or secrets.token_urlsafe(16), vault.new_private_key(), passphrase)
    return replace(key, own_proof=None)


def lock_key(vault: Vault, person_id: str, private_key: bytes, passphrase: str) -> LockedKey:
    """Put a member key behind a passphrase that its owner alone knows, with the proof of that (`is_own`).

    Slow (Argon2): outside any transaction. Raises `Conflict` for a short passphrase.
    """
    phrase = plain(passphrase)
    if not SHORTEST_PASSPHRASE <= len(phrase) <= _LONGEST_PASSPHRASE:
        raise Conflict(f"a passphrase has at least {SHORTEST_PASSPHRASE} characters")
    salt, kdf = secrets.token_bytes(16), str(vault.cost)
    key = vault.stretch(phrase, salt, vault.cost)
    public, locked = crypto.public_key(private_key), crypto.lock(key, private_key, "member", person_id, kdf)
    proof = _proof(vault, person_id, public, kdf, salt, locked)
    return LockedKey(person_id, public, kdf, salt, locked, proof, _tag(vault, person_id, salt, phrase))


def may_fit(vault: Vault, row: LoginRow, login: str, passphrase: str) -> bool:
    """Before step 2: whether the passphrase could be the right one at all. Costs microseconds, where `unlock` costs half a second.

    One wrong passphrase in 4096 may fit, also for a login that nobody has: a quick answer tells nothing of who exists.
    """
    if row.door_tag is None:
        return True
    return _tag(vault, row.person_id or f"nobody {login_name(login)}", row.salt, plain(passphrase)) == row.door_tag


def _tag(vault: Vault, person_id: str, salt: bytes, phrase: str) -> int:
    """Twelve of the passphrase's 78 bits. Without the server's secret it tells nothing; with it, 66 bits are left to guess."""
    return int.from_bytes(vault.row_mac("door-tag", person_id, salt, phrase[:_LONGEST_PASSPHRASE])[:2], "big") >> 4


def is_own(vault: Vault, person_id: str, row: Any) -> bool:
    """Whether the person made this key and chose its passphrase: otherwise somebody who printed it holds the key as well.

    `row` has the columns of `KEY`. Who writes in the database cannot make the proof, and that of one key fits no other.
    """
    try:
        expected = _proof(vault, person_id, row.public_key, row.kdf, row.salt, row.locked_key)
        crypto.demand_same(row.own_proof, expected)
    except Denied:
        return False
    return True


def _proof(vault: Vault, *parts: str | bytes) -> bytes:
    return vault.row_mac("own-key", *parts)


def insert_person(
    tx: Connection,
    key: LockedKey,
    *,
    municipality_id: str,
    login: str,
    first_name: str,
    role: str,
    now: datetime,
) -> str:
    """Store a person with their key; returns the person's id. Raises `Conflict` for a taken login."""
    name = login_name(login)
    if not name:
        raise Conflict("a login is 1 to 64 of: a-z 0-9 . _ @ + -")
    if tx.execute(sa.select(person.c.id).where(person.c.login == name)).first():
        raise Conflict("this login is taken")
    tx.execute(
        person.insert().values(
            id=key.person_id, municipality_id=municipality_id, login=name, first_name=first_name, role=role,
            created_at=now, **_key_columns(key),
        )
    )  # fmt: skip
    return key.person_id


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
    private = crypto.unlock(key, row.locked_key, "member", row.person_id, row.kdf)
    crypto.demand_same(row.public_key, crypto.public_key(private))
    return private


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
    held = sa.and_(person.c.locked_until > now, person.c.locked_until <= now + LOCKED + AHEAD)
    last = person.c.failures >= FAILURES - 1
    tx.execute(
        person.update()
        .where(person.c.id == row.person_id)
        .values(
            failures=sa.case((held, person.c.failures), (last, 0), else_=person.c.failures + 1),
            locked_until=sa.case((held, person.c.locked_until), (last, sa.literal(now + LOCKED, person.c.locked_until.type))),
        )
    )


def is_held(locked_until: datetime | None, now: datetime) -> bool:
    """Whether an account is held after failures. A hold longer than a hold can be is from a clock that ran ahead, and void."""
    return locked_until is not None and now < locked_until <= now + LOCKED + AHEAD


def store_key(tx: Connection, key: LockedKey) -> None:
    """Put a member key in the place of the one that was there. What was sealed to the old one is the caller's care."""
    tx.execute(person.update().where(person.c.id == key.person_id).values(**_key_columns(key)))


def _key_columns(key: LockedKey) -> dict[str, bytes | str | int | None]:
    return {name: getattr(key, name) for name in KEY}


def login_name(login: str) -> str:
    """The login as it is stored; empty, which fits nobody, for anything that cannot be a login."""
    name = login.strip().casefold()
    return name if _LOGIN.fullmatch(name) else ""
