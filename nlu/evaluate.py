"""How well messages are understood: figures over a labelled file. Pure but for reading the file.

A file is tab-separated with the columns `text` and `intent` (a first line with these names may stand there).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from config.intents import FALLBACK, INTENTS, URGENCY_OF, Urgency
from nlu.spelling import NEIGHBOURS
from nlu.understanding import Understanding

Example = tuple[str, str]
"""A text and its intent."""

_BINS = 10


class ExamplesError(ValueError):
    """A labelled file that cannot be used; the text names file and line, never the words."""


@dataclass(frozen=True, slots=True)
class IntentFigures:
    """Precision, recall and F1 of one intent, each 0..1, and how many examples it has."""

    intent: str
    precision: float
    recall: float
    f1: float
    examples: int


@dataclass(frozen=True, slots=True)
class Bin:
    """One bar of the reliability curve: how sure the reader was on average, how often it was right, over how many."""

    confidence: float
    accuracy: float
    examples: int


@dataclass(frozen=True, slots=True)
class Report:
    """All figures of one run; rates are 0..1.

    `acute_recall`: acute messages read as acute. `acute_or_high_recall`: acute and high messages read as at least high.
    `false_alarm_rate`: normal messages read as acute. `raised_rate`: normal messages read as high or acute.
    `calibration_error`: expected difference between confidence and being right, over the messages whose intent was named.
    `acute` and `normal` count the messages of that urgency.
    """

    examples: int
    acute: int
    normal: int
    accuracy: float
    macro_f1: float
    fallback_rate: float
    acute_recall: float
    acute_or_high_recall: float
    false_alarm_rate: float
    raised_rate: float
    calibration_error: float
    intents: tuple[IntentFigures, ...]
    reliability: tuple[Bin, ...]
    confusion: tuple[tuple[str, str, int], ...]

    def as_dict(self) -> dict[str, object]:
        """The report as plain data, rates rounded to four digits."""
        return _rounded(asdict(self))  # type: ignore[return-value]


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(inner) for inner in value]
    return value


def read_examples(path: Path) -> list[Example]:
    """Labelled texts of a file. Raises `ExamplesError` for a line without a known intent, or an unreadable file."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as fault:
        raise ExamplesError(f"{path.name}: cannot be read ({type(fault).__name__})") from None
    examples = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#") or (number == 1 and line.split("\t")[:2] == ["text", "intent"]):
            continue
        text, tab, rest = line.partition("\t")
        intent = rest.split("\t")[0].strip()
        if not tab or intent not in INTENTS:
            raise ExamplesError(f"{path.name}, line {number}: needs a text, a tab and one of the {len(INTENTS)} intents")
        examples.append((text, intent))
    if not examples:
        raise ExamplesError(f"{path.name}: holds no examples")
    return examples


def evaluate(examples: Sequence[Example], read: Callable[[str], Understanding]) -> Report:
    """Read every text and compare."""
    return compare([(intent, read(text)) for text, intent in examples])


def compare(pairs: Sequence[tuple[str, Understanding]]) -> Report:
    """Figures of expected intents against what was understood."""
    figures = [_figures(intent, pairs) for intent in INTENTS if any(expected == intent for expected, _ in pairs)]
    bins = _reliability(pairs)
    urgencies = [(URGENCY_OF[expected], found.urgency) for expected, found in pairs]
    confusion = Counter((expected, found.intent) for expected, found in pairs)
    return Report(
        examples=len(pairs),
        acute=sum(true is Urgency.ACUTE for true, _ in urgencies),
        normal=sum(true is Urgency.NORMAL for true, _ in urgencies),
        accuracy=_rate(expected == found.intent for expected, found in pairs),
        macro_f1=sum(figure.f1 for figure in figures) / max(1, len(figures)),
        fallback_rate=_rate(found.intent == FALLBACK for _, found in pairs),
        acute_recall=_rate(found is Urgency.ACUTE for true, found in urgencies if true is Urgency.ACUTE),
        acute_or_high_recall=_rate(found >= Urgency.HIGH for true, found in urgencies if true >= Urgency.HIGH),
        false_alarm_rate=_rate(found is Urgency.ACUTE for true, found in urgencies if true is Urgency.NORMAL),
        raised_rate=_rate(found >= Urgency.HIGH for true, found in urgencies if true is Urgency.NORMAL),
        calibration_error=sum(abs(b.confidence - b.accuracy) * b.examples for b in bins) / max(1, sum(b.examples for b in bins)),
        intents=tuple(figures),
        reliability=tuple(bins),
        confusion=tuple((*key, count) for key, count in sorted(confusion.items())),
    )


def _rate(hits: Iterable[bool]) -> float:
    found = list(hits)
    return sum(found) / len(found) if found else 0.0


def _figures(intent: str, pairs: Sequence[tuple[str, Understanding]]) -> IntentFigures:
    expected = sum(1 for true, _ in pairs if true == intent)
    named = sum(1 for _, found in pairs if found.intent == intent)
    right = sum(1 for true, found in pairs if true == found.intent == intent)
    precision, recall = right / max(1, named), right / max(1, expected)
    f1 = 2 * precision * recall / (precision + recall) if right else 0.0
    return IntentFigures(intent, precision, recall, f1, expected)


def _reliability(pairs: Sequence[tuple[str, Understanding]]) -> list[Bin]:
    """Bars of equal width. A fallback names no intent and so is no claim: it is left out."""
    bars: list[list[tuple[float, bool]]] = [[] for _ in range(_BINS)]
    for expected, found in pairs:
        if found.intent != FALLBACK:
            bars[min(_BINS - 1, int(found.confidence * _BINS))].append((found.confidence, expected == found.intent))
    return [
        Bin(sum(sure for sure, _ in bar) / len(bar), sum(right for _, right in bar) / len(bar), len(bar)) for bar in bars if bar
    ]


def with_typos(text: str, rng: random.Random, *, rate: float = 0.06) -> str:
    """The text as typed in haste: about `rate` of the letters dropped, doubled, swapped or replaced by a neighbouring key."""
    letters = list(text)
    index = 0
    while index < len(letters):
        if letters[index].isalpha() and rng.random() < rate:
            index += _mistype(letters, index, rng)
        index += 1
    return "".join(letters) or text


def _mistype(letters: list[str], index: int, rng: random.Random) -> int:
    """Change one place; returns how many letters further to go on."""
    kind = rng.randrange(4)
    if kind == 0 and len(letters) > 1:
        del letters[index]
        return -1
    if kind == 1:
        letters.insert(index, letters[index])
        return 1
    if kind == 2 and index + 1 < len(letters):
        letters[index], letters[index + 1] = letters[index + 1], letters[index]
        return 1
    near = NEIGHBOURS.get(letters[index].lower())
    if near:
        letters[index] = rng.choice(near)
    return 0
