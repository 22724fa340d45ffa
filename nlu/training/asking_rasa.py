"""Runs Rasa jobs (`nlu/rasa/judge.py`) in the training environment and shows how far they are."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import IO, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from nlu.training import dataset, rasa_env

_STEPS = {
    "validate": "Rasa checks the data",
    "cross_validate": "cross-validation",
    "train": "training",
    "parse": "Rasa answers",
}


class RasaFailedError(RuntimeError):
    """A job did not end well; the text holds Rasa's last words, which are about the project's own sentences."""


def progress_on(console: Console) -> Progress:
    """Bars with what is done and the time it took."""
    columns = (TextColumn("{task.description:<24}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeElapsedColumn())
    return Progress(*columns, console=console)


class Judge:
    """Asks Rasa. Several jobs may run at once, from several threads."""

    def __init__(self, python: Path, folder: Path, progress: Progress) -> None:
        """`folder` is for job files, answers and Rasa's log; the caller takes it away."""
        self._python = python
        self._folder = folder
        self._progress = progress
        self._bars: dict[str, TaskID] = {}
        self._numbers = count(1)

    def expect(self, step: str, total: int) -> None:
        """Show a bar for a step that several jobs share."""
        self._bars[step] = self._progress.add_task(_STEPS[step], total=total)

    def run(self, tasks: Sequence[str], **options: Any) -> dict[str, Any]:
        """Do the tasks and return their answers. Raises `RasaFailedError` with Rasa's last words."""
        stem = self._folder / f"job{next(self._numbers)}"
        job, answer = stem.with_suffix(".json"), stem.with_suffix(".answer.json")
        job.write_text(json.dumps({"tasks": tasks, "answer": str(answer), **_project(), **options}), encoding="utf-8")
        command = [str(self._python), "-m", "nlu.rasa.judge", str(job)]
        with stem.with_suffix(".log").open("w+", encoding="utf-8") as log:
            running = subprocess.Popen(  # noqa: S603 - our own module, in our own environment
                command, cwd=rasa_env.ROOT, env=rasa_env.run_environment(), stdout=subprocess.PIPE, stderr=log, text=True
            )
            said = self._follow(running.stdout)
            if running.wait() != 0:
                log.seek(0)
                raise RasaFailedError("Rasa failed:\n" + "".join([*said[-5:], *log.readlines()[-15:]]))
        return dict(json.loads(answer.read_text(encoding="utf-8")))

    def _follow(self, lines: IO[str] | None) -> list[str]:
        """Move the bars until the job has said its last line; returns what was no progress."""
        own: list[TaskID] = []
        said = []
        for line in lines or ():
            if line.startswith("@"):
                own += self._show(json.loads(line[1:]))
            else:
                said.append(line)
        for bar in own:
            self._progress.update(bar, total=1, completed=1)
        return said

    def _show(self, told: dict[str, Any]) -> list[TaskID]:
        """Move one bar; a new one for a step that nobody expected, which is then returned."""
        step, new = told["step"], []
        if step not in self._bars:
            self._bars[step] = self._progress.add_task(_STEPS[step], total=None)
            new = [self._bars[step]]
        if "more" in told:
            self._progress.advance(self._bars[step], told["more"])
        elif "done" in told:
            self._progress.update(self._bars[step], completed=told["done"], total=told["of"])
        return new


def _project() -> dict[str, str]:
    return {
        "config": str(dataset.PROJECT / "config.yml"),
        "domain": str(dataset.PROJECT / "domain.yml"),
        "data": str(dataset.TRAINING),
    }
