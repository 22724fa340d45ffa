"""`python -m tests.nlu.make_rasa_models`: have Rasa train the two small models of `rasa_models/` anew, and answer the same texts.

Needed when `nlu/text.py`, `spelling.py`, `concepts.py`, `weighting.py` or the pipeline changes; takes about a minute.
"""

from __future__ import annotations

import json
import random
import tempfile
from pathlib import Path

from rich.progress import Progress

from nlu.text import known
from nlu.training import dataset, rasa_env
from nlu.training.asking_rasa import Judge
from nlu.training.parity import fuzzed

FOLDER = Path(__file__).parent / "rasa_models"


def texts() -> list[str]:
    """Training sentences and fuzzed texts, without characters on which the two Pythons disagree (Rasa's own parts cut them)."""
    rng = random.Random(3)  # noqa: S311
    sentences = [text for text, _ in dataset.training_examples() if not text.startswith("/")]
    hostile = [text for text in fuzzed(sentences, 90, rng) if len(text) < 1500]
    return [text for text in [*rng.sample(sentences, 40), *hostile] if all(map(known, text))]


def main() -> None:
    """Train, ask, and write both models with Rasa's answers."""
    asked = texts()
    pipelines = {"standard": FOLDER / "standard.yml", "child": dataset.PROJECT / "config.yml"}
    with tempfile.TemporaryDirectory() as name, Progress() as progress:
        judge = Judge(rasa_env.python(), Path(name), progress)
        for kind, config in pipelines.items():
            answer = judge.run(
                ["train", "parse"],
                config=str(config),
                domain=str(FOLDER / "domain.yml"),
                data=str(FOLDER / "nlu.yml"),
                model=str(FOLDER / f"{kind}.tar.gz"),
                texts=asked,
            )
            written = json.dumps({"texts": asked, "rankings": answer["rankings"]})
            (FOLDER / f"{kind}.json").write_text(written, encoding="utf-8")


if __name__ == "__main__":
    main()
