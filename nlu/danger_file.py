"""Compiles the danger list (`config/danger.yml`) and tries it. Every fault is reported at once, with its line.

The list carries its own proof: each entry names messages that must speak and messages that must stay silent, and a list that
fails its own examples is refused, so an admin's edit cannot quietly break it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from config.danger import DangerEntries, DangerPhraseEntry, IdiomEntry, parse_danger
from config.faults import Fault, Faults
from config.intents import Urgency
from config.yaml_tree import KeyPath, Tree, read_bytes
from nlu import danger as danger_module
from nlu import phrases as phrases_module
from nlu import text as text_module
from nlu.danger import DangerList, DangerPhrase, Idiom
from nlu.phrases import Phrase, PhraseError, PhraseReader
from nlu.text import words

DEFAULT_PATH = Path(__file__).resolve().parent.parent / "config" / "danger.yml"
_URGENCIES = {urgency.label: urgency for urgency in Urgency}


def load(path: Path = DEFAULT_PATH) -> DangerList:
    """Read, compile and try a list. Raises `Faults`."""
    return parse(read(path), path.name)


def check(path: Path) -> list[Fault]:
    """Return every fault of a list, by line. Empty: it may be used."""
    try:
        load(path)
    except Faults as report:
        return list(report.faults)
    return []


def read(path: Path) -> bytes:
    """Return the content of a list. Raises `Faults` when it cannot be read."""
    tree = Tree(path.name)
    raw = read_bytes(path, tree)
    if raw is None:
        raise Faults(tree.faults)
    return raw


def parse(raw: bytes, name: str, *, proven: str = "") -> DangerList:
    """Compile the content of a list and try its examples; `name` is the file's name in faults. Raises `Faults`.

    With the `fingerprint` of this very content in `proven` its examples are not tried again, which is half of the time.
    """
    tree = Tree(name)
    entries = parse_danger(raw, tree)
    danger = _Compiler(entries, tree).compile()
    if danger is not None and not (proven and proven == fingerprint(raw)):
        _try_examples(danger, tree)
    if danger is None or tree.faults:
        raise Faults(tree.faults)
    return danger


def fingerprint(raw: bytes) -> str:
    """Hash a list and the code that compiles it: where both are the same, the examples hold as they held before."""
    code = (
        Path(module).read_bytes() for module in (__file__, text_module.__file__, phrases_module.__file__, danger_module.__file__)
    )
    return hashlib.sha256(b"".join([raw, *code])).hexdigest()


def _try_examples(danger: DangerList, tree: Tree) -> None:
    for i, phrase in enumerate(danger.phrases):
        for j, example in enumerate(phrase.speaks):
            if phrase.id not in danger.check(example).spoke:
                tree.add(("phrases", i, "speaks", j), "this example stays silent: no phrase under `say` finds it")
        for j, example in enumerate(phrase.silent):
            if phrase.id in danger.check(example).spoke:
                tree.add(("phrases", i, "silent", j), "this example speaks: make `say` narrower, or add to `unless`")
    for i, idiom in enumerate(danger.idioms):
        for j, example in enumerate(idiom.silent):
            if spoke := danger.check(example).spoke:
                tree.add(("idioms", i, "silent", j), f"this example speaks ({', '.join(spoke)})")


class _Compiler:
    """Turns entries into phrases. Faults go to the tree, so that an admin sees all of them at once."""

    def __init__(self, entries: DangerEntries, tree: Tree) -> None:
        self.entries = entries
        self.tree = tree
        self.groups: dict[str, Sequence[str]] = {}
        self.reader = PhraseReader(self.groups)
        # Every word that the list names: such a word is never taken for another one that sounds alike.
        self.written: set[str] = set()

    def compile(self) -> DangerList | None:
        for name, members in self.entries.groups.items():
            self.groups[name] = self._members(name, members)
        phrases = [self._phrase(i, entry) for i, entry in self.entries.phrases.items()]
        idioms = [self._idiom(i, entry) for i, entry in self.entries.idioms.items()]
        if self.tree.faults:
            return None
        negations, fillers, real_words = (_plain(self.entries.words[name]) for name in ("negations", "fillers", "real_words"))
        return DangerList(phrases, idioms, negations=negations, fillers=fillers, real_words=[*real_words, *self.written])

    def _members(self, name: str, members: Sequence[str]) -> list[str]:
        """A group's words; `{other}` stands for the words of a group that was written above it."""
        result: list[str] = []
        for member in members:
            if not member.startswith("{"):
                result.append(member)
            elif member.strip("{}") in self.groups:
                result.extend(self.groups[member.strip("{}")])
            else:
                self.tree.add(("groups", name), f"there is no group {member[:40]} above it")
        return result

    def _phrase(self, i: int, entry: DangerPhraseEntry) -> DangerPhrase:
        return DangerPhrase(
            id=entry.id,
            urgency=_URGENCIES[entry.urgency],
            intent=entry.intent,
            say=self._read(entry.say, ("phrases", i, "say")),
            unless=self._read(entry.unless, ("phrases", i, "unless")),
            speaks=entry.speaks,
            silent=entry.silent,
        )

    def _idiom(self, i: int, entry: IdiomEntry) -> Idiom:
        return Idiom(entry.id, self._read(entry.say, ("idioms", i, "say")), entry.silent)

    def _read(self, written: Sequence[str], at: KeyPath) -> tuple[Phrase, ...]:
        found = []
        for j, text in enumerate(written):
            try:
                phrase = self.reader.read(text)
            except PhraseError as fault:
                self.tree.add((*at, j), str(fault))
                continue
            found.append(phrase)
            self.written.update(*(cell.words for cell in phrase.cells))
        return tuple(found)


def _plain(texts: Sequence[str]) -> list[str]:
    return [word for text in texts for word in words(text)]
