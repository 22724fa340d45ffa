"""What waiting costs: an idle second with many waiting children, and many for whom something is due at the same moment.

    python -m bench.waiting [--small]

Runs `praat serve loops`, one process on SQLite, one and then three on PostgreSQL. Prints the bars and whether they are held; the
exit code is 1 when one is not. `--small` proves with small numbers that each child is told once; its times say nothing.
"""

from __future__ import annotations

import argparse
import json
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import sqlalchemy as sa

from bench.place import Place, on_postgres, on_sqlite
from bot.app import Parts
from bot.channels.web.spec import WEBCHAT
from bot.message import Incoming
from bot.turn import take_turn
from config.intents import Urgency
from handoff.accounts import credentials
from handoff.models import handoff, message, shift
from handoff.queue import roster
from handoff.team import people
from nlu.understanding import Understanding

IDLE_MS = 5.0
"""CPU of one process in an idle second, in milliseconds."""
TOLD_S = 5.0
"""From the moment at which all is due until the last child was told, in seconds."""

CITY = "voorbeeldstad"


@dataclass(frozen=True)
class Size:
    """How much of everything."""

    waiting: int
    due: int
    idle_s: float
    """Seconds over which the idle cost is measured; 0 measures none."""


WHOLE, SMALL = Size(10_000, 1_000, 10), Size(120, 45, 0)


@dataclass
class Figures:
    """What was measured with some processes on one database."""

    database: str
    processes: int
    idle_ms: float
    """CPU of one process in one second."""
    told_s: float
    """Until the last child was told."""
    told_cpu_s: float
    """CPU of all processes for that, in seconds: holds on a busy machine too."""
    twice: int
    """Children who were told more than once."""
    missed: int
    """Children who were not told."""

    def broken(self) -> list[str]:
        """Return the bars that are not held."""
        bars = {
            f"an idle second costs {self.idle_ms:.1f} ms (bar {IDLE_MS})": self.idle_ms >= IDLE_MS,
            f"all were told after {self.told_s:.2f} s (bar {TOLD_S})": self.told_s > TOLD_S,
        }
        return [text for text, broken in bars.items() if broken] + self.wrong()

    def wrong(self) -> list[str]:
        """Return what is wrong with any numbers."""
        return [f"{count} children were told {how}" for how, count in (("twice", self.twice), ("never", self.missed)) if count]


def seed(parts: Parts, size: Size) -> None:
    """Make a confidant on duty, and children who wrote and wait with nothing due for minutes."""
    runtime, now = parts.runtime, datetime.now(UTC)
    newcomer = people.Newcomer(credentials.new_key(runtime.vault, secrets.token_hex(16)), "bench", "Bench")
    understanding = Understanding("greet", 0.9, Urgency.NORMAL, "nl")

    def begin(tx: sa.Connection) -> None:
        (who,) = people.add_confidants(tx, runtime.vault, [newcomer], municipality_id=CITY, now=now)
        roster.start(tx, team_id=runtime.municipality(CITY).receiving_team.id, person_id=who.id, now=now)

    def write(tx: sa.Connection, count: int) -> None:
        for _ in range(count):
            take_turn(tx, runtime, Incoming(WEBCHAT, CITY, secrets.token_bytes(32), "m1", "hoi"), understanding, now)

    runtime.store.write(begin).result()
    for start in range(0, size.waiting, 500):
        runtime.store.write(partial(write, count=min(500, size.waiting - start))).result()
    waits = {
        "told_on_duty": True, "told_minutes": 3, "told_from": now - timedelta(minutes=3), "step": "team",
        "due_at": now + timedelta(minutes=7), "waiting_since": now - timedelta(minutes=3),
    }  # fmt: skip
    runtime.store.write(lambda tx: tx.execute(handoff.update().values(**waits)).close()).result()


