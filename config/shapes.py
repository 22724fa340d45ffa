"""From plain data to the shapes of `config.schema`, with every refusal as a fault at its own line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from config.yaml_tree import Place, Tree, Value

Shape = TypeVar("Shape", bound=BaseModel)

_SENTENCES: Mapping[str, str] = {
    "extra_forbidden": "is not a key that we know; check the spelling",
    "missing": "is missing",
    "model_type": "must be a mapping of keys to values",
    "dict_type": "must be a mapping of keys to values",
    "string_type": "must be text; put a number in quotes",
    "too_short": "is empty",
}


def shape(model: type[Shape], value: Any, tree: Tree, place: Place, homes: Mapping[str | int, Place] | None = None) -> Shape | None:
    """`value` as `model`; None when it is refused, and then the faults are in `tree`.

    `homes` says where in the file a field stands that has another name there.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        for where, message in _refusals(error, tree, place, homes or {}):
            tree.add(where, message)
        return None


def _refusals(error: ValidationError, tree: Tree, place: Place, homes: Mapping[str | int, Place]) -> list[tuple[Place, str]]:
    """Each refusal once. Of a choice between shapes only the branch that came furthest is told."""
    found: dict[Place, tuple[Place, str]] = {}
    for detail in error.errors(include_url=False, include_context=True, include_input=False):
        first, *rest = detail["loc"] or ("",)
        where: Place = (*place, *homes.get(first, (first,)), *rest)
        known = tree.resolve(where)
        if detail["type"] in {"missing", "extra_forbidden"}:
            known = (*known, where[-1])
        found.setdefault(known, (known, _sentence(detail)))
    deepest = [k for k in found if not any(other != k and other[: len(k)] == k for other in found)]
    return [found[key] for key in deepest]


def _sentence(detail: Any) -> str:
    kind = str(detail["type"])
    if kind in _SENTENCES:
        return _SENTENCES[kind]
    if kind == "string_pattern_mismatch":
        return f"is not written as it must be: {detail['ctx']['pattern']}"
    if kind == "value_error":
        return str(detail["ctx"]["error"])
    return str(detail["msg"]).replace("Input should be", "must be").replace("'", "")


def mapping(value: Value, tree: Tree, place: Place, known: frozenset[str] | None = None) -> dict[str, Any]:
    """`value` when it is a mapping with only `known` keys; else a fault, and an empty mapping or its known part."""
    if not isinstance(value, dict):
        tree.add(place, "must be a mapping of keys to values" if value is not None else "is empty")
        return {}
    if known is None:
        return value
    for key in value.keys() - known:
        tree.add((*place, key), f"is not a key that we know here ({', '.join(sorted(known))})")
    return {key: inner for key, inner in value.items() if key in known}


def listing(value: Value, tree: Tree, place: Place) -> list[Any]:
    """`value` when it is a list with something in it; else a fault and an empty list."""
    if not isinstance(value, list) or not value:
        tree.add(place, "must be a list with at least one item")
        return []
    return value
