"""How many connections fit in what the system lets this process open."""

from __future__ import annotations

import resource
from pathlib import Path

from bot.edge.connections import SPARE

RESERVED = 128
"""Descriptors that no connection may take: the database, key files, what channels open, the files that are watched."""

MOST = 16_384
"""More connections than this would fill a small machine's memory, whatever the system allows."""

LEAST = 16


def places(limit: int, in_use: int) -> int:
    """How many connections may be open at once when `limit` descriptors may, and `in_use` are."""
    return max(LEAST, min(MOST, limit - in_use - RESERVED - 2 * SPARE))


def places_here() -> int:
    """The same, for this process as it is now."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return places(MOST * 2 if limit == resource.RLIM_INFINITY else limit, _in_use())


def _in_use() -> int:
    for folder in ("/proc/self/fd", "/dev/fd"):
        try:
            return sum(1 for _ in Path(folder).iterdir())
        except OSError:
            continue
    return 64
