"""Published scripts. A message of the bot points at a version that is kept for as long as a chat may show it."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from config.schema import Script
from handoff.models import script_version


def store(tx: Connection, script: Script, now: datetime) -> None:
    """Store this version for good; storing the same one again changes nothing."""
    if not tx.execute(sa.select(script_version.c.version).where(script_version.c.version == script.version)).first():
        values = {"version": script.version, "body": script.model_dump_json(), "published_at": now}
        tx.execute(script_version.insert().values(**values))


def load(tx: Connection, version: str) -> Script:
    """Return a version that some message points at (the foreign key guarantees that it exists)."""
    body = tx.execute(sa.select(script_version.c.body).where(script_version.c.version == version)).scalar_one()
    return Script.model_validate_json(body)
