"""The scripts of both sides' pages, as they are written and as they are bundled: small, in layers, and no text becomes code."""

from __future__ import annotations

import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from bot.channels.web.assets import BUILT_FILES as CHILD_FILES
from handoff.console.rendering import BUILT_FILES as CONSOLE_FILES

ROOT = Path(__file__).parents[1]
SIDES = {"child": ROOT / "bot/channels/web/browser", "console": ROOT / "handoff/console/browser"}
SOURCES = sorted(file for folder in SIDES.values() for file in folder.glob("*.js"))
BUNDLES = [file for file in (*CHILD_FILES, *CONSOLE_FILES) if file.suffix == ".js"]
MAKES_CODE = (
    "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "DOMParser",
    "createContextualFragment", "srcdoc", "setTimeout(\"", "setTimeout('", "javascript:", "import(",
)  # fmt: skip
KEEPS = {
    "sessionStorage": {"child/chat.js", "child/exit.js"},
    "localStorage": {"console/attention.js"},
    "indexedDB": set(),
    "document.cookie": set(),
}
MOST_LINES = 40


def _name(file: Path) -> str:
    return next(f"{side}/{file.name}" for side, folder in SIDES.items() if file.parent == folder)


@pytest.mark.parametrize("file", [*SOURCES, *BUNDLES], ids=lambda file: f"{file.parent.name}/{file.name}")
def test_no_script_makes_code_or_markup_of_text(file: Path) -> None:
    text = file.read_text("utf-8")
    assert [sink for sink in MAKES_CODE if sink in text] == []
    assert not re.search(r"\.on[a-z]+ ?= ?[\"'`]|setAttribute\(\s*[\"'`](?:on|style|src)", text)


def test_nothing_is_kept_in_a_browser_but_where_it_says_so() -> None:
    for kept, allowed in KEEPS.items():
        assert {_name(file) for file in SOURCES if kept in file.read_text("utf-8")} == allowed, kept


def test_no_source_map_is_served() -> None:
    for bundle in BUNDLES:
        assert "sourceMappingURL" not in bundle.read_text("utf-8")
        assert list(bundle.parent.glob("*.map")) == []


@pytest.mark.parametrize("folder", SIDES.values(), ids=SIDES)
def test_modules_import_explicitly_and_without_a_circle(folder: Path) -> None:
    files = {file.name: file.read_text("utf-8") for file in folder.glob("*.js")}
    graph = {name: set(re.findall(r'from "\./([\w.]+)"', text)) for name, text in files.items()}
    assert len(files) > 3
    assert {target for targets in graph.values() for target in targets} <= set(files)
    TopologicalSorter(graph).prepare()  # raises CycleError


@pytest.mark.parametrize("file", SOURCES, ids=_name)
def test_functions_and_modules_stay_small(file: Path) -> None:
    lines = file.read_text("utf-8").splitlines()
    assert len(lines) <= 250
    starts = [i for i, line in enumerate(lines) if re.match(r"(export )?(async )?function |(  )(async )?\w+\([^)]*\) \{$", line)]
    ends = [next(i for i in range(start, len(lines)) if lines[i] == ("  }" if lines[start][0] == " " else "}")) for start in starts]
    longest = max((end - start for start, end in zip(starts, ends, strict=True)), default=0)
    assert longest < MOST_LINES
