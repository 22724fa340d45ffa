"""Copies the design system's style sheets from `node_modules/` to where the console serves them.

    npm ci --ignore-scripts && python -m handoff.console.vendor

Nothing of npm runs on the server: two style sheets are all that is taken. Without them the console uses its own plain ones.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from handoff.console.rendering import HERE, STATIC, VENDOR_FILES

SOURCES = dict(
    zip(
        VENDOR_FILES,
        ("@utrecht/component-library-css/dist/index.css", "@nl-design-system-unstable/voorbeeld-design-tokens/dist/theme.css"),
        strict=True,
    )
)


def copy(modules: Path, target: Path) -> list[str]:
    """Copy every style sheet, or none: a half design system looks worse than the plain one. Returns what is missing."""
    missing = [source for source in SOURCES.values() if not (modules / source).is_file()]
    if not missing:
        target.mkdir(exist_ok=True)
        for name, source in SOURCES.items():
            shutil.copyfile(modules / source, target / name)
    return missing


def main() -> int:
    """Copy and say so; 1 when npm's files are not there."""
    missing = copy(HERE.parent.parent / "node_modules", STATIC / "vendor")
    for source in missing:
        print(f"not found in node_modules: {source} (run: npm ci --ignore-scripts)", file=sys.stderr)  # noqa: T201
    if not missing:
        print(f"console: copied {', '.join(VENDOR_FILES)}")  # noqa: T201
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
