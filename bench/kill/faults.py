"""What goes wrong. Each fault mends itself before it returns: what stays broken proves nothing."""

from __future__ import annotations

import random
import resource
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from bench.kill.place import Place

BOTH = ("sqlite", "postgresql")


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which things go wrong, on these databases."""

    name: str
    databases: tuple[str, ...]
    make: Callable[[Place, random.Random], None]


def death(place: Place, chance: random.Random) -> None:
    """A process dies, as in a power cut, and comes back."""
    role = chance.choice(sorted(place.roles))
    place.kill(role)
    time.sleep(chance.uniform(0, 0.3))
    place.restart(role)


def freeze(place: Place, chance: random.Random) -> None:
    """A process stands still for a moment, as a machine that swaps."""
    process = place.processes[chance.choice(sorted(place.roles))]
    process.send_signal(signal.SIGSTOP)
    time.sleep(chance.uniform(0.2, 1.0))
    process.send_signal(signal.SIGCONT)


def full_disk(place: Place, chance: random.Random) -> None:
    """No file of the process can grow for a while: what a disk without room looks like to it."""
    pid = place.processes["all"].pid
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, hard))
    time.sleep(chance.uniform(0.2, 1.0))
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))


def lost_database(place: Place, chance: random.Random) -> None:
    """PostgreSQL ends in the middle of everything, without a goodbye, and recovers from its log."""
    if place.cluster is None:
        return
    address, postmaster = place.cluster.get_uri(), psutil.Process(place.cluster.get_pid())
    postmaster.send_signal(signal.SIGQUIT)  # an immediate shutdown: no checkpoint, every session aborted
    psutil.wait_procs([postmaster], timeout=30)
    time.sleep(chance.uniform(0, 1.0))
    place.cluster.ensure_postgres_running()
    if place.cluster.get_uri() != address:
        raise SystemExit("PostgreSQL came back elsewhere")


FAULTS = (
    Fault("a death", BOTH, death),
    Fault("a standstill", BOTH, freeze),
    Fault("a full disk", ("sqlite",), full_disk),
    Fault("a lost database", ("postgresql",), lost_database),
)
