"""Rasa itself, asked by `nlu.training.train`: validate the data, cross-validate, train, and parse texts.

Runs in Rasa's Python 3.10 only:

    python -m nlu.rasa.judge JOB.json

The job names what to do and where to put the answer. Progress goes to standard output, one JSON object a line; all texts are the
project's own training and test sentences, never a child's.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rasa.core.agent import Agent
from rasa.core.channels.channel import UserMessage
from rasa.engine.constants import PLACEHOLDER_MESSAGE, PLACEHOLDER_TRACKER
from rasa.engine.training.hooks import TrainingHook
from rasa.model_training import train_nlu
from rasa.shared.importers.importer import TrainingDataImporter
from rasa.shared.nlu.training_data.loading import load_data
from rasa.shared.nlu.training_data.training_data import TrainingData
from rasa.utils.log_utils import configure_structlog
from rasa.validator import Validator
from sklearn.model_selection import StratifiedKFold

_AT_ONCE = 500
_ONE_BY_ONE = 100


def say(**progress: Any) -> None:
    """One line of progress."""
    sys.stdout.write("@" + json.dumps(progress) + "\n")
    sys.stdout.flush()


def hash_nothing() -> None:
    """Rasa hashes all that it has trained, for a cache that is off here: a third of the time of a training."""
    TrainingHook.on_before_node = lambda *_, **__: {}
    TrainingHook.on_after_node = lambda *_, **__: None


def validate(job: dict[str, Any]) -> dict[str, Any]:
    """Rasa's own checks of intents and examples, warnings counted as faults."""
    validator = Validator.from_importer(TrainingDataImporter.load_from_config(job["config"], job["domain"], [job["data"]]))
    intents = validator.verify_intents(ignore_warnings=False)
    return {"valid": intents and validator.verify_example_repetition_in_intents(ignore_warnings=False)}


def train(job: dict[str, Any]) -> dict[str, Any]:
    """Train on all data; the answer is the model's path."""
    out = Path(job["model"])
    path = train_nlu(job["config"], job["data"], str(out.parent), fixed_model_name=out.name, domain=job["domain"])
    if path is None:
        raise SystemExit("Rasa did not train: its message stands above")
    return {"model": path}


def parse(job: dict[str, Any]) -> dict[str, Any]:
    """What a trained model says of each text: the whole ranking."""
    texts = job["texts"]
    return {"rankings": _rankings(job["model"], texts, lambda done: say(step="parse", done=done, of=len(texts)))}


def cross_validate(job: dict[str, Any]) -> dict[str, Any]:
    """Train on all folds but one and read that one: a ranking for each example by a model that never saw it.

    `turns` names the folds of this run, counted from 0, so that several processes can share the work.
    """
    data = load_data(job["data"])
    examples = [example for example in data.intent_examples if example.get("text")]
    labels = [example.get("intent") for example in examples]
    answers: list[dict[str, Any]] = []
    folds = StratifiedKFold(n_splits=job["folds"], shuffle=True, random_state=42)
    for number, (seen, unseen) in enumerate(folds.split(labels, labels)):
        if number not in job["turns"]:
            continue
        with tempfile.TemporaryDirectory() as folder:
            model = _train_part([examples[i] for i in seen], job, Path(folder))
            for i, ranking in zip(unseen, _rankings(model, [examples[i].get("text") for i in unseen]), strict=True):
                answers.append({"number": int(i), "text": examples[i].get("text"), "intent": labels[i], "ranking": ranking})
        say(step="cross_validate", more=1)
    return {"answers": answers}


def _train_part(examples: Sequence[Any], job: dict[str, Any], folder: Path) -> str:
    part = folder / "nlu.yml"
    part.write_text(TrainingData(list(examples)).nlu_as_yaml(), encoding="utf-8")
    path = train_nlu(job["config"], str(part), str(folder), domain=job["domain"])
    if path is None:
        raise SystemExit("Rasa did not train: its message stands above")
    return str(path)


def _rankings(model: str, texts: Sequence[str], tell: Callable[[int], None] | None = None) -> list[dict[str, float]]:
    """All intents of each text with their confidence: the trained graph, run on many messages at once.

    The first texts also go the way of a single message through Rasa's agent. Raises `SystemExit` when the two ways differ.
    """
    agent = Agent.load(model)
    found: list[dict[str, float]] = []
    for start in range(0, len(texts), _AT_ONCE):
        found += _run(agent, texts[start : start + _AT_ONCE])
        if tell:
            tell(len(found))
    if found[:_ONE_BY_ONE] != asyncio.run(_one_by_one(agent, texts[:_ONE_BY_ONE])):
        raise SystemExit("Rasa answers otherwise to many messages at once than to one")
    return found


def _run(agent: Agent, texts: Sequence[str]) -> list[dict[str, float]]:
    target = agent.processor.model_metadata.nlu_target
    inputs = {PLACEHOLDER_MESSAGE: [UserMessage(text) for text in texts], PLACEHOLDER_TRACKER: None}
    read = agent.processor.graph_runner.run(inputs, targets=[target])[target]
    return [_ranking(message.as_dict(only_output_properties=True)) for message in read]


async def _one_by_one(agent: Agent, texts: Sequence[str]) -> list[dict[str, float]]:
    return [_ranking(await agent.parse_message(text)) for text in texts]


def _ranking(answer: Mapping[str, Any]) -> dict[str, float]:
    return {entry["name"]: entry["confidence"] for entry in answer["intent_ranking"]}


TASKS = {"validate": validate, "train": train, "parse": parse, "cross_validate": cross_validate}


def main(path: str) -> None:
    """Do the tasks of the job in turn; write all answers into the job's `answer` file."""
    job = json.loads(Path(path).read_text(encoding="utf-8"))
    logging.getLogger("rasa").setLevel(logging.ERROR)
    configure_structlog(logging.ERROR)
    hash_nothing()
    answer: dict[str, Any] = {}
    for task in job["tasks"]:
        say(step=task)
        answer.update(TASKS[task](job))
    Path(job["answer"]).write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
