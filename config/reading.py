"""A configuration folder, read as far as it can be read: the good parts, where each stands, and every fault."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from config.faults import Fault
from config.responses import Told, read_responses
from config.schema import Helpline, Municipality, Route, Script
from config.shapes import listing, mapping, shape
from config.yaml_tree import Place, Tree, read_tree

EXPLAINED = "explained.yml"
"""In `dialogue/`, but no dialogue: the words that are hard and yet needed, each with its explanation."""


@dataclass
class Reading:
    """What `read` found. With faults, parts may be missing; the gates judge the parts that are there."""

    trees: list[Tree] = field(default_factory=list)
    told: dict[str, Told] = field(default_factory=dict)
    helplines: dict[str, Helpline] = field(default_factory=dict)
    routes: dict[str, Route] = field(default_factory=dict)
    municipalities: dict[str, Municipality] = field(default_factory=dict)
    homes: dict[str, tuple[Tree, Place]] = field(default_factory=dict)
    explained: dict[str, str] = field(default_factory=dict)

    @property
    def faults(self) -> Iterator[Fault]:
        """All faults so far, of all files."""
        for tree in self.trees:
            yield from tree.faults

    def open(self, folder: Path, file: str) -> Tree:
        """Read one file and keep its tree."""
        tree = read_tree(folder / file, file)
        self.trees.append(tree)
        return tree

    def script(self) -> Script:
        """All utterances, at the version that is the hash of their content."""
        utterances = {name: told.utterance for name, told in sorted(self.told.items())}
        content = json.dumps({name: u.model_dump(mode="json") for name, u in utterances.items()}, sort_keys=True)
        return Script(version=hashlib.sha256(content.encode()).hexdigest()[:16], utterances=utterances)


def read(folder: Path) -> Reading:
    """Read every file of the configuration `folder`. Never raises on what the files hold."""
    reading = Reading()
    if not folder.is_dir():
        tree = Tree(folder.name)
        tree.add((), "is not a folder", line=0)
        reading.trees.append(tree)
        return reading
    for file in _files(folder, "dialogue"):
        if file != f"dialogue/{EXPLAINED}":
            _read_dialogue(reading, reading.open(folder, file))
    _read_explained(reading, folder)
    _read_helplines(reading, reading.open(folder, "helplines.yml"))
    for file in _needed(reading, folder, "routes"):
        _read_named(reading, reading.open(folder, file), Route, reading.routes)
    for file in _needed(reading, folder, "municipalities"):
        _read_named(reading, reading.open(folder, file), Municipality, reading.municipalities)
    return reading


def _files(folder: Path, part: str) -> list[str]:
    try:
        return sorted(f"{part}/{path.name}" for path in (folder / part).iterdir() if path.suffix in {".yml", ".yaml"})
    except OSError:
        return []


def _needed(reading: Reading, folder: Path, part: str) -> Iterable[str]:
    files = _files(folder, part)
    if not files:
        tree = Tree(f"{part}/")
        tree.add((), "needs at least one .yml file", line=0)
        reading.trees.append(tree)
    return files


def _read_dialogue(reading: Reading, tree: Tree) -> None:
    if tree.value is None and tree.faults:
        return
    for told in read_responses(tree):
        name = told.utterance.id
        if name in reading.told:
            first = reading.told[name]
            tree.add(told.place, f"already stands in {first.tree.file}, line {first.tree.line_of(first.place)}")
            continue
        reading.told[name] = told


def _read_explained(reading: Reading, folder: Path) -> None:
    file = f"dialogue/{EXPLAINED}"
    if not (folder / file).exists():
        return
    tree = reading.open(folder, file)
    if tree.value is None:
        return
    for word, explanation in mapping(tree.value, tree, ()).items():
        if not isinstance(explanation, str) or not explanation.strip():
            tree.add((word,), "needs an explanation in one short sentence")
        elif word != word.casefold():
            tree.add((word,), "must be written in small letters")
        else:
            reading.explained[word] = explanation


def _read_helplines(reading: Reading, tree: Tree) -> None:
    if tree.value is None and tree.faults:
        return
    top = mapping(tree.value, tree, (), frozenset({"helplines"}))
    for i, item in enumerate(listing(top.get("helplines"), tree, ("helplines",))):
        helpline = shape(Helpline, item, tree, ("helplines", i))
        if helpline is None:
            continue
        if helpline.id in reading.helplines:
            tree.add(("helplines", i, "id"), f"{helpline.id} stands here twice")
            continue
        reading.helplines[helpline.id] = helpline
        reading.homes[f"helpline {helpline.id}"] = (tree, ("helplines", i))


Named = TypeVar("Named", Route, Municipality)


def _read_named(reading: Reading, tree: Tree, model: type[Named], into: dict[str, Named]) -> None:
    if tree.value is None and tree.faults:
        return
    named = shape(model, tree.value, tree, ())
    if named is None:
        return
    if named.id != Path(tree.file).stem:
        tree.add(("id",), f"must be the name of the file: {Path(tree.file).stem[:40]}")
    into[named.id] = named
    reading.homes[f"{model.__name__.lower()} {named.id}"] = (tree, ())
