"""The newest line of the audit, kept outside the database: whoever cuts off the end of the table is found out.

A small file in the key directory, signed by the server. It only moves on from a line that is still there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import sqlalchemy as sa
import structlog
from sqlalchemy import Connection

from handoff.crypto import Vault, demand_same
from handoff.database.after_commit import after_commit
from handoff.errors import Denied, StoreUnavailable
from handoff.models import audit_entry

log = structlog.get_logger()

_FILE = "audit.head"


@dataclass(frozen=True, slots=True)
class Head:
    """A line's number and mac: it stands for that line and all before it."""

    no: int
    mac: bytes

    def as_text(self, vault: Vault) -> str:
        """One signed line of text, to keep with a backup or on paper."""
        return f"{self.no} {self.mac.hex()} {vault.row_mac('audit-head', self.no, self.mac).hex()}"


def from_text(vault: Vault, text: str) -> Head:
    """Read it back. Raises `Denied` when the server did not sign it."""
    try:
        no, mac, signature = text.split()
        found = Head(int(no), bytes.fromhex(mac))
        demand_same(bytes.fromhex(signature), vault.row_mac("audit-head", found.no, found.mac))
    except ValueError:
        raise Denied from None
    return found


def known(vault: Vault) -> Head | None:
    """Return the newest line as it is known outside the database; None before the first.

    Raises `Denied` for a file that the server did not sign.
    """
    try:
        text = vault.key_files.read(_FILE)
    except Denied:
        return None
    return from_text(vault, text.decode("ascii", "replace"))


def accept(vault: Vault, head: Head) -> None:
    """Take this line for the newest from now on. Raises `StoreUnavailable`."""
    vault.key_files.replace(_FILE, f"{head.as_text(vault)}\n".encode("ascii"))


def advance(tx: Connection, vault: Vault, before: Head, newest: Head) -> None:
    """Move on to the line that was just added, once it is committed; not when what was known before is not there any more.

    While the key directory is away nothing is refused for it: a child erases, a human gives back. The next line moves it on.
    """
    try:
        there = _is_there(tx, vault, before)
    except StoreUnavailable:
        return
    if there:
        after_commit(tx, partial(_move, vault, newest))
    else:
        log.error("audit_cut_off", newest=before.no)


def _is_there(tx: Connection, vault: Vault, before: Head) -> bool:
    try:
        outside = known(vault)
    except Denied:
        return False
    if outside is None or outside == before:
        return True
    if outside.no > before.no:
        return False
    at = sa.select(audit_entry.c.mac).where(audit_entry.c.no == outside.no)
    return outside.no == 0 or tx.execute(at).scalar_one_or_none() == outside.mac


def _move(vault: Vault, newest: Head) -> None:
    """Never back: of two processes the one that committed last may come first."""
    outside = known(vault)
    if outside is None or outside.no < newest.no:
        accept(vault, newest)
