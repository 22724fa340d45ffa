"""The understanding that the settings ask for: the danger list, and the carried model or a running Rasa.

Whatever is missing or broken, there is a reader: without a model every message is `nlu_fallback`, and the danger words still
speak. A danger list with faults never replaces a good one: the last good copy is kept beside the data.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import structlog

from config.settings import Settings
from nlu import danger_file
from nlu.danger import DangerList
from nlu.danger_file import DangerListError
from nlu.reader import Reader
from nlu.understanding import Engine, EngineError

log = structlog.get_logger()

_KEPT = "danger.published.yml"


def open_reader(settings: Settings, *, keep: Path | None = None) -> Reader:
    """A reader that always answers. With `keep`, a good danger list is kept there for the day the file has faults.

    Raises `DangerListError` when the list has faults and there is no earlier one.
    """
    return Reader(_danger(settings.config_dir / "danger.yml", keep), _engine(settings))


def _danger(path: Path, keep: Path | None) -> DangerList:
    kept = keep / _KEPT if keep else None
    try:
        loaded = danger_file.load(path)
    except DangerListError as error:
        if kept is None or not kept.exists():
            raise
        log.error("danger_list_refused", faults=len(error.args), using="the last good one")
        return danger_file.load(kept)
    if kept:
        shutil.copyfile(path, kept)
    return loaded


def _engine(settings: Settings) -> Engine | None:
    return None
