"""The second step at the door: a code of one's own phone, or a recovery code. It guards the door; it opens no key.

The phone's secret is locked under the member key: who steals the database and the configuration reads none. A code counts
once. Five wrong ones hold the step for 15 minutes, in every session: who has the passphrase cannot try on.
"""

from __future__ import annotations

import re
import secrets
from datetime import datetime, timedelta
from enum import Enum

import sqlalchemy as sa
from sqlalchemy import Connection

from handoff import crypto
from handoff.accounts.sessions import Unlocked, pass_step
from handoff.clock import AHEAD
from handoff.crypto import Vault
from handoff.errors import Denied
from handoff.models import recovery_code, second_step

FAILURES = 5
HELD = timedelta(minutes=15)
RECOVERY_CODES = 8
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base32: no letter that looks like another
_LENGTH = 10  # 50 bits
_LOOKS_LIKE = str.maketrans("OIL", "011")


class Verdict(Enum):
    """What became of a code."""

    RIGHT = "right"
    WRONG = "wrong"
    HELD = "held"
    """Too many were wrong; no code counts for a while."""


def has(tx: Connection, person_id: str) -> bool:
    """Return whether this person has set up a second step."""
    return tx.execute(sa.select(second_step.c.person_id).where(second_step.c.person_id == person_id)).first() is not None


def codes_left(tx: Connection, person_id: str) -> int:
    """Return how many recovery codes were not used yet."""
    query = sa.select(sa.func.count()).select_from(recovery_code).where(recovery_code.c.person_id == person_id)
    return int(tx.execute(query).scalar_one())


def set_up(tx: Connection, vault: Vault, who: Unlocked, secret: bytes, code: str, now: datetime) -> list[str]:
    """Store a phone's secret, in the place of the one before; returns new recovery codes, to be shown once.

    This session has passed the step with it. Raises `Denied` when the code is not the phone's: it was not set up there.
    """
    counter = crypto.totp_counter(secret, _plain(code), now.timestamp())
    if counter is None:
        raise Denied
    forget(tx, who.person_id)
    sealed = crypto.lock(_lock_key(who), secret, "second-step", who.person_id)
    tx.execute(second_step.insert().values(person_id=who.person_id, sealed=sealed, counter=counter, failures=0, created_at=now))
    codes = ["".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH)) for _ in range(RECOVERY_CODES)]
    tx.execute(recovery_code.insert(), [{"person_id": who.person_id, "digest": _digest(vault, who, one)} for one in codes])
    pass_step(tx, who)
    return [f"{one[:5]}-{one[5:]}" for one in codes]


def check(tx: Connection, vault: Vault, who: Unlocked, code: str, now: datetime) -> Verdict:
    """Say what a code is worth, and note it: commit whatever the answer. A right one passes the step for this session.

    Locks the person's row of the step. Raises `Denied` for somebody who has none, or whose row was tampered with.
    """
    row = tx.execute(sa.select(second_step).where(second_step.c.person_id == who.person_id).with_for_update()).first()
    if row is None:
        raise Denied
    if row.held_until is not None and now < row.held_until <= now + HELD + AHEAD:
        return Verdict.HELD
    secret = crypto.unlock(_lock_key(who), row.sealed, "second-step", who.person_id)
    counter = crypto.totp_counter(secret, _plain(code), now.timestamp())
    mine = second_step.update().where(second_step.c.person_id == who.person_id)
    if counter is not None and counter > row.counter:
        tx.execute(mine.values(counter=counter, failures=0, held_until=None))
    elif _use_recovery_code(tx, vault, who, code):
        tx.execute(mine.values(failures=0, held_until=None))
    else:
        last = row.failures + 1 >= FAILURES
        tx.execute(mine.values(failures=0 if last else row.failures + 1, held_until=now + HELD if last else None))
        return Verdict.HELD if last else Verdict.WRONG
    pass_step(tx, who)
    return Verdict.RIGHT


def forget(tx: Connection, person_id: str) -> None:
    """Remove phone and recovery codes: they were bound to a key that is gone, or new ones take their place."""
    tx.execute(recovery_code.delete().where(recovery_code.c.person_id == person_id))
    tx.execute(second_step.delete().where(second_step.c.person_id == person_id))


def _use_recovery_code(tx: Connection, vault: Vault, who: Unlocked, code: str) -> bool:
    digest = _digest(vault, who, _plain(code).translate(_LOOKS_LIKE))
    mine = (recovery_code.c.person_id == who.person_id, recovery_code.c.digest == digest)
    return tx.execute(recovery_code.delete().where(*mine)).rowcount == 1


def _digest(vault: Vault, who: Unlocked, code: str) -> bytes:
    return vault.row_mac("recovery-code", who.person_id, code)


def _lock_key(who: Unlocked) -> bytes:
    return crypto.derive(who.private_key, "second-step")


def _plain(code: str) -> str:
    """Upper case, without what people put between: `123 456`, `abcde-fghjk`."""
    return re.sub(r"[^0-9A-Z]", "", code.upper())[:64]