@contextmanager
def loops(place: Place, count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run so many processes of the loops."""
    running = [place.start("serve", "loops") for _ in range(count)]
    try:
        yield running
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait()


def settle(running: Sequence[subprocess.Popen[bytes]], log: Path) -> None:
    """Wait until all have started: they have worked, and now rest for some seconds (on a busy machine they pause before)."""
    deadline, quiet = time.monotonic() + 180, 0
    while time.monotonic() < deadline and all(process.poll() is None for process in running):
        before = [cpu_s(process) for process in running]
        time.sleep(1)
        rests = all(was > 0.5 and cpu_s(process) - was < 0.03 for process, was in zip(running, before, strict=True))
        quiet = quiet + 1 if rests else 0
        if quiet == 4:
            return
    sys.exit("a process did not start, or did not come to rest:\n" + log.read_text("utf-8"))


def cpu_s(process: subprocess.Popen[bytes]) -> float:
    """Return the CPU that all threads of a process have used, in seconds (to the nanosecond, unlike the ticks of `times`)."""
    tasks = Path(f"/proc/{process.pid}/task").glob("*/schedstat")
    return sum(int(task.read_text("ascii").split()[0]) for task in tasks) / 1e9


def idle_ms(running: Sequence[subprocess.Popen[bytes]], seconds: float) -> float:
    """Measure the CPU of one process in one second, in milliseconds, while nothing is due."""
    before = sum(map(cpu_s, running))
    time.sleep(seconds)
    return (sum(map(cpu_s, running)) - before) / seconds / len(running) * 1000


def told(engine: sa.Engine, since: datetime) -> dict[str, int]:
    """Return how many waiting messages each child got since then."""
    mine = (message.c.role == "bot", message.c.created_at >= since)
    query = sa.select(message.c.conversation_id, sa.func.count()).where(*mine).group_by(message.c.conversation_id)
    with engine.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}


def all_due(engine: sa.Engine, count: int) -> tuple[set[str], datetime]:
    """Make something due for so many children in two seconds. Returns their chats, and the moment."""
    moment = datetime.now(UTC) + timedelta(seconds=2)
    with engine.begin() as connection:
        some = sa.select(handoff.c.id, handoff.c.conversation_id).where(handoff.c.told_minutes == 3).limit(count)
        chosen = connection.execute(some).all()
        values = {"told_minutes": 0, "told_from": moment - timedelta(minutes=1), "due_at": moment}
        this = handoff.update().where(handoff.c.id == sa.bindparam("this")).values(**values)
        connection.execute(this, [{"this": row.id} for row in chosen])
        connection.execute(shift.update().values(seen_at=datetime.now(UTC)))
    return {row.conversation_id for row in chosen}, moment


def measure(place: Place, engine: sa.Engine, database: str, processes: int, size: Size) -> Figures:
    """Measure one row of figures."""
    with engine.begin() as connection:
        connection.execute(shift.update().values(seen_at=datetime.now(UTC)))
    with loops(place, processes) as running:
        idle = 0.0
        if size.idle_s:
            settle(running, place.folder / "processes.log")
            idle = idle_ms(running, size.idle_s)
        before = sum(map(cpu_s, running))
        chats, moment = all_due(engine, size.due)
        deadline = moment + timedelta(seconds=120)
        while chats - told(engine, moment).keys() and datetime.now(UTC) < deadline:
            time.sleep(0.05)
        cpu = sum(map(cpu_s, running)) - before
        took = (datetime.now(UTC) - moment).total_seconds()
        time.sleep(2)  # for one who would say it again
        found = told(engine, moment)
    twice = sum(count > 1 for count in found.values())
    return Figures(database, processes, idle, took, cpu, twice, len(chats - found.keys()))


def run(name: str, where: AbstractContextManager[Place], processes: Sequence[int], size: Size) -> list[Figures]:
    """Measure everything on one database."""
    with ExitStack() as stack:
        place = stack.enter_context(where)
        parts = place.open()
        try:
            seed(parts, size)
        finally:
            parts.close()
        engine = sa.create_engine(place.url)
        stack.callback(engine.dispose)
        if engine.dialect.name == "postgresql":
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("ANALYZE")
        return [measure(place, engine, name, count, size) for count in processes]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true")
    small = parser.parse_args(arguments).small
    size = SMALL if small else WHOLE
    rows = run("sqlite", on_sqlite(), [1], size) + run("postgresql", on_postgres(), [3] if small else [1, 3], size)
    print(f"{size.waiting} waiting, {size.due} due at the same moment")
    failed = False
    for row in rows:
        faults = row.wrong() if small else row.broken()
        failed = failed or bool(faults)
        print(f"{row.database:<11} {row.processes} process(es)  idle {row.idle_ms:5.1f} ms/s  all told in {row.told_s:5.2f} s, CPU {row.told_cpu_s:.2f} s  "
              f"{'HELD' if not faults else 'BROKEN: ' + '; '.join(faults)}")  # fmt: skip
    print(json.dumps([asdict(row) for row in rows]))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
