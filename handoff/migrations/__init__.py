"""Alembic's scripts, and `upgrade`, which every start of the program runs."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config


def upgrade(url: str) -> None:
    """Bring the database at `url` to the newest form; does nothing when it is there. Raises SQLAlchemy's errors."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["url"] = url
    command.upgrade(config, "head")
