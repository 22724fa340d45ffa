"""Makes confidence mean something, and sets where it is believed; on answers of models that had not seen the examples. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nlu.danger import Alarm
from nlu.evaluate import compare
from nlu.reader import Thresholds, decide
from nlu.understanding import Classification, Understanding

_FALSE_ALARMS = 0.03
"""Normal messages that may be read as acute. The training data holds far more near misses than children will write."""
_RAISED = 0.10
"""Normal messages that may be read as high or acute."""
_F1_FOR_HONESTY = 0.001
"""How much macro-F1 the fallback may cost."""


@dataclass(frozen=True, slots=True)
class Unseen:
    """One example as read by a model that was trained without it, and what the danger list says of it."""

    intent: str
    ranking: Mapping[str, float]
    alarm: Alarm


def best_scale(examples: Sequence[Unseen]) -> float:
    """The softmax scale (relative to the one the answers were made with) under which the true intents are most likely."""
    logs = [{name: math.log(max(p, 1e-12)) for name, p in example.ranking.items()} for example in examples]
    steps = [0.3 * 1.08**step for step in range(40)]
    return min(steps, key=lambda scale: _loss(examples, logs, scale))


def _loss(examples: Sequence[Unseen], logs: Sequence[Mapping[str, float]], scale: float) -> float:
    total = 0.0
    for example, scores in zip(examples, logs, strict=True):
        top = max(scores.values())
        norm = math.log(sum(math.exp(scale * (score - top)) for score in scores.values()))
        total += norm - scale * (scores.get(example.intent, -30.0) - top)
    return total / len(examples)


def rescaled(ranking: Mapping[str, float], scale: float) -> dict[str, float]:
    """The probabilities under another softmax scale, most likely first."""
    top = max(ranking.values())
    raised = {name: (max(p, 1e-12) / top) ** scale for name, p in ranking.items()}
    total = sum(raised.values())
    return dict(sorted(((name, p / total) for name, p in raised.items()), key=lambda entry: -entry[1]))


def understood(examples: Sequence[Unseen], thresholds: Thresholds) -> list[tuple[str, Understanding]]:
    """Each expected intent with what the reader makes of the answer."""
    return [(example.intent, _understood(example, thresholds)) for example in examples]


def _understood(example: Unseen, thresholds: Thresholds) -> Understanding:
    best = next(iter(example.ranking))
    return decide(example.alarm, Classification(best, example.ranking[best], example.ranking), "nl", thresholds)


def set_thresholds(examples: Sequence[Unseen]) -> Thresholds:
    """The lowest thresholds for acute and high that keep false alarms rare, and the highest honest fallback between them.

    In that order: what is named depends on the first two alone, and a named intent brings its urgency with it.
    """
    acute = _lowest("acute_from", examples, Thresholds(0.0, 1.0, 1.0), "false_alarm_rate", _FALSE_ALARMS)
    return _lowest("high_from", examples, _honest(examples, acute), "raised_rate", _RAISED)


def trade_off(examples: Sequence[Unseen], thresholds: Thresholds) -> list[tuple[float, float, float]]:
    """(`acute_from`, false alarms, recall of acute) for other values of that threshold: what a change would cost and bring."""
    tried = [_with(thresholds, "acute_from", percent) for percent in range(5, 100, 5)]
    reports = [(base.acute_from, compare(understood(examples, base))) for base in [*tried, thresholds]]
    return sorted((value, report.false_alarm_rate, report.acute_recall) for value, report in reports)


def _honest(examples: Sequence[Unseen], base: Thresholds) -> Thresholds:
    best = compare(understood(examples, base)).macro_f1
    chosen = base
    for step in range(5, 50, 3):
        tried = _with(base, "fallback_below", step)
        if compare(understood(examples, tried)).macro_f1 < best - _F1_FOR_HONESTY:
            break
        chosen = tried
    return chosen


def _lowest(name: str, examples: Sequence[Unseen], base: Thresholds, rate: str, allowed: float) -> Thresholds:
    """The lowest value of one threshold whose rate is allowed (the rate only falls as the threshold rises)."""
    low, high = 5, 95
    while low < high:
        middle = (low + high) // 2
        found = getattr(compare(understood(examples, _with(base, name, middle))), rate)
        low, high = (low, middle) if found <= allowed else (middle + 1, high)
    return _with(base, name, low)


def _with(base: Thresholds, name: str, percent: int) -> Thresholds:
    values = {"fallback_below": base.fallback_below, "acute_from": base.acute_from, "high_from": base.high_from}
    return Thresholds(**{**values, name: percent / 100})
