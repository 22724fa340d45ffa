"""YAML as plain data plus the line of every value; nothing a file holds can run, multiply, hang or surprise.

Measured traps: `safe_load` expands 306 bytes of aliases without end, deep nesting raises RecursionError, the last of two
equal keys wins, `no` and `12:30` change type, and 250,000 open brackets keep a scanner busy for minutes. So events are
read one by one: aliases, anchors, tags, second documents and equal keys are refused, size, depth and count are capped,
and plain scalars follow a small part of YAML 1.2's core schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml import events as ev
from ruamel.yaml.error import YAMLError

from config.faults import Fault

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
MAX_VALUES = 20_000
MAX_LINE = 1_000  # characters; a bubble has at most 600, and very long lines are how scanners are made slow
MAX_FAULTS = 50  # per file: beyond this the file is not the kind it should be
MAX_KEY = 60  # characters of a key that a fault repeats

KeyPath = tuple[str | int, ...]
"""The keys and list positions that lead to a value: `("responses", "utter_greet", 0, "text")`."""

Value = bool | int | float | str | list[Any] | dict[str, Any] | None

_INT = re.compile(r"[-+]?(0|[1-9][0-9]{0,15})")  # 0800 stays text: a leading zero means something in a telephone number
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]{0,15})\.[0-9]{1,15}")
_WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "true": True, "false": False}


class Tree:
    """One file: its `value`, where each part stands, and what was wrong. With faults, `value` may be incomplete."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.value: Value = None
        self.faults: list[Fault] = []
        self._lines: dict[KeyPath, int] = {(): 1}

    def mark(self, path: KeyPath, line: int) -> None:
        """Remember that `path` begins at `line`; the first line wins."""
        self._lines.setdefault(path, line)

    def resolve(self, path: KeyPath) -> KeyPath:
        """`path` without the steps that are not in the file (a missing key, the label of a union's branch)."""
        known: KeyPath = ()
        for step in path:
            if (*known, step) in self._lines:
                known = (*known, step)
        return known

    def line_of(self, path: KeyPath) -> int:
        """The line of `path`, or of the nearest part around it that is in the file."""
        return self._lines[self.resolve(path)]

    def add(self, path: KeyPath, message: str, *, rule: str = "", line: int | None = None) -> None:
        """Add a fault at `path`, or at `line` when that is known better."""
        at = self.line_of(path) if line is None else line
        self.faults.append(Fault(self.file, at, dotted(path), message, rule))


def dotted(path: KeyPath) -> str:
    """A path as a person reads it; long keys are cut, so a fault never repeats a whole text."""
    return ".".join(_short(str(step)) for step in path)


def read_tree(path: Path, file: str) -> Tree:
    """Read `path`, called `file` in faults. Never raises: whatever the bytes, what is wrong stands in `faults`."""
    tree = Tree(file)
    content = read_bytes(path, tree)
    if content is not None:
        parse(content, tree)
    return tree


def read_bytes(path: Path, tree: Tree) -> bytes | None:
    """Return the file's bytes, at most one more than `MAX_BYTES`; None when it cannot be read, and then `tree` has the fault."""
    try:
        if not path.is_file():
            tree.add((), "this file is missing or is not an ordinary file", line=0)
            return None
        with path.open("rb") as handle:
            return handle.read(MAX_BYTES + 1)
    except OSError as error:
        tree.add((), f"cannot be read ({error.strerror})", line=0)
        return None


def parse(content: bytes, tree: Tree) -> None:
    """Fill `tree` from the bytes of a file."""
    text = _decode(content, tree)
    if text is None:
        return
    try:
        _Builder(tree, _events(text)).document()
    except _TooMuchError as error:
        tree.add((), str(error), line=error.line)
    except YAMLError as error:
        message, line = _syntax(error, text)
        tree.add((), message, line=line)
    except Exception as error:  # noqa: BLE001 - a foreign parser on hostile bytes: whatever it raises, the file is at fault
        tree.add((), f"is no YAML that we can read ({type(error).__name__})", line=0)


def _decode(content: bytes, tree: Tree) -> str | None:
    if len(content) > MAX_BYTES:
        tree.add((), f"is larger than {MAX_BYTES // 1024} KB; split it", line=0)
        return None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        tree.add((), "is not UTF-8 text", line=content.count(b"\n", 0, error.start) + 1)
        return None
    for number, line in enumerate(text.split("\n"), start=1):
        if len(line) > MAX_LINE:
            tree.add((), f"this line is longer than {MAX_LINE} characters", line=number)
            return None
    return text


