"""From plain data to the models of `config.schema`, with every refusal as a fault at its own line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from config.yaml_tree import KeyPath, Tree, Value

Model = TypeVar("Model", bound=BaseModel)

_SENTENCES: Mapping[str, str] = {
    "extra_forbidden": "is not a key that we know; check the spelling",
    "missing": "is missing",
    "model_type": "must be a mapping of keys to values",
    "dict_type": "must be a mapping of keys to values",
    "tuple_type": "must be a list",
    "string_type": "must be text; put a number in quotes",
    "too_short": "is empty",
}


def validate(
    model: type[Model], value: Any, tree: Tree, path: KeyPath, homes: Mapping[str | int, KeyPath] | None = None
) -> Model | None:
    """`value` as `model`; None when it is refused, and then the faults are in `tree`.

    `homes` says where in the file a field stands that has another name there.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        for where, message in _refusals(error, tree, path, homes or {}):
            tree.add(where, message)
        return None


def _refusals(error: ValidationError, tree: Tree, path: KeyPath, homes: Mapping[str | int, KeyPath]) -> list[tuple[KeyPath, str]]:
    """Each refusal once. Of a choice between shapes only the branch that came furthest is told."""
    found: dict[KeyPath, tuple[KeyPath, str]] = {}
    for detail in error.errors(include_url=False, include_context=True, include_input=False):
        first, *rest = detail["loc"] or ("",)
        where: KeyPath = (*path, *homes.get(first, (first,)), *rest)
        known = tree.resolve(where)
        if detail["type"] == "missing":
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


def expect_mapping(value: Value, tree: Tree, path: KeyPath, known: frozenset[str] | None = None) -> dict[str, Any]:
    """`value` when it is a mapping with only `known` keys; else a fault, and an empty mapping or its known part."""
    if not isinstance(value, dict):
        tree.add(path, "must be a mapping of keys to values" if value is not None else "is empty")
        return {}
    if known is None:
        return value
    for key in value.keys() - known:
        tree.add((*path, key), f"is not a key that we know here ({', '.join(sorted(known))})")
    return {key: inner for key, inner in value.items() if key in known}


def expect_list(value: Value, tree: Tree, path: KeyPath) -> list[Any]:
    """`value` when it is a list with something in it; else a fault and an empty list."""
    if not isinstance(value, list) or not value:
        tree.add(path, "must be a list with at least one item")
        return []
    return value
