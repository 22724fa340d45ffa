"""Finding Chromium: `$PRAAT_CHROMIUM`, the system's, else Debian's package, else playwright's own. Never a silent skip.

`python -m tests.browser.chromium` makes sure that there is one; `make test` calls it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run", "--disable-quic", "--disable-dev-shm-usage",
)  # fmt: skip


def find() -> str | None:
    """The path of a Chromium that can be started, or None."""
    wished = os.environ.get("PRAAT_CHROMIUM")
    if wished:
        return wished if Path(wished).exists() else None
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return found
    return _playwrights_own()


def _playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only when the system has none; it starts a driver

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def install() -> None:
    """Ask Debian's package manager, then playwright. Their output is shown: a download of 100 MB wants to be seen."""
    if shutil.which("apt-get"):
        rights = [] if os.geteuid() == 0 else ["sudo", "-n"]
        subprocess.run([*rights, "apt-get", "update", "-qq"], check=False)
        subprocess.run([*rights, "apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"], check=False)
    if find() is None:
        subprocess.run([sys.executable, "-m", "playwright", "install", "--with-deps", "chromium"], check=False)


def main() -> int:
    """Make sure that there is a Chromium; exit code 1 with a sentence when there is none to be had."""
    if find() is None:
        print("No Chromium found; fetching one.", flush=True)  # noqa: T201
        install()
    if find() is None:
        print("No Chromium could be had. Install it, or set PRAAT_CHROMIUM to its path.", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
