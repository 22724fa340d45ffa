"""The understanding that the settings ask for: the danger list, and the carried model or a running Rasa.

Whatever is missing or broken, there is a reader: without a model every message is `nlu_fallback`, and the danger words still
speak. A danger list with faults never replaces a good one: the last good copy is kept beside the data. While the program runs,
a new model or list comes into force when it passes its checks; else the running one stays.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import structlog

from config.faults import Faults
from config.private_files import write_private
from config.settings import UnderstandingSettings
from nlu import danger_file
from nlu.assemble import open_model, record_path
from nlu.assemble import open_reader as open_from_files
from nlu.danger import DangerList
from nlu.model_file import ModelError
from nlu.reader import Reader

log = structlog.get_logger()

_KEPT = "danger.published.yml"
_PROOF = "danger.proven"

Stamp = tuple[tuple[str, int, int], ...]
"""Name, time of change (ns) and size of each file that is there."""


def open_reader(settings: UnderstandingSettings, *, keep: Path | None = None) -> Reader:
    """A reader that always answers. With `keep`, a good danger list is kept there for the day the file has faults.

    Raises `Faults` when the list has faults and there is no earlier one.
    """
    danger = _danger(settings.config_dir / "danger.yml", keep)
    opened = open_from_files(model_path=settings.nlu_model, danger=danger, rasa_url=settings.rasa_url)
    if opened.fault:
        log.error("model_refused", reason=opened.fault, instead="danger words alone, every intent nlu_fallback")
    return opened.reader


def _danger(path: Path, keep: Path | None) -> DangerList:
    if keep is None:
        return danger_file.load(path)
    try:
        raw = danger_file.read(path)
        loaded = danger_file.parse(raw, path.name, proven=_proven(keep))
    except Faults:
        if not (keep / _KEPT).exists():
            raise
        log.error("danger_list_refused", file=path.name, instead="the last good one")
        return danger_file.load(keep / _KEPT)
    _keep(raw, keep)
    return loaded


def _keep(raw: bytes, folder: Path) -> None:
    """Put the bytes of a good list by, for the day the file has faults, with the proof that its examples held.

    Several processes may do so at once, and any may die in between: nothing is ever half written, and the proof comes last.
    """
    try:
        for name, content in ((_KEPT, raw), (_PROOF, danger_file.fingerprint(raw).encode())):
            write_private(folder / name, content)
    except OSError as error:
        log.error("danger_list_not_kept", error=type(error).__name__)


def _proven(folder: Path) -> str:
    try:
        return (folder / _PROOF).read_text("ascii")
    except (OSError, ValueError):
        return ""


class UnderstandingWatch:
    """Looks whether the model's or the danger list's files changed since the start; `tell` is what the operator reads."""

    def __init__(self, reader: Reader, settings: UnderstandingSettings, tell: Callable[[str], None]) -> None:
        self._reader, self._tell, self._folder = reader, tell, settings.data_dir
        self._danger = settings.config_dir / "danger.yml"
        self._model = settings.nlu_model if settings.rasa_url is None else None
        self._seen = {path: stamp(*files) for path, files in self._files().items()}
        self._last = dict(self._seen)

    def _files(self) -> dict[Path, tuple[Path, ...]]:
        model = {self._model: (self._model, record_path(self._model))} if self._model else {}
        return {self._danger: (self._danger,), **model}

    @property
    def folders(self) -> list[Path]:
        """Where the watched files are."""
        return sorted({path.parent for path in self._files()})

    def counts(self, path: Path) -> bool:
        """Tell whether this is one of the watched files."""
        return path.name in {file.name for files in self._files().values() for file in files}

    async def step(self) -> None:
        """Look once."""
        await asyncio.to_thread(self.look)

    def look(self) -> None:
        """Take what changed and is good, once it was the same at two looks: an editor or a training may still be writing.

        What is refused is told once, and looked at again when it changes.
        """
        for path, files in self._files().items():
            found = stamp(*files)
            settled, self._last[path] = found == self._last[path], found
            if found and settled and found != self._seen[path]:
                self._tell(self._take_danger() if path == self._danger else self._take_model(path))
                self._seen[path] = found

    def _take_danger(self) -> str:
        try:
            raw = danger_file.read(self._danger)
            fresh = danger_file.parse(raw, self._danger.name)
        except Faults as report:
            return "De nieuwe gevaarzinnen zijn niet in gebruik genomen; de oude blijven gelden.\n" + str(report)
        self._reader.use_danger(fresh)
        _keep(raw, self._folder)
        return "De nieuwe gevaarzinnen zijn in gebruik."

    def _take_model(self, path: Path) -> str:
        try:
            engine, thresholds = open_model(path)
        except ModelError as report:
            return f"Het nieuwe taalmodel is niet in gebruik genomen; het oude blijft gelden.\n{report}"
        self._reader.use(engine, thresholds)
        return "Het nieuwe taalmodel is in gebruik."


def stamp(*files: Path) -> Stamp:
    """What these files are like now; a file that is missing counts as none."""
    found = []
    for file in files:
        try:
            status = file.stat()
        except OSError:
            continue
        found.append((file.name, status.st_mtime_ns, status.st_size))
    return tuple(found)
