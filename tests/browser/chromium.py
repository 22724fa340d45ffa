"""Finding Chromium: `$PRAAT_CHROMIUM`, a headless shell, the system's, else playwright's own. Never a silent skip.

The headless shell is Chromium without windows: the same pages, scripts and network for a third of the work, since a private window
is then no window with a toolbar. Where there is only a whole Chromium the tests run in that.

`python -m tests.browser.chromium` makes sure that there is one; `make test` calls it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

SHELLS = ("chromium-headless-shell", "chrome-headless-shell")
WHOLE = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run", "--disable-quic", "--disable-dev-shm-usage",
)  # fmt: skip


def find() -> str | None:
    """The path of a Chromium that can be started, or None."""
    wished = os.environ.get("PRAAT_CHROMIUM")
    if wished:
        return wished if Path(wished).exists() else None
    return find_shell() or _first(*map(shutil.which, WHOLE)) or _first(_playwrights_own())


def find_shell() -> str | None:
    """The path of a headless shell, the system's or playwright's own."""
    if shell := _first(*map(shutil.which, SHELLS)):
        return shell
    kept = Path(_playwrights_own()).parents[2]
    return _first(*(str(file) for file in sorted(kept.glob("chromium_headless_shell-*/*/chrome-headless-shell"))))


def _first(*paths: str | None) -> str | None:
    return next((path for path in paths if path and Path(path).exists()), None)


def _playwrights_own() -> str:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only when the system has none; it starts a driver

    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def install() -> None:
    """Ask Debian's package manager, then playwright. Their output is shown: a download of 60 MB wants to be seen."""
    if shutil.which("apt-get"):
        rights = [] if os.geteuid() == 0 else ["sudo", "-n"]
        subprocess.run([*rights, "apt-get", "update", "-qq"], check=False)
        shell = [*rights, "apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium-headless-shell"]
        if subprocess.run(shell, check=False).returncode and find() is None:
            subprocess.run([*shell[:-1], "chromium"], check=False)
    if find() is None:
        subprocess.run([sys.executable, "-m", "playwright", "install", "--with-deps", "--only-shell", "chromium"], check=False)


def main() -> int:
    """Make sure that there is a Chromium, one without windows if it can be; exit code 1 with a sentence when there is none."""
    if not os.environ.get("PRAAT_CHROMIUM") and find_shell() is None:
        print("No Chromium without windows found; fetching one.", flush=True)  # noqa: T201
        install()
    if find() is None:
        print("No Chromium could be had. Install it, or set PRAAT_CHROMIUM to its path.", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
