# ruff: noqa: S311 - chance, not secrets
"""Figures over labelled examples, worked out by hand."""

from __future__ import annotations

import json
import random
from difflib import SequenceMatcher
from itertools import pairwise, product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.intents import FALLBACK, URGENCY_OF, Urgency
from nlu.danger import QUIET
from nlu.evaluate import ExamplesError, compare, read_examples, with_typos
from nlu.training.calibrate import Unseen, best_scale, rescaled, set_thresholds, trade_off, understood
from nlu.training.dataset import training_examples
from nlu.training.pictures import confusion_matrix, reliability_curve, trade_off_curve
from nlu.understanding import Understanding


def said(intent: str, confidence: float = 0.9, urgency: Urgency | None = None) -> Understanding:
    return Understanding(intent, confidence, URGENCY_OF[intent] if urgency is None else urgency, "nl")


PAIRS = [
    ("greet", said("greet", 0.95)),
    ("greet", said("deny", 0.95)),
    ("deny", said("deny", 0.55)),
    ("deny", said(FALLBACK, 0.1)),
    ("acute_danger", said("acute_danger")),
    ("acute_danger", said("disclose_neglect")),
    ("disclose_neglect", said("greet")),
    ("out_of_scope", said("acute_danger")),
]


def test_figures() -> None:
    report = compare(PAIRS)
    assert report.examples == 8
    assert report.accuracy == pytest.approx(3 / 8)
    assert report.fallback_rate == pytest.approx(1 / 8)
    assert report.acute_recall == pytest.approx(1 / 2)
    assert report.acute_or_high_recall == pytest.approx(2 / 3)
    assert report.false_alarm_rate == pytest.approx(1 / 5)
    greet = next(row for row in report.intents if row.intent == "greet")
    assert (greet.precision, greet.recall, greet.f1, greet.examples) == (0.5, 0.5, 0.5, 2)
    assert report.macro_f1 == pytest.approx((0.5 + 0.5 + 0.5 + 0 + 0) / 5)


def test_calibration_error_is_the_mean_gap() -> None:
    report = compare(PAIRS)
    high, middle = 6, 1  # answers at 0.9 to 0.95 (2 right), and one at 0.55 (right); the fallback is no claim
    expected = (abs((2 * 0.95 + 4 * 0.9) / high - 2 / high) * high + abs(0.55 - 1) * middle) / 7
    assert report.calibration_error == pytest.approx(expected)


def test_the_report_is_plain_data() -> None:
    assert json.loads(json.dumps(compare(PAIRS).as_dict()))["accuracy"] == 0.375


@pytest.mark.parametrize(
    ("written", "why"),
    [("hoi\tgroet\n", "line 1"), ("text\tintent\nhoi\n", "line 2"), ("", "no examples"), ("# niets\n", "no examples")],
)
def test_a_bad_file_is_told_without_its_words(tmp_path: Path, written: str, why: str) -> None:
    path = tmp_path / "x.tsv"
    path.write_text(written, encoding="utf-8")
    with pytest.raises(ExamplesError, match=why) as caught:
        read_examples(path)
    assert "hoi" not in str(caught.value)


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.tsv"
    path.write_text("text\tintent\nhoi daar\tgreet\n\n# zo\nnee\tdeny\tmore\n", encoding="utf-8")
    assert read_examples(path) == [("hoi daar", "greet"), ("nee", "deny")]


@given(st.text(max_size=200), st.integers())
def test_typos_leave_a_text_and_are_the_same_every_time(text: str, seed: int) -> None:
    spoilt = with_typos(text, random.Random(seed), rate=0.2)
    assert spoilt == with_typos(text, random.Random(seed), rate=0.2)
    assert bool(spoilt) == bool(text)


def test_typos_change_about_as_many_letters_as_asked() -> None:
    rng, changed, letters = random.Random(1), 0, 0
    for text, _ in training_examples()[:400]:
        compared = SequenceMatcher(None, text, with_typos(text, rng), autojunk=False)
        changed += sum(max(i2 - i1, j2 - j1) for kind, i1, i2, j1, j2 in compared.get_opcodes() if kind != "equal")
        letters += sum(map(str.isalpha, text))
    assert 0.04 < changed / letters < 0.09


def ranked(intent: str, sure: float, other: str) -> Unseen:
    return Unseen(intent, dict(sorted({intent: sure, other: 1 - sure}.items(), key=lambda entry: -entry[1])), QUIET)


def test_calibration_makes_the_overconfident_modest() -> None:
    overconfident = [ranked("greet", 0.9, "deny")] * 70 + [ranked("greet", 0.1, "deny")] * 30
    scale = best_scale(overconfident)
    assert rescaled(overconfident[0].ranking, scale)["greet"] == pytest.approx(0.7, abs=0.03)


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), st.floats(0.001, 1), min_size=2), st.floats(0.3, 5))
def test_rescaling_keeps_the_order(weights: dict[str, float], scale: float) -> None:
    again = rescaled(weights, scale)
    assert sum(again.values()) == pytest.approx(1)
    for (first, small), (second, large) in product(weights.items(), repeat=2):
        assert small > large or again[first] <= again[second] + 1e-12


def test_thresholds_keep_false_alarms_rare_and_find_what_they_can() -> None:
    normal = [ranked("greet", 0.6 + 0.0039 * n, "acute_danger") for n in range(100)]
    acute = [ranked("acute_danger", 0.4 + 0.005 * n, "greet") for n in range(100)]
    thresholds = set_thresholds([*normal, *acute])
    report = compare(understood([*normal, *acute], thresholds))
    assert report.false_alarm_rate <= 0.03
    assert report.acute_recall > 0.9


def test_the_pictures_hold_every_count() -> None:
    report = compare(PAIRS)
    matrix = confusion_matrix(report.confusion)
    assert matrix.count("<text") == len(report.intents) + 29 + len(report.confusion)
    assert reliability_curve(report.reliability).count("<circle") == len(report.reliability)


def test_the_trade_off_finds_less_danger_for_fewer_false_alarms() -> None:
    normal = [ranked("greet", 0.5 + 0.0049 * n, "acute_danger") for n in range(100)]
    acute = [ranked("acute_danger", 0.3 + 0.006 * n, "greet") for n in range(100)]
    thresholds = set_thresholds([*normal, *acute])
    points = trade_off([*normal, *acute], thresholds)
    assert thresholds.acute_from in [value for value, _, _ in points]
    for (_, more, found), (_, fewer, less) in pairwise(points):
        assert more >= fewer
        assert found >= less
    assert trade_off_curve(points, thresholds.acute_from).count('fill="#1b5e9c"') == 1
