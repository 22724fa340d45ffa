"""Parses a configuration folder as far as it can be parsed: the good parts, where each stands, and every fault."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from config.faults import Fault
from config.responses import UtteranceSource, read_responses
from config.schema import Helpline, Municipality, Route, Script
from config.validate import expect_list, expect_mapping, validate
from config.yaml_tree import KeyPath, Tree, read_tree

EXPLAINED = "explained.yml"
"""In `dialogue/`, but no dialogue: the words that are hard and yet needed, each with its explanation."""


@dataclass
class Parsed:
    """What `parse_folder` found. With faults, parts may be missing; the gates judge the parts that are there."""

    trees: list[Tree] = field(default_factory=list)
    utterances: dict[str, UtteranceSource] = field(default_factory=dict)
    helplines: dict[str, Helpline] = field(default_factory=dict)
    routes: dict[str, Route] = field(default_factory=dict)
    municipalities: dict[str, Municipality] = field(default_factory=dict)
    homes: dict[str, tuple[Tree, KeyPath]] = field(default_factory=dict)
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
        utterances = {name: source.utterance for name, source in sorted(self.utterances.items())}
        content = json.dumps({name: u.model_dump(mode="json") for name, u in utterances.items()}, sort_keys=True)
        return Script(version=hashlib.sha256(content.encode()).hexdigest()[:16], utterances=utterances)


def parse_folder(folder: Path) -> Parsed:
    """Parse every file of the configuration `folder`. Never raises on what the files hold."""
    parsed = Parsed()
    if not folder.is_dir():
        tree = Tree(folder.name)
        tree.add((), "is not a folder", line=0)
        parsed.trees.append(tree)
        return parsed
    for file in _files(folder, "dialogue"):
        if file != f"dialogue/{EXPLAINED}":
            _read_dialogue(parsed, parsed.open(folder, file))
    _read_explained(parsed, folder)
    _read_helplines(parsed, parsed.open(folder, "helplines.yml"))
    for file in _needed(parsed, folder, "routes"):
        _read_named(parsed, parsed.open(folder, file), Route, parsed.routes)
    for file in _needed(parsed, folder, "municipalities"):
        _read_named(parsed, parsed.open(folder, file), Municipality, parsed.municipalities)
    return parsed


def _files(folder: Path, part: str) -> list[str]:
    try:
        return sorted(f"{part}/{path.name}" for path in (folder / part).iterdir() if path.suffix in {".yml", ".yaml"})
    except OSError:
        return []


def _needed(parsed: Parsed, folder: Path, part: str) -> Iterable[str]:
    files = _files(folder, part)
    if not files:
        tree = Tree(f"{part}/")
        tree.add((), "needs at least one .yml file", line=0)
        parsed.trees.append(tree)
    return files


def _read_dialogue(parsed: Parsed, tree: Tree) -> None:
    if tree.value is None and tree.faults:
        return
    for source in read_responses(tree):
        name = source.utterance.id
        if name in parsed.utterances:
            first = parsed.utterances[name]
            tree.add(source.path, f"already stands in {first.tree.file}, line {first.tree.line_of(first.path)}")
            continue
        parsed.utterances[name] = source


def _read_explained(parsed: Parsed, folder: Path) -> None:
    file = f"dialogue/{EXPLAINED}"
    if not (folder / file).exists():
        return
    tree = parsed.open(folder, file)
    if tree.value is None:
        return
    for word, explanation in expect_mapping(tree.value, tree, ()).items():
        if not isinstance(explanation, str) or not explanation.strip():
            tree.add((word,), "needs an explanation in one short sentence")
        elif word != word.casefold():
            tree.add((word,), "must be written in small letters")
        else:
            parsed.explained[word] = explanation


def _read_helplines(parsed: Parsed, tree: Tree) -> None:
    if tree.value is None and tree.faults:
        return
    top = expect_mapping(tree.value, tree, (), frozenset({"helplines"}))
    for i, item in enumerate(expect_list(top.get("helplines"), tree, ("helplines",))):
        helpline = validate(Helpline, item, tree, ("helplines", i))
        if helpline is None:
            continue
        if helpline.id in parsed.helplines:
            tree.add(("helplines", i, "id"), f"{helpline.id} stands here twice")
            continue
        parsed.helplines[helpline.id] = helpline
        parsed.homes[f"helpline {helpline.id}"] = (tree, ("helplines", i))


Named = TypeVar("Named", Route, Municipality)


def _read_named(parsed: Parsed, tree: Tree, model: type[Named], into: dict[str, Named]) -> None:
    if tree.value is None and tree.faults:
        return
    named = validate(model, tree.value, tree, ())
    if named is None:
        return
    if named.id != Path(tree.file).stem:
        tree.add(("id",), f"must be the name of the file: {Path(tree.file).stem[:40]}")
    into[named.id] = named
    parsed.homes[f"{model.__name__.lower()} {named.id}"] = (tree, ())
