"""`python -m nlu.training.prove` (`make parity`): ask Rasa itself, with the model that ships, whether the bot answers as it does.

CI runs it. Exit 1 when one text gets another intent or a confidence that differs by more than `parity.TOLERANCE`.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from nlu import model
from nlu.model import CarriedModel
from nlu.model_file import ModelError
from nlu.training import dataset, parity, rasa_env
from nlu.training.asking_rasa import Judge, RasaFailedError, progress_on
from nlu.training.train import parity_texts


def prove(console: Console) -> parity.Parity:
    """Compare on every training and held-out text and on hostile ones. Raises what `rasa_env.python` and the judge raise."""
    carried = CarriedModel.load(model.DEFAULT_PATH)
    texts = parity_texts(dataset.training_examples())
    with tempfile.TemporaryDirectory() as folder, progress_on(console) as progress:
        judge = Judge(rasa_env.python(), Path(folder), progress)
        answer = judge.run(["parse"], model=str(model.DEFAULT_PATH), texts=texts)
    return parity.compare(carried, texts, answer["rankings"])


def main() -> int:
    """Say what was found."""
    console = Console()
    try:
        proven = prove(console)
    except (ModelError, RasaFailedError, rasa_env.NoPython310Error, FileNotFoundError, subprocess.CalledProcessError) as fault:
        console.print(str(fault), style="red", markup=False)
        return 1
    console.print(
        f"parity with Rasa: {proven.texts} texts, {proven.other_intent} other intents,"
        f" largest difference {proven.largest_difference:.0e}: {'holds' if proven.holds else 'DOES NOT HOLD'}"
    )
    return 0 if proven.holds else 1


if __name__ == "__main__":
    sys.exit(main())
