"""What a moment in the database may still mean when a clock was put back: a sign of life from the future is none."""

from __future__ import annotations

from datetime import datetime, timedelta

AHEAD = timedelta(seconds=5)
"""How far the clocks of two machines may lie apart. What lies further ahead was written by a clock that is wrong by now."""


CORRECTION = timedelta(minutes=15)
"""By so much a clock may be put back without throwing out who is signed in: they may sit with a child."""


def is_recent(moment: datetime | None, *, within: timedelta, now: datetime, ahead: timedelta = AHEAD) -> bool:
    """Return whether this sign of life is at most `within` old, and not from a clock that ran further `ahead`."""
    return moment is not None and now - within < moment <= now + ahead
