"""The shape of the product's code: short functions, small modules, and an import contract for every package."""

from __future__ import annotations

import ast
import statistics
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
ROOTS = ("bot", "handoff", "config", "nlu")
LONGEST_FUNCTION = 40
LONGEST_MODULE = 300
MEDIAN_MODULE = 100

TOO_LONG = {"nlu/phrases.py", "handoff/models.py"}
"""What is still too long. It only shrinks: an entry that is no longer needed fails too."""


def modules() -> dict[str, str]:
    """Every module of the product by its path. A landed migration is a record of what was done: nobody tidies it."""
    found = (path for root in ROOTS for path in sorted((ROOT / root).rglob("*.py")))
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in found if path.parent.name != "versions"}


def functions(source: str) -> Iterator[tuple[str, int]]:
    """(name, lines) of every function and method, the lines of those inside it included."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def too_long(sources: dict[str, str]) -> set[str]:
    """Modules, and functions as `path: name`, with more lines than a reader can hold."""
    long_modules = {path for path, source in sources.items() if len(source.splitlines()) > LONGEST_MODULE}
    return long_modules | {
        f"{path}: {name}" for path, source in sources.items() for name, lines in functions(source) if lines > LONGEST_FUNCTION
    }


def test_functions_and_modules_are_short() -> None:
    assert too_long(modules()) == TOO_LONG


def test_half_of_the_modules_are_at_most_a_hundred_lines() -> None:
    assert statistics.median(len(source.splitlines()) for source in modules().values()) <= MEDIAN_MODULE


def test_a_long_function_and_a_long_module_are_noticed() -> None:
    body = "\n".join(["class A:", "    async def f(self):", *["        pass"] * LONGEST_FUNCTION])
    assert too_long({"a.py": body}) == {"a.py: f"}
    assert too_long({"b.py": "\n" * LONGEST_MODULE}) == set()
    assert too_long({"b.py": "\n" * (LONGEST_MODULE + 1)}) == {"b.py"}


def _named(contract: dict[str, Any]) -> set[str]:
    """The modules that a contract speaks of, by their whole names."""
    layers = [name.strip("() ") for layer in contract.get("layers", ()) for name in layer.split("|")]
    inside = [f"{container}.{name}" for container in contract.get("containers", ()) for name in layers]
    own = [*contract.get("containers", ()), *contract.get("source_modules", ()), *(() if inside else layers)]
    return {*own, *inside}


def _packages() -> list[str]:
    found = {".".join(Path(path).parent.parts) for path in modules()}
    return sorted(name for name in found if (ROOT / name.replace(".", "/") / "__init__.py").exists())


@pytest.mark.parametrize("package", _packages())
def test_every_package_has_an_import_contract(package: str) -> None:
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    named = {name for contract in linter["contracts"] if contract["type"] in ("layers", "forbidden") for name in _named(contract)}
    assert any(name == package or name.startswith(f"{package}.") for name in named)