class _TooMuchError(Exception):
    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def _events(text: str) -> Iterator[Any]:
    """The parser in C (ruamel.yaml.clib): thirty times as fast, and it looks ahead over one line at most (`MAX_LINE`)."""
    return iter(YAML(typ="safe").parse(text))


def _syntax(error: YAMLError, text: str) -> tuple[str, int]:
    """The parser's own sentence without its excerpt of the file, and the line."""
    problem = _short(str(getattr(error, "problem", None) or "a character that YAML does not allow").replace("\n", " "))
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    position = getattr(error, "position", 0)
    line = mark.line + 1 if mark is not None else text.count("\n", 0, position) + 1
    return f"is no YAML: {problem}", line


class _Builder:
    """Turns events into data. Recursion is bounded by MAX_DEPTH."""

    def __init__(self, tree: Tree, events: Iterator[Any]) -> None:
        self.tree = tree
        self.events = events
        self.count = 0

    def document(self) -> None:
        started = False
        for event in self.events:
            if isinstance(event, ev.DocumentStartEvent):
                if started:
                    raise _TooMuchError("holds a second document (---); one file is one document", _line(event))
                started = True
                if event.version or event.tags:
                    self.tree.add((), "YAML directives (%) are not allowed", line=_line(event))
                self.tree.value = self.value(next(self.events), ())

    def value(self, event: Any, path: KeyPath) -> Value:
        self._count(event, path)
        self.tree.mark(path, _line(event))
        self._refuse_references(event, path)
        if isinstance(event, ev.ScalarEvent):
            return _scalar(event)
        if isinstance(event, ev.SequenceStartEvent):
            return self.sequence(path)
        if isinstance(event, ev.MappingStartEvent):
            return self.mapping(path)
        return None  # an alias: refused above, and never followed

    def sequence(self, path: KeyPath) -> list[Value]:
        values: list[Value] = []
        while not isinstance(event := next(self.events), ev.SequenceEndEvent):
            values.append(self.value(event, (*path, len(values))))
        return values

    def mapping(self, path: KeyPath) -> dict[str, Value]:
        values: dict[str, Value] = {}
        while not isinstance(event := next(self.events), ev.MappingEndEvent):
            key = self.key(event, path)
            inner = (*path, key)
            if key in values:
                first = self.tree.line_of(inner)
                self.tree.add(inner, f"is written twice (first on line {first}); keep one", line=_line(event))
                self.value(next(self.events), (*path, f"{key} (again)"))
                continue
            self.tree.mark(inner, _line(event))
            values[key] = self.value(next(self.events), inner)
        return values

    def key(self, event: Any, path: KeyPath) -> str:
        self._count(event, path)
        self._refuse_references(event, path)
        if isinstance(event, ev.ScalarEvent):
            return str(event.value)
        raise _TooMuchError("a key must be one word, not a list, a mapping or a reference", _line(event))

    def _refuse_references(self, event: Any, path: KeyPath) -> None:
        if isinstance(event, ev.AliasEvent):
            self.tree.add(path, "an alias (*) is not allowed; write the value out", line=_line(event))
        elif event.anchor is not None:
            self.tree.add(path, "an anchor (&) is not allowed", line=_line(event))
        if getattr(event, "tag", None) is not None:
            self.tree.add(path, "a tag (!) is not allowed", line=_line(event))

    def _count(self, event: Any, path: KeyPath) -> None:
        self.count += 1
        if self.count > MAX_VALUES:
            raise _TooMuchError(f"holds more than {MAX_VALUES} values; split it", _line(event))
        if len(path) > MAX_DEPTH:
            raise _TooMuchError(f"is nested deeper than {MAX_DEPTH} levels", _line(event))
        if len(self.tree.faults) >= MAX_FAULTS:
            raise _TooMuchError(f"has more than {MAX_FAULTS} faults; reading stops here", _line(event))


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _scalar(event: Any) -> Value:
    """YAML 1.2: only true, false, null and plain decimal numbers are more than text; `no`, `12:30`, `010` stay text."""
    text = str(event.value)
    if event.style not in (None, ""):
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def _short(text: str) -> str:
    return text if len(text) <= MAX_KEY else text[: MAX_KEY - 1] + "…"
