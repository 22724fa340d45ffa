"""Before a server starts: may it run here, is its folder its own, are its ports free? A person hears in one sentence what to do."""

from __future__ import annotations

import contextlib
import fcntl
import ipaddress
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from config.private_files import make_private
from config.settings import ChildSettings, ConsoleSettings, Settings, SharedSettings
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


def see_safe_words(settings: SharedSettings) -> None:
    """Raise `CannotStart` when words could cross a network that others read along with: HTTPS is the webserver's in front."""
    places = []
    if isinstance(settings, ChildSettings):
        places.append(("CHILD", settings.child_origin, settings.child_host))
    if isinstance(settings, ConsoleSettings):
        places.append(("CONSOLE", settings.console_origin, settings.console_host))
    for name, origin, host in places:
        parts = urlsplit(origin)
        if parts.scheme != "https" and not _here(parts.hostname or ""):
            raise CannotStart(f"PRAAT_{name}_ORIGIN begint niet met https://: wat een kind schrijft, zou onderweg te lezen zijn")
        if not _here(host) and not settings.proxy:
            raise CannotStart(
                f"PRAAT_{name}_HOST is niet alleen deze computer, en dit programma spreekt zelf geen HTTPS. Laat het luisteren "
                "op 127.0.0.1, of noem in PRAAT_PROXY de webserver die ervoor staat"
            )


def see_no_root(settings: SharedSettings, user: int, *, demo: bool) -> str | None:
    """Raise `CannotStart` for `user` 0, unless allowed. A trial on this machine alone (`demo`) gets a warning to show."""
    if user != 0 or settings.allow_root:
        return None
    hosts = [getattr(settings, name, "127.0.0.1") for name in ("child_host", "console_host")]
    if demo and all(map(_here, hosts)):
        return "LET OP: dit draait als root. Om te proberen mag dat; maak voor een gemeente een eigen gebruiker."
    raise CannotStart(
        "dit draait als root: maak een eigen gebruiker voor het programma, of zet PRAAT_ALLOW_ROOT=1 als het niet anders kan"
    )


def _here(host: str) -> bool:
    """Whether only this machine can reach it."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


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
