"""`python -m nlu.training.train` (`make train`): validate, cross-validate, calibrate, train, prove, test; write model and card.

Rasa trains and answers in its own environment (`nlu.training.rasa_env`); the figures are made here, with the code that the
bot runs.
"""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rich.console import Console

from nlu import danger_file, model
from nlu.assemble import record_path
from nlu.danger import DangerList
from nlu.evaluate import Example, Report, compare, evaluate, read_examples
from nlu.model import CarriedModel
from nlu.reader import Reader, Thresholds, clean
from nlu.training import dataset, parity, rasa_env
from nlu.training.asking_rasa import Judge, RasaFailedError, progress_on
from nlu.training.calibrate import Unseen, best_scale, rescaled, set_thresholds, trade_off, understood
from nlu.training.card import render
from nlu.training.pictures import confusion_matrix, reliability_curve, trade_off_curve

FOLDS = 5
FUZZED = 2000
SEED = 20261122
CARD = dataset.NLU / "MODEL.md"

_RASA_VERSION = "3.6.21"
_AT_ONCE = 2
"""Rasa processes that share the cross-validation: each takes a core and half a gigabyte."""


class TrainingError(RuntimeError):
    """Training stopped: the data, Rasa, or parity is at fault."""


def train(console: Console) -> Mapping[str, Any]:
    """The whole run; returns the record. Nothing is written into the project before parity with Rasa is proven."""
    examples = dataset.training_examples()
    faults = dataset.faults(examples, dataset.held_out_files())
    if faults:
        raise TrainingError("The data has faults:\n" + "\n".join(faults[:40]))
    danger = danger_file.load()
    with tempfile.TemporaryDirectory() as name, progress_on(console) as progress:
        folder = Path(name)
        judge = Judge(rasa_env.python(), folder, progress)
        unseen, scale, thresholds = _calibrated(judge, danger)
        texts = parity_texts(examples)
        made = folder / "praat.tar.gz"
        answer = judge.run(["train", "parse"], model=str(made), texts=texts, config=str(_config(folder, scale)))
        carried = CarriedModel.load(made)
        proven = parity.compare(carried, texts, answer["rankings"])
        if not proven.holds:
            raise TrainingError(f"The carried model does not answer as Rasa does: {proven}")
        reports = _reports(Reader(danger, carried, thresholds=thresholds, deadline_s=60.0), unseen, thresholds)
        record = {
            "rasa": _RASA_VERSION,
            "training_examples": len(examples),
            "data_hash": dataset.data_hash(),
            "model_hash": hashlib.sha256(made.read_bytes()).hexdigest(),
            "scale": round(scale, 4),
            "thresholds": {
                "fallback_below": thresholds.fallback_below,
                "acute_from": thresholds.acute_from,
                "high_from": thresholds.high_from,
            },
            "trade_off": [[round(figure, 4) for figure in point] for point in trade_off(unseen, thresholds)],
            "parity": {"texts": proven.texts, "other_intent": proven.other_intent, "largest_difference": proven.largest_difference},
            "reports": {name: report.as_dict() for name, report in reports.items()},
        }
        _write(made, record, reports["held-out"], reports["cross-validation"])
    return record


def _calibrated(judge: Judge, danger: DangerList) -> tuple[list[Unseen], float, Thresholds]:
    """Cross-validated answers under the calibrated scale, that scale, and the thresholds."""
    if not judge.run(["validate"])["valid"]:
        raise TrainingError("Rasa finds fault with the intents or examples: `rasa data validate` says which")
    raw = [Unseen(entry["intent"], entry["ranking"], danger.check(clean(entry["text"]))) for entry in _cross_validated(judge)]
    scale = best_scale(raw)
    unseen = [Unseen(example.intent, rescaled(example.ranking, scale), example.alarm) for example in raw]
    return unseen, scale, set_thresholds(unseen)


def _cross_validated(judge: Judge) -> list[Mapping[str, Any]]:
    """What models that had not seen it say of each example, in the order of the data."""
    judge.expect("cross_validate", FOLDS)
    shares = [list(range(first, FOLDS, _AT_ONCE)) for first in range(_AT_ONCE)]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        parts = list(pool.map(lambda turns: judge.run(["cross_validate"], folds=FOLDS, turns=turns)["answers"], shares))
    return sorted((entry for part in parts for entry in part), key=lambda entry: int(entry["number"]))


def parity_texts(examples: Sequence[Example]) -> list[str]:
    """Every training and held-out text, and hostile ones."""
    held_out = [text for path in dataset.held_out_files() for text, _ in read_examples(path)]
    training = [text for text, _ in examples]
    plain = [text for text in [*training, *held_out] if not text.startswith("/")]
    return [*plain, *parity.fuzzed(training, FUZZED, random.Random(SEED))]  # noqa: S311


def _config(folder: Path, scale: float) -> Path:
    """The pipeline with the calibrated scale in place of the one that stands in the file."""
    written = (dataset.PROJECT / "config.yml").read_text(encoding="utf-8")
    if written.count("  scale: 1.0\n") != 1:
        raise TrainingError("nlu/rasa/config.yml: the classifier must have the line `scale: 1.0`, which training replaces")
    path = folder / "config.yml"
    path.write_text(written.replace("  scale: 1.0\n", f"  scale: {scale!r}\n"), encoding="utf-8")
    return path


def _reports(reader: Reader, unseen: Sequence[Unseen], thresholds: Thresholds) -> dict[str, Report]:
    held_out = {name: evaluate(examples, reader.understand) for name, examples in dataset.held_out_sets().items()}
    return {**held_out, "cross-validation": compare(understood(unseen, thresholds))}


def _write(made: Path, record: Mapping[str, Any], held_out: Report, crossed: Report) -> None:
    target = model.DEFAULT_PATH
    target.parent.mkdir(exist_ok=True)
    shutil.copyfile(made, target)
    record_path(target).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    (target.parent / "confusion.svg").write_text(confusion_matrix(held_out.confusion), encoding="utf-8")
    (target.parent / "reliability.svg").write_text(reliability_curve(crossed.reliability), encoding="utf-8")
    curve = trade_off_curve([tuple(point) for point in record["trade_off"]], record["thresholds"]["acute_from"])
    (target.parent / "trade_off.svg").write_text(curve, encoding="utf-8")
    CARD.write_text(render(record), encoding="utf-8")


def main() -> int:
    """Train and say how good it became; 1 when it did not."""
    console = Console()
    try:
        record = train(console)
    except (TrainingError, RasaFailedError, rasa_env.NoPython310Error, FileNotFoundError) as fault:
        console.print(str(fault), style="red", markup=False)
        return 1
    except subprocess.CalledProcessError as fault:
        console.print(f"The training environment could not be made (uv ended with {fault.returncode}).", style="red")
        return 1
    for name, report in record["reports"].items():
        console.print(
            f"{name:<20} macro-F1 {report['macro_f1']:.3f}  acute {report['acute_recall']:.1%}"
            f"  acute or high {report['acute_or_high_recall']:.1%}  false alarms {report['false_alarm_rate']:.1%}"
        )
    console.print(f"Written: {model.DEFAULT_PATH.name}, {CARD.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
