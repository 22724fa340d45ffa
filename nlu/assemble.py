"""Puts a `Reader` together from files: the danger list, the carried model with its thresholds, or a Rasa server."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.intents import INTENTS
from nlu import danger_file, model
from nlu.danger import DangerList
from nlu.model_file import ModelError
from nlu.reader import DEADLINE_S, Reader, Thresholds
from nlu.understanding import Engine


@dataclass(frozen=True, slots=True)
class Opened:
    """A reader that works in any case, and what is wrong with its engine (None when nothing is)."""

    reader: Reader
    fault: str | None


def open_reader(
    *,
    model_path: Path = model.DEFAULT_PATH,
    danger: DangerList | None = None,
    rasa_url: str | None = None,
    rasa_token: str | None = None,
    deadline_s: float = DEADLINE_S,
) -> Opened:
    """A reader with the carried model, or with the Rasa server at `rasa_url` when that is given.

    `danger` is the list to use; the one that came with the program when None. A model that is missing or refused leaves the
    danger words working alone, and says so in `fault`. Raises `Faults` when the list may not be used: nothing is
    ever started without one.
    """
    danger = danger or danger_file.load()
    if rasa_url is not None:
        from nlu.rasa_server import RasaServer  # noqa: PLC0415 - it brings httpx, which most starts do without

        return Opened(Reader(danger, RasaServer(rasa_url, token=rasa_token, timeout_s=deadline_s), deadline_s=deadline_s), None)
    try:
        engine, thresholds = open_model(model_path)
    except ModelError as fault:
        return Opened(Reader(danger, None, deadline_s=deadline_s), str(fault))
    return Opened(Reader(danger, engine, thresholds=thresholds, deadline_s=deadline_s), None)


def open_model(path: Path = model.DEFAULT_PATH) -> tuple[Engine, Thresholds]:
    """The carried model and the thresholds written beside it. Raises `ModelError`; nothing that runs is touched by that.

    A model of other intents is foreign, and one beside the record of another is half of a pair: both are refused.
    """
    engine, record = model.CarriedModel.load(path), _record(record_path(path))
    if set(engine.intents) != set(INTENTS):
        raise ModelError(
            f"{path.name}: knows other intents than the bot ({len(engine.intents)} of them; the bot has {len(INTENTS)})"
        )
    if record is not None and record.get("model_hash", "") not in {"", hashlib.sha256(path.read_bytes()).hexdigest()}:
        raise ModelError(f"{path.name}: {record_path(path).name} beside it is the record of another model")
    return engine, _thresholds(record, record_path(path).name)


def record_path(model_path: Path) -> Path:
    """The record that `nlu.training.train` writes beside a model: `praat.tar.gz` has `praat.json`."""
    return model_path.with_name(model_path.name.removesuffix(".tar.gz") + ".json")


def _record(path: Path) -> dict[str, Any] | None:
    if not path.exists():
        return None
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        raise ModelError(f"{path.name}: not the record of a trained model") from None


def _thresholds(record: Mapping[str, Any] | None, name: str) -> Thresholds:
    if record is None:
        return Thresholds()
    try:
        found = {key: float(value) for key, value in record["thresholds"].items()}
        thresholds = Thresholds(**found)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ModelError(f"{name}: not the record of a trained model") from None
    if not all(0.0 <= value <= 1.0 for value in found.values()):
        raise ModelError(f"{name}: a threshold outside 0 to 1")
    return thresholds
