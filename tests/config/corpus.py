"""Reads the corpora of good and bad examples that stand beside the tests."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from config.parse import parse_folder
from config.yaml_tree import read_tree

HERE = Path(__file__).parent
CONFIG = Path(__file__).parents[2] / "config"


def whole(name: str) -> Any:
    """The data of a corpus file, which must itself be without faults."""
    tree = read_tree(HERE / name, name)
    assert tree.faults == []
    return tree.value


def texts(name: str) -> list[str]:
    """A corpus that is a list of texts."""
    return [str(text) for text in whole(name)]


def by_rule(name: str) -> list[tuple[str, str]]:
    """A corpus that is a list of texts under each rule."""
    return [(rule, str(text)) for rule, examples in whole(name).items() for text in examples]


@cache
def explained() -> dict[str, str]:
    """The explained words of the configuration that is shipped."""
    return parse_folder(CONFIG).explained
