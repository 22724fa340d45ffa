"""Why a message was read as it was: the n-grams and danger phrases that spoke, so that an admin can understand a mistake.

For made-up sentences typed by an admin or developer; it echoes parts of the text by design and is never given a child's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from nlu.danger import DangerList
from nlu.language import detect
from nlu.model import CarriedModel
from nlu.reader import Thresholds, clean, decide
from nlu.text import has_words
from nlu.understanding import Classification, Understanding


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
    classified = model.classify(plain) if model is not None and has_words(plain) else None
    understanding = decide(alarm, classified, detect(plain), thresholds)
    voices = _voices(model, plain, classified) if model is not None and classified is not None else []
    return Explanation(
        understanding,
        tuple(list(classified.ranking.items())[:5]) if classified else (),
        tuple(voice for voice in voices[:most] if voice.weight > 0),
        tuple(voice for voice in voices[::-1][:most] if voice.weight < 0),
        alarm.spoke,
    )


def _voices(model: CarriedModel, text: str, classified: Classification) -> list[Voice]:
    """All known n-grams of the text, the strongest voice for the best intent first."""
    if model.weights is None:
        return []
    counts = model.counts(text)
    columns, values = model.weights.values(counts)
    own = model.weights.coefficients(columns)
    # Against the average intent: a weight that all intents share decides nothing.
    speaks = values * (own[:, model.weights.intents.index(classified.intent)] - own.mean(axis=1))
    names: dict[str, float] = {}
    for ngram, weight in zip(_ngrams(model, counts), speaks.tolist(), strict=True):
        names[ngram] = names.get(ngram, 0.0) + weight
    return sorted((Voice(ngram, round(weight, 4)) for ngram, weight in names.items()), key=lambda voice: -voice.weight)


def _ngrams(model: CarriedModel, counts: Sequence[Mapping[int, int]]) -> Iterator[str]:
    """The n-grams that were counted, block after block."""
    for counter, block in zip(model.counters, counts, strict=True):
        known = {column: ngram for ngram, column in counter.vocabulary.items() if column in block}
        yield from (known[column] for column in block)
