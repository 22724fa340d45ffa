"""Rasa's `responses:` form, as far as we use it: each `utter_*` becomes an `Utterance`, each item under it a `Variant`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from config.schema import Condition, Utterance, Variant
from config.validate import expect_list, expect_mapping, validate
from config.yaml_tree import KeyPath, Tree

RASA_VERSION = "3.1"

_FILE = frozenset({"version", "responses"})
_VARIANT = frozenset({"text", "condition", "metadata", "buttons"})
_METADATA = frozenset({"act", "language"})
_CONDITION = frozenset({"type", "name", "value"})
_CONDITIONS = ", ".join(Condition)


@dataclass(frozen=True)
class UtteranceSource:
    """An utterance, and where it stands."""

    utterance: Utterance
    tree: Tree
    path: KeyPath

    def at(self, variant: int, *keys: str | int) -> KeyPath:
        """The path of a variant, or of something inside it."""
        return (*self.path, variant, *keys)


def read_responses(tree: Tree) -> Iterator[UtteranceSource]:
    """Every utterance of the file that has a good shape; the faults of the others are in `tree`."""
    top = expect_mapping(tree.value, tree, (), _FILE)
    if str(top.get("version")) != RASA_VERSION:
        tree.add(("version",), f'must be "{RASA_VERSION}" (Rasa\'s form)')
    responses = expect_mapping(top.get("responses"), tree, ("responses",)) if top else {}
    for name, value in responses.items():
        path: KeyPath = ("responses", name)
        utterance = _utterance(name, value, tree, path)
        if utterance is not None:
            yield UtteranceSource(utterance, tree, path)


def _utterance(name: str, value: Any, tree: Tree, path: KeyPath) -> Utterance | None:
    before = len(tree.faults)
    items = [_variant(item, tree, (*path, i)) for i, item in enumerate(expect_list(value, tree, path))]
    variants = [variant for variant, _ in items if variant is not None]
    languages = sorted({language for _, language in items})
    if len(languages) > 1:
        tree.add(path, f"one utterance has one language, here: {', '.join(languages)}")
    if len(tree.faults) > before:
        return None
    return validate(Utterance, {"id": name, "language": languages[0], "variants": variants}, tree, path)


def _variant(item: Any, tree: Tree, path: KeyPath) -> tuple[Variant | None, str]:
    parts = expect_mapping(item, tree, path, _VARIANT)
    metadata = expect_mapping(parts.get("metadata"), tree, (*path, "metadata"), _METADATA) if parts else {}
    language = metadata.get("language", "nl")
    if not (isinstance(language, str) and language.isascii() and language.isalpha() and language.islower()):
        tree.add((*path, "metadata", "language"), "must be a language code such as nl or en")
        language = "nl"
    if not parts or not metadata:
        return None, language
    if "act" not in metadata:
        tree.add((*path, "metadata", "act"), "is missing: name the speech acts of this text")
        return None, language
    whole = {
        "text": parts.get("text"),
        "acts": metadata["act"],
        "when": _when(parts.get("condition", []), tree, (*path, "condition")),
        "buttons": parts.get("buttons", []),
    }
    return validate(Variant, whole, tree, path, {"acts": ("metadata", "act"), "when": ("condition",)}), language


def _when(value: Any, tree: Tree, path: KeyPath) -> dict[str, bool]:
    when: dict[str, bool] = {}
    if not isinstance(value, list):
        tree.add(path, "must be a list of {type: slot, name: ..., value: ...}")
        return when
    for i, item in enumerate(value):
        here: KeyPath = (*path, i)
        parts = expect_mapping(item, tree, here, _CONDITION)
        name, wanted = parts.get("name"), parts.get("value")
        if not parts:
            continue
        if parts.get("type") != "slot":
            tree.add((*here, "type"), "must be slot")
        known = _condition(name)
        if known is None:
            tree.add((*here, "name"), f"must be one of {_CONDITIONS}")
        elif not isinstance(wanted, bool):
            tree.add((*here, "value"), "must be true or false")
        elif known in when:
            tree.add((*here, "name"), "this condition is named twice in one text")
        else:
            when[known] = wanted
    return when


def _condition(name: object) -> Condition | None:
    try:
        return Condition(name)  # type: ignore[arg-type]
    except ValueError:
        return None
