"""The words of `docs/glossary.md` are the words of the code: a class may be named only with what is explained there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
GLOSSARY = ROOT / "docs" / "glossary.md"
ROOMS = ("bot", "nlu", "handoff", "config")
FOREIGN = ROOT / "nlu" / "rasa"
"""Runs in Rasa's own environment and is named as Rasa wants."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]*|[a-z]+")
_ROW = re.compile(r"^\|(.+)\|$", re.MULTILINE)


def split(name: str) -> list[str]:
    """The words of a class name, small: `SqliteStore` is sqlite, store."""
    return [word.casefold() for word in _WORD.findall(name)]


def tables(text: str) -> tuple[list[list[str]], list[list[str]]]:
    """The rows of the terms and of the other words, without their heads."""
    terms, _, others = text.partition("\n## Other words")
    parts = [[[cell.strip() for cell in row.split("|")] for row in _ROW.findall(part)[2:]] for part in (terms, others)]
    return parts[0], parts[1]


def bold(cell: str) -> set[str]:
    """The words that a cell prints in bold."""
    return {word for term in re.findall(r"\*\*(.+?)\*\*", cell) for word in re.findall(r"[a-z]+", term.casefold())}


def vocabulary() -> tuple[set[str], set[str]]:
    """(words of the terms, other words)."""
    terms, others = tables(GLOSSARY.read_text("utf-8"))
    return {w for row in terms for w in bold(row[0])}, {w for row in others for w in bold(row[0])}


def classes(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every public class below `folder`, also inside functions and classes, with its file."""
    for file in sorted(folder.rglob("*.py")):
        if FOREIGN not in file.parents:
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    yield node.name, file


def known(word: str, words: set[str]) -> bool:
    """Whether a word is explained, alone or in the plural."""
    return word in words or (word.endswith("s") and word[:-1] in words)


def unexplained(folder: Path, words: set[str]) -> list[str]:
    """`file: Name (word)` for every word of a class name that is explained nowhere."""
    return [
        f"{file.relative_to(folder.parent)}: {name} ({word})"
        for name, file in classes(folder)
        for word in split(name)
        if not known(word, words)
    ]


def test_every_class_is_named_with_words_of_the_glossary() -> None:
    terms, others = vocabulary()
    strange = [fault for room in ROOMS for fault in unexplained(ROOT / room, terms | others)]
    assert not strange, "explain the word in docs/glossary.md, or use one that is there"


def test_no_word_is_explained_that_no_class_uses() -> None:
    terms, others = vocabulary()
    used = {word for room in ROOMS for name, _ in classes(ROOT / room) for word in split(name)}
    idle = {word for word in others if word not in used and word + "s" not in used}
    assert not idle, "remove these from the last table of docs/glossary.md"
    assert not terms & others, "a term of the field needs no second explanation"


def test_every_term_has_a_meaning_and_lives_where_it_says() -> None:
    terms, others = tables(GLOSSARY.read_text("utf-8"))
    assert len(terms) > 50
    for cells in terms:
        term, meaning, home = cells
        assert bold(term), term
        assert meaning.endswith("."), term
        assert (ROOT / home.strip("`")).is_file(), f"{term} does not live in {home}"
    assert all(bold(words) and why.endswith(".") for words, why in others)


def test_a_new_noun_is_noticed(tmp_path: Path) -> None:
    """The check itself: a noun that nobody explained, also deep inside, and also beside a known word."""
    terms, others = vocabulary()
    room = tmp_path / "bot"
    room.mkdir()
    (room / "new.py").write_text("class Chat: ...\nclass _Whatever: ...\ndef f():\n    class ChatOrchestrator: ...\n")
    assert unexplained(room, terms | others) == ["bot/new.py: ChatOrchestrator (orchestrator)"]
    assert split("HTTPParcelID") == ["http", "parcel", "id"]
