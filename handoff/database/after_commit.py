"""What is done when a transaction has really been committed: outside the database, where nothing could be undone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog
from sqlalchemy import Connection

log = structlog.get_logger()

_KEY = "praat.after_commit"

Deed = Callable[[], object]
"""Quick, and safe to do twice or not at all: a process can end between the commit and this."""


def after_commit(tx: Connection, deed: Deed) -> None:
    """Do this once the transaction has been committed, before its caller hears of it; nothing is done after a rollback."""
    tx.info.setdefault(_KEY, []).append(deed)


def take_deeds(tx: Connection) -> list[Deed]:
    """Remove and return what was asked on this connection (for the stores alone)."""
    deeds: list[Deed] = tx.info.pop(_KEY, [])
    return deeds


def do_all(deeds: Sequence[Deed]) -> None:
    """Do them (for the stores alone). A fault is logged by its kind: what was committed stays so."""
    for deed in deeds:
        try:
            deed()
        except Exception as error:  # noqa: BLE001 - the caller's work was committed, whatever this was
            log.error("after_commit_failed", kind=type(error).__name__)
