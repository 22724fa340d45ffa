"""Reads and checks the danger list (`config/danger.yml`). Every fault is reported at once, with the entry it is in.

The list carries its own proof: each entry names messages that must speak and messages that must stay silent, and a list that
fails its own examples is refused, so an admin's edit cannot quietly break it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from config.intents import URGENCY_OF, Urgency
from nlu import danger as danger_module
from nlu import phrases as phrases_module
from nlu import text as text_module
from nlu.danger import DangerList, DangerPhrase, Idiom
from nlu.phrases import Phrase, PhraseError, PhraseReader
from nlu.text import words

DEFAULT_PATH = Path(__file__).resolve().parent.parent / "config" / "danger.yml"
_MAX_BYTES = 512_000
_TOP = {"negations", "fillers", "real_words", "groups", "idioms", "phrases"}
_PHRASE_KEYS = {"id", "urgency", "intent", "say", "unless", "speaks", "silent", "why"}
_IDIOM_KEYS = {"id", "say", "silent", "why"}
_URGENCIES = {urgency.label: urgency for urgency in Urgency if urgency > Urgency.NORMAL}


class DangerListError(ValueError):
    """A danger list that may not be used. `faults` holds all of them; `permanent`: reading again cannot help."""

    permanent = True

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)


def load(path: Path = DEFAULT_PATH) -> DangerList:
    """Read, check and compile a list. Raises `DangerListError` with all faults, each with what it is in."""
    return parse(read(path), path.name)


def parse(raw: bytes, name: str, *, proven: str = "") -> DangerList:
    """Check and compile the content of a list; `name` is what faults call it. Raises `DangerListError` with all faults.

    With the `fingerprint` of this very content in `proven` its examples are not tried again, which is half of the time.
    """
    if any(mark in line for line in raw.splitlines() for mark in (b": &", b": *", b"- &", b"- *", b": !", b"- !")):
        raise DangerListError([f"{name}: anchors, aliases and tags are not allowed"])
    try:
        data = YAML(typ="safe").load(raw)
    except (YAMLError, ValueError, RecursionError) as fault:  # an impossible date is a ValueError
        mark = getattr(fault, "problem_mark", None)
        where = f" line {mark.line + 1}" if mark else ""
        raise DangerListError([f"{name}{where}: not YAML"]) from None
    return build(data, tried=bool(proven) and proven == fingerprint(raw))


def fingerprint(raw: bytes) -> str:
    """A hash of a list and of the code that reads it: where both are the same, the examples hold as they held before."""
    code = (
        Path(module).read_bytes() for module in (__file__, text_module.__file__, phrases_module.__file__, danger_module.__file__)
    )
    return hashlib.sha256(b"".join([raw, *code])).hexdigest()


def read(path: Path) -> bytes:
    """The content of a list. Raises `DangerListError` when it cannot be read or is too large."""
    try:
        raw = path.read_bytes()
    except OSError as fault:
        raise DangerListError([f"{path.name}: cannot be read ({fault.strerror})"]) from None
    if len(raw) > _MAX_BYTES:
        raise DangerListError([f"{path.name}: larger than {_MAX_BYTES} bytes"])
    return raw


def build(data: object, *, tried: bool = False) -> DangerList:
    """Check and compile a list that was read from YAML. Raises `DangerListError` with all faults. `tried`: its examples hold."""
    builder = _Builder()
    danger = builder.build(data)
    if danger is None or builder.faults:
        raise DangerListError(builder.faults)
    faults = [] if tried else _failed_examples(danger)
    if faults:
        raise DangerListError(faults)
    return danger


def _failed_examples(danger: DangerList) -> list[str]:
    faults = []
    for phrase in danger.phrases:
        for number, example in enumerate(phrase.speaks, 1):
            if phrase.id not in danger.check(example).spoke:
                faults.append(f"phrase {phrase.id}: speaks example {number} stays silent")
        for number, example in enumerate(phrase.silent, 1):
            if phrase.id in danger.check(example).spoke:
                faults.append(f"phrase {phrase.id}: silent example {number} speaks")
    for idiom in danger.idioms:
        for number, example in enumerate(idiom.silent, 1):
            if danger.check(example).spoke:
                faults.append(f"idiom {idiom.id}: example {number} speaks ({', '.join(danger.check(example).spoke)})")
    return faults


class _Builder:
    """Collects faults while reading, so that an admin sees all of them at once."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.groups: dict[str, list[str]] = {}
        self.reader = PhraseReader(self.groups)
        self.ids: set[str] = set()
        # Every word that the list names: such a word is never taken for another one that sounds alike.
        self.written: set[str] = set()

    def build(self, data: object) -> DangerList | None:
        top = self._mapping(data, "list", _TOP)
        for name, members in self._mapping(top.get("groups", {}), "groups", None).items():
            self.groups[name] = self._members(self._texts(members, f"group {name}"), name)
        phrases = [self._phrase(entry) for entry in self._entries(top.get("phrases"), "phrases")]
        idioms = [self._idiom(entry) for entry in self._entries(top.get("idioms", []), "idioms")]
        singles = {key: self._texts(top.get(key, []), key) for key in ("negations", "fillers", "real_words")}
        if not phrases:
            self.faults.append("list: has no phrases")
        if self.faults:
            return None
        return DangerList(
            [phrase for phrase in phrases if phrase],
            [idiom for idiom in idioms if idiom],
            negations=_plain(singles["negations"]),
            fillers=_plain(singles["fillers"]),
            real_words=[*_plain(singles["real_words"]), *self.written],
        )

    def _members(self, members: list[str], name: str) -> list[str]:
        """A group's words; `{other}` stands for the words of a group that was written above it."""
        result = []
        for member in members:
            if not member.startswith("{"):
                result.append(member)
            elif member.strip("{}") in self.groups:
                result.extend(self.groups[member.strip("{}")])
            else:
                self.faults.append(f"group {name}: no group `{member}` above it")
        return result

    def _phrase(self, entry: object) -> DangerPhrase | None:
        fields = self._mapping(entry, "phrase", _PHRASE_KEYS)
        name = self._id(fields, "phrase")
        urgency = _URGENCIES.get(str(fields.get("urgency")))
        intent = fields.get("intent")
        if urgency is None:
            self.faults.append(f"phrase {name}: urgency must be one of {', '.join(_URGENCIES)}")
            return None
        if urgency is Urgency.ACUTE and (not isinstance(intent, str) or URGENCY_OF.get(intent) is not Urgency.ACUTE):
            self.faults.append(f"phrase {name}: an acute phrase needs intent acute_danger or self_harm_or_suicide")
        if urgency is not Urgency.ACUTE and intent is not None:
            self.faults.append(f"phrase {name}: only an acute phrase names an intent")
        speaks = self._texts(fields.get("speaks", []), f"phrase {name}: speaks")
        silent = self._texts(fields.get("silent", []), f"phrase {name}: silent")
        if not speaks or not silent:
            self.faults.append(f"phrase {name}: needs examples of both kinds, speaks and silent")
        return DangerPhrase(
            id=name,
            urgency=urgency,
            intent=intent if isinstance(intent, str) else None,
            say=self._read(fields.get("say"), f"phrase {name}"),
            unless=self._read(fields.get("unless", []), f"phrase {name}", needed=False),
            speaks=tuple(speaks),
            silent=tuple(silent),
        )

    def _idiom(self, entry: object) -> Idiom | None:
        fields = self._mapping(entry, "idiom", _IDIOM_KEYS)
        name = self._id(fields, "idiom")
        silent = self._texts(fields.get("silent", []), f"idiom {name}: silent")
        if not silent:
            self.faults.append(f"idiom {name}: needs an example under silent")
        return Idiom(name, self._read(fields.get("say"), f"idiom {name}"), tuple(silent))

    def _read(self, written: object, where: str, *, needed: bool = True) -> tuple[Phrase, ...]:
        texts = self._texts(written, where)
        if needed and not texts:
            self.faults.append(f"{where}: says nothing")
        found = []
        for text in texts:
            try:
                found.append(self.reader.read(text))
                self.written.update(*(cell.words for cell in found[-1].cells))
            except PhraseError as fault:
                self.faults.append(f"{where}: {fault}")
        return tuple(found)

    def _id(self, fields: Mapping[str, object], kind: str) -> str:
        name = fields.get("id")
        if not isinstance(name, str) or not name.isidentifier():
            self.faults.append(f"{kind}: needs an id of letters, digits and _")
            return "?"
        if name in self.ids:
            self.faults.append(f"{kind} {name}: the id is used twice")
        self.ids.add(name)
        return name

    def _mapping(self, data: object, where: str, allowed: set[str] | None) -> Mapping[str, object]:
        if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
            self.faults.append(f"{where}: must be names with values")
            return {}
        for key in sorted(set(data) - allowed) if allowed is not None else []:
            self.faults.append(f"{where}: unknown key `{key}`")
        return data

    def _entries(self, data: object, where: str) -> list[object]:
        if not isinstance(data, list):
            self.faults.append(f"{where}: must be a list")
            return []
        return data

    def _texts(self, data: object, where: str) -> list[str]:
        """A list of texts, or one text whose words are the list (groups are easier to read and edit that way)."""
        if isinstance(data, str):
            return data.split()
        if isinstance(data, list) and all(isinstance(text, str) and text.strip() for text in data):
            return list(data)
        self.faults.append(f"{where}: must be a list of texts")
        return []


def _plain(texts: Sequence[str]) -> list[str]:
    return [word for text in texts for word in words(text)]
