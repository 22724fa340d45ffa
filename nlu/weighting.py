"""The arithmetic of our own classifier, shared by Rasa (`nlu/rasa/weighted_classifier.py`) and the carried model. numpy only.

Counts become tf-idf (1 + ln count, times inverse document frequency), each featurizer's block is scaled to length 1, and one
linear score per intent is turned into probabilities by a softmax whose scale was calibrated on unseen data. The weights are
kept in one byte each, finer near zero, which makes the file small; training and reading use the same rounded weights.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
FORMAT = 1
ARRAYS = ("steps", "largest", "idf", "intercept")
_STEPS = 127.0


@dataclass(frozen=True)
class Weights:
    """A trained classifier: `steps` is (column, intent), `largest` per intent (see `to_bytes`), `idf` per column, `blocks` the
    columns of each featurizer."""

    intents: tuple[str, ...]
    blocks: tuple[int, ...]
    idf: Floats
    steps: npt.NDArray[np.int8]
    largest: Floats
    intercept: Floats
    scale: float

    def probabilities(self, counts: Sequence[Mapping[int, int]]) -> Floats:
        """Probability of each intent, from the counted n-grams of each block (column numbers within the block)."""
        columns, values = self.values(counts)
        # The same as with `coefficients`, but what belongs to the intent alone is multiplied once, at the end.
        steps = self.steps.take(columns, axis=0).astype(np.float64)
        steps *= np.abs(steps)
        scores = self.intercept + (values @ steps) * (self.largest / _STEPS**2)
        return softmax(scores * self.scale)

    def coefficients(self, columns: npt.NDArray[np.int64]) -> Floats:
        """The weights of these columns for every intent: kept as bytes, and worked out when needed."""
        roots = self.steps.take(columns, axis=0) / _STEPS
        roots *= np.abs(roots)
        roots *= self.largest
        return np.asarray(roots, dtype=np.float64)

    def values(self, counts: Sequence[Mapping[int, int]]) -> tuple[npt.NDArray[np.int64], Floats]:
        """The columns that are not zero, counted through all blocks, and their tf-idf with each block scaled to length 1."""
        starts = (0, *accumulate(self.blocks[:-1]))
        pairs = zip(starts, counts, strict=True)
        columns = np.array([column + start for start, block in pairs for column in block], dtype=np.int64)
        values = np.array([count for block in counts for count in block.values()], dtype=np.float64)
        values = (1.0 + np.log(values)) * self.idf.take(columns)
        begin = 0
        for block in counts:
            part = values[begin : begin + len(block)]
            if block:
                part /= math.sqrt(part @ part)
            begin += len(block)
        return columns, values


def softmax(scores: Floats) -> Floats:
    """Probabilities that sum to 1; safe for large scores."""
    raised: Floats = np.exp(scores - scores.max())
    return np.asarray(raised / raised.sum(), dtype=np.float64)


def inverse_document_frequency(documents: int, containing: Floats) -> Floats:
    """As in scikit-learn: ln((1 + documents) / (1 + containing)) + 1."""
    return np.asarray(np.log((1.0 + documents) / (1.0 + containing)) + 1.0, dtype=np.float64)


def to_bytes(coefficients: Floats) -> tuple[npt.NDArray[np.int8], Floats]:
    """Weights as one byte each, with the largest of each intent: the byte holds the signed square root."""
    largest: Floats = np.maximum(np.abs(coefficients).max(axis=0), 1e-12)
    steps = np.sign(coefficients) * np.rint(_STEPS * np.sqrt(np.abs(coefficients) / largest))
    return steps.astype(np.int8), largest


def checked(data: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> Weights:
    """Put a stored classifier together. Raises `ValueError` saying which part does not fit the others."""
    if data.get("format") != FORMAT:
        raise ValueError(f"format {data.get('format')!r}, expected {FORMAT}")
    intents, blocks, scale = tuple(map(str, data["intents"])), tuple(map(int, data["blocks"])), float(data["scale"])
    if not (math.isfinite(scale) and scale > 0):
        raise ValueError(f"a scale of {scale}")
    columns = sum(blocks)
    expected: dict[str, tuple[tuple[int, ...], type]] = {
        "steps": ((columns, len(intents)), np.int8),
        "largest": ((len(intents),), np.float64),
        "idf": ((columns,), np.float64),
        "intercept": ((len(intents),), np.float64),
    }
    for name, (shape, kind) in expected.items():
        array = arrays[name]
        if array.shape != shape or array.dtype != kind:
            raise ValueError(f"{name} is {array.dtype}{array.shape}, expected {np.dtype(kind)}{shape}")
        if kind is np.float64 and not np.isfinite(array).all():
            raise ValueError(f"{name} holds numbers that are not finite")
    return Weights(intents, blocks, arrays["idf"], arrays["steps"], arrays["largest"], arrays["intercept"], float(data["scale"]))
