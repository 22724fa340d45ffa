"""Why a message was read as it was: the n-grams and danger phrases that spoke, so that an admin can understand a mistake.

For made-up sentences typed by an admin or developer; it echoes parts of the text by design and is never given a child's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nlu.danger import DangerList
from nlu.language import detect
from nlu.model import CarriedModel
from nlu.reader import Thresholds, clean, decide
from nlu.text import has_words
from nlu.understanding import Reading, Understanding
from nlu.weighting import Weights, weigh


@dataclass(frozen=True, slots=True)
class Voice:
    """One n-gram and how much it speaks for (positive) or against the intent, in the classifier's own score."""

    ngram: str
    weight: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """What was understood, the likeliest intents, the n-grams for and against the best one, and the ids of danger phrases."""

    understanding: Understanding
    ranking: tuple[tuple[str, float], ...]
    speaks_for: tuple[Voice, ...]
    speaks_against: tuple[Voice, ...]
    danger_phrases: tuple[str, ...]


def explain(text: str, model: CarriedModel | None, danger: DangerList, thresholds: Thresholds, *, most: int = 10) -> Explanation:
    """Read one text and say why; `most` voices on either side."""
    plain = clean(text)
    alarm = danger.check(plain)
    reading = model.read(plain) if model is not None and has_words(plain) else None
    understanding = decide(alarm, reading, detect(plain), thresholds)
    voices = _voices(model, plain, reading) if model is not None and reading is not None else []
    return Explanation(
        understanding,
        tuple(list(reading.ranking.items())[:5]) if reading else (),
        tuple(voice for voice in voices[:most] if voice.weight > 0),
        tuple(voice for voice in voices[::-1][:most] if voice.weight < 0),
        alarm.spoke,
    )


def _voices(model: CarriedModel, text: str, reading: Reading) -> list[Voice]:
    """All known n-grams of the text, the strongest voice for the best intent first."""
    if model.weights is None:
        return []
    names: dict[str, float] = {}
    offset = 0
    for counter, counts in zip(model.counters, model.counts(text), strict=True):
        if counts:
            known = {column: ngram for ngram, column in counter.vocabulary.items() if column in counts}
            for column, value in _block_voices(model.weights, counts, offset, reading.intent):
                names[known[column]] = names.get(known[column], 0.0) + value
        offset += len(counter.vocabulary)
    return sorted((Voice(ngram, round(weight, 4)) for ngram, weight in names.items()), key=lambda voice: -voice.weight)


def _block_voices(weights: Weights, counts: dict[int, int], offset: int, intent: str) -> list[tuple[int, float]]:
    columns = np.fromiter(counts.keys(), dtype=np.int64, count=len(counts))
    values = weigh(np.fromiter(counts.values(), dtype=np.float64, count=len(counts)), weights.idf[columns + offset])
    column_of_intent = weights.intents.index(intent)
    # Against the average intent: a weight that all intents share decides nothing.
    own = weights.coefficients[columns + offset]
    speaks = values * (own[:, column_of_intent] - own.mean(axis=1))
    return list(zip(columns.tolist(), speaks.tolist(), strict=True))
