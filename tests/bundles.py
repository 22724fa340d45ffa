"""The browser's scripts and styles, bundled anew when a source is newer than the bundle: no test sees yesterday's page."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from bot.channels.web.assets import BUILT_FILES as CHILD_FILES
from handoff.console.rendering import BUILT_FILES as CONSOLE_FILES

ROOT = Path(__file__).parents[1]
SOURCES = ("package.json", "bot/channels/web/browser/*.js", "bot/channels/web/page/*.css", "handoff/console/browser/*.js")


def stale() -> bool:
    """Whether a bundle is missing or older than any source."""
    built = [file.stat().st_mtime if file.is_file() else 0.0 for file in (*CHILD_FILES, *CONSOLE_FILES)]
    return min(built) < max(file.stat().st_mtime for pattern in SOURCES for file in ROOT.glob(pattern))


def build() -> None:
    """Bundle as `make` does; Node.js may have come as a wheel."""
    path = f"{os.environ.get('PATH', '')}:{Path(sys.executable).parent}"
    subprocess.run(["npm", "run", "--silent", "build"], cwd=ROOT, env={**os.environ, "PATH": path}, check=True)


def fresh() -> None:
    """Bundle if it is needed."""
    if stale():
        build()
