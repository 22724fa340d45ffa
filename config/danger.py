"""The schema of the danger list (`danger.yml`): what an entry holds. How its phrases are read and tried is `nlu.danger_file`'s."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, TypeAdapter, ValidationError, model_validator

from config.intents import URGENCY_OF, Urgency
from config.schema import Frozen
from config.validate import Model, expect_list, expect_mapping, validate
from config.yaml_tree import KeyPath, Tree, parse


def _texts(value: object) -> object:
    """One text stands for the list of its words: long groups are easier to read and edit that way."""
    return value.split() if isinstance(value, str) else value


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Texts = Annotated[tuple[Text, ...], BeforeValidator(_texts)]
SomeTexts = Annotated[tuple[Text, ...], Field(min_length=1), BeforeValidator(_texts)]
EntryId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]

_ACUTE = tuple(intent for intent, urgency in URGENCY_OF.items() if urgency is Urgency.ACUTE)


class DangerPhraseEntry(Frozen):
    """Words that mean danger by themselves. Any of `say` speaks, except where one of `unless` stands in it or near it."""

    id: EntryId
    urgency: Literal["high", "acute"]
    intent: str | None = None  # what an acute message then means
    say: SomeTexts
    unless: Texts = ()
    speaks: SomeTexts  # examples in which it must speak
    silent: SomeTexts  # examples in which it must not
    why: str = ""

    @model_validator(mode="after")
    def _intent_of_urgency(self) -> Self:
        if self.urgency == "acute" and self.intent not in _ACUTE:
            raise ValueError(f"an acute phrase needs an intent: {' or '.join(_ACUTE)}")
        if self.urgency != "acute" and self.intent is not None:
            raise ValueError("only an acute phrase names an intent")
        return self


class IdiomEntry(Frozen):
    """Alarming words that mean nothing. `silent`: examples in which no phrase may speak."""

    id: EntryId
    say: SomeTexts
    silent: SomeTexts
    why: str = ""


@dataclass(frozen=True, slots=True)
class DangerEntries:
    """What could be read of a list."""

    words: Mapping[str, tuple[str, ...]]
    """The words under `negations`, `fillers` and `real_words`."""
    groups: Mapping[str, tuple[str, ...]]
    """The words of each group, in the order of the file; `{name}` stands for a group above it."""
    idioms: Mapping[int, IdiomEntry]
    """Each good idiom by its number in the file, counted from 0."""
    phrases: Mapping[int, DangerPhraseEntry]
    """Each good phrase by its number in the file, counted from 0."""


_WORDS = ("negations", "fillers", "real_words")
_PARTS = frozenset({*_WORDS, "groups", "idioms", "phrases"})
_SomeTexts = TypeAdapter(Texts)


def parse_danger(content: bytes, tree: Tree) -> DangerEntries:
    """Parse a list as far as it can be parsed. What is wrong with it stands in `tree`."""
    parse(content, tree)
    top = {} if tree.faults else expect_mapping(tree.value, tree, (), _PARTS)
    if not top and not tree.faults:
        tree.add((), "is empty")
    groups = expect_mapping(top.get("groups", {}), tree, ("groups",))
    entries = DangerEntries(
        words={name: _read_texts(top.get(name, ""), tree, (name,)) for name in _WORDS},
        groups={name: _read_texts(members, tree, ("groups", name)) for name, members in groups.items()},
        idioms=_read_entries(IdiomEntry, top.get("idioms"), tree, ("idioms",)),
        phrases=_read_entries(DangerPhraseEntry, top.get("phrases"), tree, ("phrases",)),
    )
    if top and not top.get("phrases"):
        tree.add(("phrases",), "needs at least one phrase")
    _refuse_repeated_ids(entries, tree)
    return entries


def _read_texts(value: Any, tree: Tree, path: KeyPath) -> tuple[str, ...]:
    try:
        return _SomeTexts.validate_python(value)
    except ValidationError:
        tree.add(path, "must be a list of texts, or one text with the words; put numbers in quotes")
        return ()


def _read_entries(model: type[Model], value: Any, tree: Tree, path: KeyPath) -> dict[int, Model]:
    entries = {}
    for number, item in enumerate(expect_list(value, tree, path) if value else []):
        here = (*path, number)
        known = expect_mapping(item, tree, here, frozenset(model.model_fields))
        if known and (entry := validate(model, known, tree, here)) is not None:
            entries[number] = entry
    return entries


def _refuse_repeated_ids(entries: DangerEntries, tree: Tree) -> None:
    seen: set[str] = set()
    for part, numbered in (("idioms", entries.idioms), ("phrases", entries.phrases)):
        for number, entry in numbered.items():
            if entry.id in seen:
                tree.add((part, number, "id"), f"{entry.id} is used twice")
            seen.add(entry.id)
