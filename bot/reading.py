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
from nlu.assemble import open_reader as open_from_files
from nlu.danger import DangerList
from nlu.danger_file import DangerListError
from nlu.reader import Reader

log = structlog.get_logger()

_KEPT = "danger.published.yml"


def open_reader(settings: Settings, *, keep: Path | None = None) -> Reader:
    """A reader that always answers. With `keep`, a good danger list is kept there for the day the file has faults.

    Raises `DangerListError` when the list has faults and there is no earlier one.
    """
    danger = _danger(settings.config_dir / "danger.yml", keep)
    opened = open_from_files(model_path=settings.nlu_model, danger=danger, rasa_url=settings.rasa_url)
    if opened.fault:
        log.error("model_refused", reason=opened.fault, instead="danger words alone, every intent nlu_fallback")
    return opened.reader


def _danger(path: Path, keep: Path | None) -> DangerList:
    try:
        loaded = danger_file.load(path)
    except DangerListError:
        if keep is None or not (keep / _KEPT).exists():
            raise
        log.error("danger_list_refused", file=path.name, instead="the last good one")
        return danger_file.load(keep / _KEPT)
    if keep:
        shutil.copyfile(path, keep / _KEPT)
    return loaded
