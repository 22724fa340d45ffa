"""What a serving process gives up at its start, so that its memory cannot be read by a neighbour or written to a core file."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import resource
import sys

_PR_GET_DUMPABLE = 3
_PR_SET_DUMPABLE = 4
"""prctl(2): with 0, no core dump is made and other processes of the same user may not attach or read /proc/<pid>/mem."""


def harden() -> bool:
    """No core files, no attaching, files for the owner alone; as many connections as the system allows.

    False when a crash could still write the memory to a file.
    """
    os.umask(0o077)
    raise_file_limit()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform != "linux":
        return True
    system = ctypes.CDLL(None, use_errno=True)
    system.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    return bool(system.prctl(_PR_GET_DUMPABLE, 0, 0, 0, 0) == 0)


def quiet_collector() -> None:
    """Let the garbage collector pass over what was made at the start (words, weights, script), and look at the rest less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def raise_file_limit() -> None:
    """Allow as many open files as this process may: each open page is one, and the usual 1,024 are too few for a server."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):  # some systems name a limit that they do not give
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
