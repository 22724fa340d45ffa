"""Trains the peer once into `var/` (ignored), and serves it on loopback through its REST channel."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nlu.training import dataset, rasa_env

HERE = Path(__file__).parent
KEPT = rasa_env.ROOT / "var" / "bench" / "rasa"
EXAMPLES = 60
"""Training examples of each intent, spread over its data: enough for real answers, and trained in a minute."""


def model() -> Path:
    """The trained bot; trained first when there is none of these very files. Raises `subprocess.CalledProcessError`."""
    kept = KEPT / f"{_digest()}.tar.gz"
    if kept.exists():
        return kept
    KEPT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "bot"
        shutil.copytree(HERE, project, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        (project / "data" / "nlu.yml").write_text(_examples(), encoding="utf-8")
        command = [str(rasa_env.python()), "-m", "rasa", "train", "--out", str(Path(folder) / "out"), "--fixed-model-name", "peer"]
        subprocess.run(command, cwd=project, env=rasa_env.run_environment(), check=True, stdout=subprocess.DEVNULL)
        shutil.move(Path(folder) / "out" / "peer.tar.gz", kept)
    return kept


@contextmanager
def serving(port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Rasa's server with the bot, on loopback. It may not answer yet; it is ended afterwards."""
    command = [
        str(rasa_env.python()),
        "-m",
        "rasa",
        "run",
        "--interface",
        "127.0.0.1",
        "--port",
        str(port),
        "--model",
        str(model()),
    ]
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [*command, "--credentials", str(HERE / "credentials.yml")],
            cwd=folder,
            env=rasa_env.run_environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait()


def _digest() -> str:
    seen = hashlib.sha256(_examples().encode())
    for path in sorted(HERE.rglob("*.yml")):
        seen.update(path.read_bytes())
    return seen.hexdigest()[:16]


def _examples() -> str:
    by_intent: dict[str, list[str]] = defaultdict(list)
    for text, intent in dataset.training_examples():
        by_intent[intent].append(text)
    lines = ['version: "3.1"', "nlu:"]
    for intent, texts in by_intent.items():
        lines += [f"- intent: {intent}", "  examples: |"]
        lines += [f"    - {text}" for text in texts[:: max(1, len(texts) // EXAMPLES)][:EXAMPLES]]
    return "\n".join(lines) + "\n"
