"""The chain of the audit lines: each mac covers the line and the mac before it, so none can be changed or taken out unseen.

Whoever writes in the database cannot make a mac. What they can do is cut off the end: for that `handoff.audit.head` is outside.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from handoff.audit.head import Head
from handoff.crypto import Vault, demand_same
from handoff.errors import Denied
from handoff.models import audit_entry

_LOCK = 0x50726161
"""PostgreSQL's number for our one chain. SQLite has one writer."""
_AT_ONCE = 1000
_FIELDS = ("municipality_id", "person_id", "action", "object", "result", "origin")
c = audit_entry.c


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was written."""

    no: int
    """The number of the line."""
    kind: str
    """`changed`, `missing` (some of the lines before this one), `added`, or `cut_off` (this one was the newest)."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found."""

    lines: int
    """Lines of the chain."""
    head: Head
    """The newest one."""
    findings: list[Finding]
    """Empty when all is well."""


def last(tx: Connection, vault: Vault) -> Head:
    """Return the newest line, and let every other writer wait until the commit. Before the first one: what stood there before."""
    if tx.dialect.name == "postgresql":
        tx.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    row = tx.execute(sa.select(c.no, c.mac).where(c.no.is_not(None)).order_by(c.no.desc()).limit(1)).first()
    return Head(row.no, row.mac) if row else Head(0, _before_the_chain(tx, vault))


def mac_of(vault: Vault, before: bytes, line: Any) -> bytes:
    """Return the mac of a line that follows on the mac `before`. Raises `Denied` for values that no line of ours has."""
    return vault.row_mac("audit", before, line.no, *_parts(line))


def _parts(line: Any) -> list[Any]:
    at = line.at
    if not isinstance(at, datetime):
        raise Denied
    values = [getattr(line, name) for name in _FIELDS]
    return [at.astimezone(UTC).isoformat(timespec="microseconds"), *(b"" if value is None else value for value in values)]


def _before_the_chain(tx: Connection, vault: Vault) -> bytes:
    """Stand for all lines from before there was a chain: none can be added to them or changed afterwards."""
    mac = b""
    for row in tx.execute(sa.select(audit_entry).where(c.no.is_(None)).order_by(c.id)):
        mac = vault.row_mac("audit-before", mac, row.id, *_parts(row))
    return mac


def verify(tx: Connection, vault: Vault, heads: Sequence[Head]) -> Report:
    """Check every line, and that the newest line of each of `heads`, which were kept elsewhere, is still there.

    Read `heads` before this transaction begins: what is written meanwhile is then no fault.
    """
    findings: list[Finding] = []
    before, count = Head(0, _before_the_chain(tx, vault)), 0
    kept = {head.no: head for head in heads}
    for row in _rows(tx):
        findings += _of_line(vault, before, row)
        if row.no in kept and not _same(row.mac, kept[row.no].mac):
            findings.append(Finding(row.no, "changed"))
        before, count = Head(row.no, row.mac), count + 1
    findings += [Finding(head.no, "cut_off") for head in heads if head.no > before.no]
    return Report(count, before, list(dict.fromkeys(findings)))


def _of_line(vault: Vault, before: Head, row: Any) -> list[Finding]:
    if row.no != before.no + 1:
        return [Finding(row.no, "missing" if row.no > before.no else "added")]
    try:
        fits = _same(row.mac, mac_of(vault, before.mac, row))
    except Denied:
        fits = False
    return [] if fits else [Finding(row.no, "changed")]


def _same(found: object, expected: bytes) -> bool:
    try:
        demand_same(found, expected)
    except Denied:
        return False
    return True


def _rows(tx: Connection) -> Iterator[Any]:
    reached = 0
    while True:
        some = tx.execute(sa.select(audit_entry).where(c.no > reached).order_by(c.no, c.id).limit(_AT_ONCE)).all()
        yield from some
        if len(some) < _AT_ONCE:
            return
        reached = some[-1].no
