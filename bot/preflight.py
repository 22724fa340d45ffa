"""Before an embedded server starts: is its folder its own, are its ports free? A person gets one sentence that says what to do."""

from __future__ import annotations

import contextlib
import fcntl
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path

from config.private_files import make_private
from config.settings import Settings
from handoff.installation import KeysAway, OthersKeys


class CannotStart(Exception):
    """The server cannot start here. Its text says why and what to do."""


@contextlib.contextmanager
def own_place(settings: Settings) -> Iterator[None]:
    """Hold the data folder for one server and see that both ports are free. Raises `CannotStart`.

    Two writing servers on one SQLite file make each other wait for seconds; children would notice.
    """
    with own_folder(settings):
        ports = [
            ("PRAAT_CHILD_PORT", settings.child_host, settings.child_port),
            ("PRAAT_CONSOLE_PORT", settings.console_host, settings.console_port),
            ("PRAAT_LOOPS_PORT", settings.loops_host, settings.loops_port),
        ]
        for name, host, port in ports:
            if port:
                _see_that_free(name, host, port)
        yield


@contextlib.contextmanager
def own_folder(settings: Settings) -> Iterator[None]:
    """Hold the data folder: no server starts on it meanwhile. Raises `CannotStart`, also when one runs."""
    try:
        file = settings.data_dir / "server.lock"
        make_private(file)
        lock = file.open("w")
    except OSError as error:
        raise CannotStart(f"de map PRAAT_DATA_DIR is niet te gebruiken: {error.strerror}") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CannotStart("er draait al een server op deze map; stop die, of kies een andere PRAAT_DATA_DIR") from None
        yield


def see_that_built(files: Iterable[Path]) -> None:
    """Raise `CannotStart` when one of the browser's files was never bundled: every page would lack its script or its looks."""
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        what = ", ".join(missing)
        raise CannotStart(f"van de pagina's ontbreekt: {what}. Draai `make run`, of `npm ci --ignore-scripts && npm run build`")


def _see_that_free(name: str, host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CannotStart(f"poort {port} kan niet: {error.strerror}. Stop wat daar draait, of kies een andere {name}") from None


_NO_DATABASE = "de database is niet te gebruiken. Klopt PRAAT_DATABASE_URL?"
_OF_ANOTHER = (
    "de sleutelmap (PRAAT_KEY_DIR) hoort niet bij deze database. Er wordt niets bewaard en niets gewist. Zet de map terug die "
    "erbij hoort. Bij een nieuwe database hoort een lege map."
)
_AWAY = (
    "de sleutelmap (PRAAT_KEY_DIR) is er niet, of er staat niet in bij welke database zij hoort. Er wordt niets bewaard en niets "
    "gewist. Koppel de map weer aan. Is zij voorgoed weg? Maak een lege map (chmod 700) en draai `praat keys adopt`: de "
    "gesprekken van toen blijven onleesbaar."
)
_WHY_NOT = ((OthersKeys, _OF_ANOTHER), (KeysAway, _AWAY))


def why_not(error: Exception) -> str:
    """Return what stands in the way of a database and keys that can be used, and what to do, for who keeps it running."""
    return next((text for kind, text in _WHY_NOT if isinstance(error, kind)), _NO_DATABASE)
