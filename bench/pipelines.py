"""Rasa pipelines against each other on the same training data and the same held-out sets: quality, training time, size.

    python -m bench.pipelines [--only NAME ...] [--epochs N]

Each pipeline is trained once by Rasa on all training sentences, and Rasa answers the held-out sets, plain and with typos. The model alone
is judged: no danger list, no thresholds. "danger" is the recall of the acute intents together at the threshold where 2 % of the
normal messages of that set are false alarms. Prints a row per pipeline and set, and a JSON line.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from config.intents import INTENTS, URGENCY_OF, Urgency
from nlu.evaluate import Example
from nlu.reader import clean
from nlu.training import dataset, rasa_env
from nlu.training.asking_rasa import Judge, progress_on

_FEATURES = """
- name: WhitespaceTokenizer
- name: CountVectorsFeaturizer
- name: CountVectorsFeaturizer
  analyzer: char_wb
  min_ngram: 2
  max_ngram: 5
"""
PIPELINES = {
    "rasa-logistic": _FEATURES + "- name: LogisticRegressionClassifier\n",
    "rasa-diet": _FEATURES + "- name: DIETClassifier\n  epochs: {epochs}\n  entity_recognition: false\n  random_seed: 42\n",
}
_HEAD = "recipe: default.v1\nassistant_id: praat-erover\nlanguage: nl\npolicies: []\npipeline:"
_FALSE_ALARMS = 0.02


def figures(examples: Sequence[Example], rankings: Sequence[Mapping[str, float]]) -> dict[str, float]:
    best = [max(ranking, key=lambda name, ranking=ranking: ranking[name]) for ranking in rankings]
    right = sum(found == intent for found, (_, intent) in zip(best, examples, strict=True))
    return {"accuracy": right / len(examples), "macro_f1": macro_f1(best, examples), "danger": danger(examples, rankings)}


def macro_f1(best: Sequence[str], examples: Sequence[Example]) -> float:
    scores = []
    for intent in INTENTS:
        expected = sum(true == intent for _, true in examples)
        named = sum(found == intent for found in best)
        right = sum(found == true == intent for found, (_, true) in zip(best, examples, strict=True))
        if expected:
            scores.append(2 * right / (expected + named))
    return sum(scores) / len(scores)


def danger(examples: Sequence[Example], rankings: Sequence[Mapping[str, float]]) -> float:
    """Recall of acute where 2 % of normal messages would be false alarms; NaN in a set without one of both."""
    sums = [sum(p for name, p in ranking.items() if URGENCY_OF[name] is Urgency.ACUTE) for ranking in rankings]
    normal = sorted((s for s, (_, true) in zip(sums, examples, strict=True) if URGENCY_OF[true] is Urgency.NORMAL), reverse=True)
    acute = [s for s, (_, true) in zip(sums, examples, strict=True) if URGENCY_OF[true] is Urgency.ACUTE]
    if not normal or not acute:
        return float("nan")
    threshold = normal[int(len(normal) * _FALSE_ALARMS)]
    return sum(s > threshold for s in acute) / len(acute)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=[*PIPELINES, "carried"])
    parser.add_argument("--epochs", type=int, default=100)
    options = parser.parse_args(arguments)
    judged, found = dataset.held_out_sets(), {}
    texts = [clean(text) for examples in judged.values() for text, _ in examples]
    console = Console()
    for name in options.only:
        with tempfile.TemporaryDirectory() as folder, progress_on(console) as progress:
            config, made = Path(folder) / "config.yml", Path(folder) / "made.tar.gz"
            written = PIPELINES.get(name)
            whole = (
                _HEAD + written.format(epochs=options.epochs) if written else (dataset.PROJECT / "config.yml").read_text("utf-8")
            )
            config.write_text(whole, encoding="utf-8")
            judge = Judge(rasa_env.python(), Path(folder), progress)
            begun = time.monotonic()
            judge.run(["train"], config=str(config), model=str(made))
            took = time.monotonic() - begun
            rankings = judge.run(["parse"], model=str(made), texts=texts)["rankings"]
            found[name] = {"train_s": round(took), "size_mb": round(made.stat().st_size / 1e6, 1)}
        start = 0
        for kind, examples in judged.items():
            row = figures(examples, rankings[start : start + len(examples)])
            start += len(examples)
            found[name][kind] = {key: round(value, 3) for key, value in row.items()}
            shown = "  ".join(f"{key} {value:.3f}" for key, value in row.items())
            print(f"{name:<14} {found[name]['train_s']:>5} s {found[name]['size_mb']:>5} MB  {kind:<20} {shown}", flush=True)
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1:])
