"""The training data and the held-out sets: reading, checking, hashing, and refusing overlap between them."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from ruamel.yaml import YAML

from config.intents import INTENTS
from nlu import danger_file
from nlu.evaluate import Example, read_examples, with_typos
from nlu.text import STOP, words

NLU = Path(__file__).resolve().parent.parent
PROJECT = NLU / "rasa"
TRAINING = PROJECT / "data" / "nlu"
HELD_OUT = NLU / "heldout"
MAIN_HELD_OUT = HELD_OUT / "heldout.tsv"
WHOLE = ("heldout", "second")
"""The sets that hold every intent, each by another author."""

_TYPING_SEED = 20261122

LEAST_EXAMPLES = 150
"""Training examples that each intent needs."""


def training_files(folder: Path = TRAINING) -> list[Path]:
    """The training data's files, in a fixed order."""
    return sorted(folder.glob("*.yml"))


def training_examples(folder: Path = TRAINING) -> list[Example]:
    """All training texts with their intents, in the order of the files."""
    return [example for path in training_files(folder) for example in _examples(path)]


def _examples(path: Path) -> list[Example]:
    data = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    found: list[Example] = []
    for entry in data["nlu"]:
        lines = entry["examples"].splitlines()
        found += [(line[2:].strip(), entry["intent"]) for line in lines if line.startswith("- ")]
    return found


def held_out_files(folder: Path = HELD_OUT) -> list[Path]:
    """The held-out sets: two that hold every intent, the others with hard cases."""
    return sorted(folder.glob("*.tsv"))


def held_out_sets() -> dict[str, list[Example]]:
    """All held-out examples together (`all`), and each set by name; those that hold every intent also full of typos."""
    files = sorted(held_out_files(), key=lambda path: (path.stem not in WHOLE, path.stem))
    found = {"held-out" if path == MAIN_HELD_OUT else path.stem.replace("_", " "): read_examples(path) for path in files}
    found = {"all": [example for examples in found.values() for example in examples], **found}
    sets: dict[str, list[Example]] = {}
    for name, examples in found.items():
        sets[name] = examples
        if name in {"all", "held-out", "second"}:
            sets[f"{name} with typos"] = typed_in_haste(examples)
    return sets


def typed_in_haste(examples: Iterable[Example]) -> list[Example]:
    """The same examples with typos, the same ones every time."""
    rng = random.Random(_TYPING_SEED)  # noqa: S311 - chance, no secret
    return [(with_typos(text, rng), intent) for text, intent in examples]


def data_hash(folder: Path = PROJECT, *, code: Iterable[Path] | None = None) -> str:
    """SHA-256 over what a model and its thresholds come from, by name: data, pipeline, domain, danger list, and the code that both
    sides run."""
    digest = hashlib.sha256()
    files = [*training_files(folder / "data" / "nlu"), folder / "config.yml", folder / "domain.yml"]
    for path in [*files, *(_code() if code is None else code)]:
        raw = path.read_bytes().replace(b"\r\n", b"\n")
        digest.update(f"{path.name}\0{len(raw)}\0".encode())
        digest.update(raw)
    return digest.hexdigest()


def _code() -> list[Path]:
    shared = ("text", "spelling", "concepts", "featurise", "weighting", "danger", "phrases", "training/calibrate")
    return [danger_file.DEFAULT_PATH, *(NLU / f"{name}.py" for name in shared), *sorted(PROJECT.glob("*.py"))]


def key(text: str) -> str:
    """What a text is when spelling by ear, capitals, accents and signs are taken away: equal keys are the same example."""
    return " ".join(word for word in words(text) if word != STOP) or text.strip()


def faults(examples: Sequence[Example], held_out: Iterable[Path] = ()) -> list[str]:
    """What is wrong with the data: unknown or thin intents, one text under two intents, overlap with a held-out set."""
    found = []
    counts = Counter(intent for _, intent in examples)
    found += [f"unknown intent {intent}" for intent in sorted(set(counts) - set(INTENTS))]
    found += [
        f"{intent}: {counts[intent]} examples, needs {LEAST_EXAMPLES}" for intent in INTENTS if counts[intent] < LEAST_EXAMPLES
    ]
    intents: dict[str, set[str]] = {}
    for text, intent in examples:
        intents.setdefault(key(text), set()).add(intent)
    found += [f"`{text}` stands under {' and '.join(sorted(names))}" for text, names in intents.items() if len(names) > 1]
    for path in held_out:
        found += [f"{path.name}: `{text}` is also training data" for text, _ in read_examples(path) if key(text) in intents]
    return found
