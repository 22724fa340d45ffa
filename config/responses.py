"""Rasa's `responses:` form, as far as we use it: each `utter_*` becomes an `Utterance`, each item under it a `Variant`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from config.schema import Condition, Utterance, Variant
from config.shapes import listing, mapping, shape
from config.yaml_tree import Place, Tree

RASA_VERSION = "3.1"

_FILE = frozenset({"version", "responses"})
_VARIANT = frozenset({"text", "condition", "metadata", "buttons"})
_METADATA = frozenset({"act", "language"})
_CONDITION = frozenset({"type", "name", "value"})
_CONDITIONS = ", ".join(Condition)


@dataclass(frozen=True)
class Told:
    """An utterance, and where it stands."""

    utterance: Utterance
    tree: Tree
    place: Place

    def at(self, variant: int, *keys: str | int) -> Place:
        """The place of a variant, or of something inside it."""
        return (*self.place, variant, *keys)


def read_responses(tree: Tree) -> Iterator[Told]:
    """Every utterance of the file that has a good shape; the faults of the others are in `tree`."""
    top = mapping(tree.value, tree, (), _FILE)
    if str(top.get("version")) != RASA_VERSION:
        tree.add(("version",), f'must be "{RASA_VERSION}" (Rasa\'s form)')
    responses = mapping(top.get("responses"), tree, ("responses",)) if top else {}
    for name, value in responses.items():
        place: Place = ("responses", name)
        utterance = _utterance(name, value, tree, place)
        if utterance is not None:
            yield Told(utterance, tree, place)


def _utterance(name: str, value: Any, tree: Tree, place: Place) -> Utterance | None:
    before = len(tree.faults)
    items = [_variant(item, tree, (*place, i)) for i, item in enumerate(listing(value, tree, place))]
    variants = [variant for variant, _ in items if variant is not None]
    languages = sorted({language for _, language in items})
    if len(languages) > 1:
        tree.add(place, f"one utterance has one language, here: {', '.join(languages)}")
    if len(tree.faults) > before:
        return None
    return shape(Utterance, {"id": name, "language": languages[0], "variants": variants}, tree, place)


def _variant(item: Any, tree: Tree, place: Place) -> tuple[Variant | None, str]:
    parts = mapping(item, tree, place, _VARIANT)
    metadata = mapping(parts.get("metadata"), tree, (*place, "metadata"), _METADATA) if parts else {}
    language = metadata.get("language", "nl")
    if not (isinstance(language, str) and language.isascii() and language.isalpha() and language.islower()):
        tree.add((*place, "metadata", "language"), "must be a language code such as nl or en")
        language = "nl"
    if not parts or not metadata:
        return None, language
    if "act" not in metadata:
        tree.add((*place, "metadata", "act"), "is missing: name the speech acts of this text")
        return None, language
    whole = {
        "text": parts.get("text"),
        "acts": metadata["act"],
        "when": _when(parts.get("condition", []), tree, (*place, "condition")),
        "buttons": parts.get("buttons", []),
    }
    return shape(Variant, whole, tree, place, {"acts": ("metadata", "act"), "when": ("condition",)}), language


def _when(value: Any, tree: Tree, place: Place) -> dict[str, bool]:
    when: dict[str, bool] = {}
    if not isinstance(value, list):
        tree.add(place, "must be a list of {type: slot, name: ..., value: ...}")
        return when
    for i, item in enumerate(value):
        here: Place = (*place, i)
        parts = mapping(item, tree, here, _CONDITION)
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
