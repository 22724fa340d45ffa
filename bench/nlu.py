"""The carried model against Rasa's own `/model/parse`, in one run on the same texts: latency, throughput, memory.

    python -m bench.nlu [--texts N] [--without-rasa]

Prints a table and a JSON line. Rasa is started from the training environment, on loopback, and ended afterwards.
"""

from __future__ import annotations

import argparse
import json
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psutil

from nlu import model
from nlu.assemble import open_reader
from nlu.rasa_server import RasaServer
from nlu.training import dataset, rasa_env
from nlu.understanding import EngineError

_PROBE = """
import json, sys, time
import psutil
me = psutil.Process()
import config.load, http.client, ruamel.yaml  # what the bot has anyway
before = me.memory_info().rss
begun = time.process_time()
import numpy
imported = time.process_time()
from nlu import danger_file
from nlu.assemble import open_model
from nlu.reader import Reader
loading = time.process_time()
raw = danger_file.read(danger_file.DEFAULT_PATH)
proof = danger_file.fingerprint(raw)  # kept from the start before
listing = time.process_time()
danger = danger_file.parse(raw, "danger.yml", proven=proof)
listed = time.process_time()
engine, thresholds = open_model()
loaded = time.process_time()
reader = Reader(danger, engine, thresholds=thresholds)
reader.understand("mijn vader slaat mij")
print(json.dumps({
    "numpy_import_cpu_ms": (imported - begun) * 1000,
    "own_import_cpu_ms": (loading - imported) * 1000,
    "danger_list_cpu_ms": (listed - listing) * 1000,
    "model_cpu_ms": (loaded - listed) * 1000,
    "memory_mb": (me.memory_info().rss - before) / 1e6,
}))
"""


def timed(work: Callable[[str], object], texts: Sequence[str]) -> dict[str, float]:
    """Milliseconds per text, one after the other: median, 99th percentile, and this process's own CPU (true on a busy machine too)."""
    taken = []
    begun, worked = time.perf_counter(), time.process_time()
    for text in texts:
        start = time.perf_counter()
        work(text)
        taken.append((time.perf_counter() - start) * 1000)
    taken.sort()
    return {
        "p50_ms": statistics.median(taken),
        "p99_ms": taken[int(len(taken) * 0.99)],
        "per_second": len(texts) / (time.perf_counter() - begun),
        "own_cpu_ms": (time.process_time() - worked) * 1000 / len(texts),
    }


def crowd(work: Callable[[str], object], texts: Sequence[str], clients: int) -> float:
    """Texts per second with several clients at once."""
    begun = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(work, texts))
    return len(texts) / (time.perf_counter() - begun)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_rasa() -> Iterator[tuple[RasaServer, psutil.Process]]:
    """Rasa serving the same model file on loopback."""
    port = free_port()
    command = [str(rasa_env.python()), "-m", "rasa", "run", "--enable-api", "--interface", "127.0.0.1", "--port", str(port)]
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [*command, "--model", str(model.DEFAULT_PATH)],
            cwd=folder,
            env=rasa_env.run_environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        engine = RasaServer(f"http://127.0.0.1:{port}", timeout_s=10)
        try:
            wait_for(engine, process)
            yield engine, psutil.Process(process.pid)
        finally:
            engine.close()
            process.terminate()
            process.wait()


def wait_for(engine: RasaServer, process: subprocess.Popen[bytes]) -> None:
    for _ in range(240):
        if process.poll() is not None:
            sys.exit(f"Rasa ended with {process.returncode}")
        try:
            engine.classify("hoi")
        except EngineError:
            time.sleep(0.5)
        else:
            return
    sys.exit("Rasa did not come up in two minutes")


def carried(texts: Sequence[str]) -> dict[str, float]:
    probe = subprocess.run([sys.executable, "-c", _PROBE], cwd=rasa_env.ROOT, capture_output=True, text=True, check=True)
    reader = open_reader(deadline_s=5.0).reader
    engine = model.CarriedModel.load()
    timed(reader.understand, texts[:50])
    return {
        **timed(reader.understand, texts),
        "model_alone_p50_ms": timed(engine.classify, texts)["p50_ms"],
        "with_typos_p50_ms": timed(reader.understand, [text for text, _ in dataset.typed_in_haste((t, "") for t in texts)])[
            "p50_ms"
        ],
        "eight_clients_per_second": crowd(reader.understand, texts, 8),
        **json.loads(probe.stdout),
    }


def served(texts: Sequence[str]) -> dict[str, float]:
    begun = time.perf_counter()
    with running_rasa() as (engine, process):
        started = (time.perf_counter() - begun) * 1000
        timed(engine.classify, texts[:50])
        return {
            **timed(engine.classify, texts),
            "eight_clients_per_second": crowd(engine.classify, texts, 8),
            "start_ms": started,
            "memory_mb": process.memory_info().rss / 1e6,
        }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=1000)
    parser.add_argument("--without-rasa", action="store_true")
    options = parser.parse_args(arguments)
    texts = [text for text, _ in dataset.held_out_sets()["all"]]
    texts = random.Random(1).sample(texts, min(options.texts, len(texts)))  # noqa: S311
    figures = {"carried": carried(texts)}
    if not options.without_rasa:
        figures["rasa"] = served(texts)
    show(figures)


def show(figures: dict[str, dict[str, float]]) -> None:
    ours, theirs = figures["carried"], figures.get("rasa", {})
    print(f"{'':<28}{'carried':>12}{'rasa':>12}{'ratio':>10}")
    for key, value in ours.items():
        other = theirs.get(key)
        better = other and (value / other if key.endswith("per_second") else other / value)
        ratio = f"{better:>9.1f}x" if better and key != "own_cpu_ms" else ""
        print(f"{key:<28}{value:>12.3f}{f'{other:>12.3f}' if other else '':>12}{ratio:>10}")
    print(json.dumps({name: {key: round(value, 3) for key, value in row.items()} for name, row in figures.items()}))


if __name__ == "__main__":
    main(sys.argv[1:])
