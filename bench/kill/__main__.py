"""Kill, fill and stop everything at random moments while children and a confidant write; then look what became of their words.

    python -m bench.kill [--messages N] [--database sqlite|postgresql] [--seed N]

On SQLite one `praat run`; on PostgreSQL a `praat serve` of each role and the database's own server. Goes on until N messages
were acknowledged on each database. Prints the bars and whether they are held; the exit code is 1 when one is not.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.kill.faults import FAULTS, Fault
from bench.kill.judge import Found, judge
from bench.kill.people import Child, Confidant, Ledger
from bench.kill.place import Place, on_postgresql, on_sqlite

CHILDREN = 6
PATIENCE_S = 120.0
"""How long nothing may be acknowledged at all before this run is called stuck."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One database's run."""

    database: str
    acknowledged: int
    from_confidant: int
    """How many of them a human wrote."""
    faults: dict[str, int]
    found: Found
    seconds: float

    @property
    def held(self) -> bool:
        """Whether every bar is."""
        return self.found.faultless and 0 < self.from_confidant < self.acknowledged


def run(place: Place, goal: int, chance: random.Random, *, least_faults: int = 1) -> Outcome:
    """Let people write until `goal` messages were acknowledged and enough has gone wrong; then judge."""
    ledger, stop, begun = Ledger(), threading.Event(), time.monotonic()
    place.start()
    people: list[threading.Thread] = [Child(place, ledger, stop, random.Random(chance.random())) for _ in range(CHILDREN)]  # noqa: S311 - no secret
    people.append(Confidant(place, ledger, stop))
    for one in people:
        one.start()
    made = _go_wrong(place, ledger, goal, chance, least_faults)
    stop.set()
    for one in people:
        one.join(PATIENCE_S)
        if one.is_alive():
            raise SystemExit(f"{type(one).__name__} is stuck; what the servers wrote:\n{place.log()[-4000:]}")
    found = judge(place, ledger)
    return Outcome(place.database, ledger.acknowledged, len(ledger.from_confidant), made, found, time.monotonic() - begun)


def _go_wrong(place: Place, ledger: Ledger, goal: int, chance: random.Random, least: int) -> dict[str, int]:
    """Make one fault after another; how often each. Raises `SystemExit` when nothing is acknowledged any more."""
    possible: list[Fault] = [fault for fault in FAULTS if place.database in fault.databases]
    made = {fault.name: 0 for fault in possible}
    progress, since = 0, time.monotonic()
    while ledger.acknowledged < goal or sum(made.values()) < least:
        time.sleep(chance.uniform(0.3, 1.5))  # lets them write: the moment of the fault is the point
        fault = possible[sum(made.values()) % len(possible)] if sum(made.values()) < len(possible) else chance.choice(possible)
        fault.make(place, chance)
        made[fault.name] += 1
        if ledger.acknowledged > progress:
            progress, since = ledger.acknowledged, time.monotonic()
        if time.monotonic() - since > PATIENCE_S:
            raise SystemExit(f"nothing was acknowledged for {PATIENCE_S:.0f} s; what the servers wrote:\n{place.log()[-4000:]}")
        if sys.stdout.isatty():
            print(f"\r{place.database}: {ledger.acknowledged} of {goal}, {sum(made.values())} faults", end="", flush=True)
    return made


def main(arguments: Sequence[str] | None = None) -> None:
    """Run it on each database."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=50_000, help="acknowledged on each database")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default=None)
    parser.add_argument("--seed", type=int, default=20261129)
    options = parser.parse_args(arguments)
    places = {"sqlite": on_sqlite, "postgresql": on_postgresql}
    held = True
    for name in [options.database] if options.database else places:
        with tempfile.TemporaryDirectory() as folder, places[name](Path(folder)) as place:
            outcome = run(place, options.messages, random.Random(options.seed), least_faults=20)  # noqa: S311 - no secret
        held &= outcome.held
        _show(outcome)
    sys.exit(0 if held else 1)


def _show(outcome: Outcome) -> None:
    faults = ", ".join(f"{count} times {name}" for name, count in outcome.faults.items())
    print(
        f"\r{outcome.database}: {outcome.acknowledged} messages acknowledged in {outcome.seconds:.0f} s, {outcome.from_confidant} of them a human's; {faults}"
    )
    for name, count in outcome.found.counts().items():
        print(f"  {name:<34}{count:>8}   bar 0: {'held' if count == 0 else 'NOT HELD'}")


if __name__ == "__main__":
    main()
