"""The settings of a running program, from environment variables `PRAAT_...`; no file, no default secret, no value in an error.

Each role has a class of its own and reads no variable of another; `Settings` is all of them, for one machine and the commands.
"""

from __future__ import annotations

import difflib
import os
import stat
from collections.abc import Collection, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar, overload

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator
from sqlalchemy import URL

from config.faults import ConfigError
from config.limits import TEXT_LIMIT

PREFIX = "PRAAT_"
SECRET_BYTES = 32

_HOME = Path(__file__).resolve().parent
_OTHERS = stat.S_IRWXO

Port = Annotated[int, Field(ge=1, le=65535)]
Origin = Annotated[str, StringConstraints(pattern=r"^https?://[a-z0-9.-]+(:[0-9]{1,5})?$")]
Contact = Annotated[str, StringConstraints(pattern=r"^((mailto:[^\s@]+@|https://)[^\s@]+|tel:\+?[0-9-]+)$")]


class SettingsFaults(ConfigError):
    """The environment is not right. `faults` names each variable and what is wrong, never its value."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        self.faults: Mapping[str, str] = dict(sorted(faults.items()))
        super().__init__("\n".join(f"{name}: {message}" for name, message in self.faults.items()))


class SharedSettings(BaseModel):
    """What every part of the program needs."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    data_dir: Path = Path("var")
    database_url: str = ""  # empty: SQLite in `data_dir`
    config_dir: Path = _HOME
    secret_file: Path = Path()  # at least 32 random bytes; empty: `secret` in `data_dir`
    key_dir: Path = Path()  # the expiry-bucket keys; empty: `keys` in `data_dir`, never in the database's backup
    child_origin: Origin = ""  # the address that children see, named to everybody; empty: http://localhost and the port
    child_port: Port = 8080
    proxy: str = ""  # the webserver in front that speaks HTTPS, for when we listen beyond this machine
    allow_root: bool = False
    security_contact: Contact | None = None  # where to report a weak spot, shown in security.txt; None: there is none

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, given: Any) -> Any:
        """What follows from other settings."""
        values = {name: value for name, value in dict(given).items() if value != ""}
        data_dir = Path(values.get("data_dir", "var"))
        database = URL.create("sqlite", database=str(data_dir / "praat.db"))  # a folder's name may hold ?, # or %
        values.setdefault("database_url", database.render_as_string(hide_password=False))
        values.setdefault("secret_file", data_dir / "secret")
        values.setdefault("key_dir", data_dir / "keys")
        values.setdefault("child_origin", f"http://localhost:{values.get('child_port', 8080)}")
        return values

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, url: str) -> str:
        if not url.startswith(("sqlite:///", "postgresql+psycopg://", "postgresql://")):
            raise ValueError("must begin with sqlite:/// or postgresql+psycopg://")
        return url

    @field_validator("config_dir")
    @classmethod
    def _is_configuration(cls, folder: Path) -> Path:
        if not (folder / "dialogue").is_dir():
            raise ValueError("must be a folder with dialogue/, routes/, municipalities/ and helplines.yml")
        return folder

    @field_validator("key_dir")
    @classmethod
    def _closed_folder(cls, folder: Path) -> Path:
        refuse_open(folder)
        return folder

    @field_validator("secret_file")
    @classmethod
    def _closed_secret(cls, file: Path) -> Path:
        refuse_open(file)
        if file.exists() and (not file.is_file() or file.stat().st_size < SECRET_BYTES):
            raise ValueError(f"must be a file with at least {SECRET_BYTES} random bytes")
        return file

    def secret(self) -> bytes:
        """The bytes of the secret file. Raises `SettingsFaults` when it is missing, short, or open to others."""
        try:
            refuse_open(self.secret_file)
            content = self.secret_file.read_bytes()
        except (OSError, ValueError) as error:
            raise SettingsFaults({f"{PREFIX}SECRET_FILE": _reason(error)}) from None
        if len(content) < SECRET_BYTES:
            raise SettingsFaults({f"{PREFIX}SECRET_FILE": f"must hold at least {SECRET_BYTES} random bytes"})
        return content


class ChannelSettings(BaseModel):
    """Base of what one channel reads, in the channel's own folder. The names of its fields begin with the channel's name."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None) -> Self:
        """These settings alone, from `environment` (the process's own when None). Raises `SettingsFaults`, with all faults."""
        try:
            return cls.model_validate(_own(cls, os.environ if environment is None else environment))
        except ValidationError as error:
            raise SettingsFaults(_all_told(error)) from None


class UnderstandingSettings(SharedSettings):
    """What a process needs that reads what children write."""

    nlu_model: Path = _HOME.parent / "nlu" / "models" / "praat.tar.gz"
    rasa_url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s@]+$")] | None = None


class ChildSettings(UnderstandingSettings):
    """What the child's app needs. Nothing in it opens a child's words."""

    child_host: str = "127.0.0.1"
    body_limit: Annotated[int, Field(ge=1024, le=1_048_576)] = 65_536  # bytes of one request, refused before it is parsed
    text_limit: Annotated[int, Field(ge=100, le=20_000)] = TEXT_LIMIT  # characters of one message

    @model_validator(mode="after")
    def _text_fits_body(self) -> Self:
        if self.text_limit * 12 + 4_096 > self.body_limit:  # an emoji is 12 bytes in a form's old encoding, and in plain JSON
            raise ValueError("TEXT_LIMIT: 12 bytes a character, and 4096 for the rest, must fit in BODY_LIMIT")
        return self


class ConsoleSettings(SharedSettings):
    """What the confidants' console needs: with a passphrase of a member it can open words."""

    console_origin: Origin = ""  # empty: http://localhost and the port
    console_port: Port = 8081
    console_host: str = "127.0.0.1"
    argon2_memory_kib: Annotated[int, Field(ge=8_192, le=4_194_304)] = 131_072
    argon2_iterations: Annotated[int, Field(ge=1, le=20)] = 3

    @model_validator(mode="before")
    @classmethod
    def _fill_in_console(cls, given: Any) -> Any:
        values = {name: value for name, value in dict(given).items() if value != ""}
        values.setdefault("console_origin", f"http://localhost:{values.get('console_port', 8081)}")
        return values


class LoopsSettings(UnderstandingSettings):
    """What the loops need. They serve nobody; with a port they answer whether they are alive and ready."""

    loops_host: str = "127.0.0.1"
    loops_port: Annotated[int, Field(ge=0, le=65535)] = 0  # 0: no health address


class Settings(ChildSettings, ConsoleSettings, LoopsSettings):
    """All, for the program that runs in one process, and for the command line."""

    @model_validator(mode="after")
    def _two_origins(self) -> Self:
        if self.child_origin == self.console_origin:
            raise ValueError("CONSOLE_ORIGIN: must differ from CHILD_ORIGIN; the browser keeps the two apart")
        if (self.child_host, self.child_port) == (self.console_host, self.console_port):
            raise ValueError("CONSOLE_PORT: must differ from CHILD_PORT")
        return self


Kind = TypeVar("Kind", bound=SharedSettings)


Other = type[SharedSettings] | type[ChannelSettings]


@overload
def read_settings(
    *, environment: Mapping[str, str] | None = None, others: Sequence[Other] = (), named: Sequence[Other] = ()
) -> Settings: ...
@overload
def read_settings(
    kind: type[Kind], environment: Mapping[str, str] | None = None, *, others: Sequence[Other] = (), named: Sequence[Other] = ()
) -> Kind: ...
def read_settings(
    kind: type[SharedSettings] = Settings,
    environment: Mapping[str, str] | None = None,
    *,
    others: Sequence[Other] = (),
    named: Sequence[Other] = (),
) -> SharedSettings:
    """Settings of this `kind` from `environment` (the process's own when None). Raises `SettingsFaults`, with all faults.

    `others` are read by other parts of this process: their faults are told too. `named` are those of other processes: their
    names are no misspellings, and their values are never looked at.
    """
    given = os.environ if environment is None else environment
    faults = _misspelt(_names(given), {name for other in (Settings, *others, *named) for name in other.model_fields})
    for other in others:
        try:
            other.model_validate(_own(other, given))
        except ValidationError as error:
            faults |= _all_told(error)
    try:
        settings = kind.model_validate(_own(kind, given))
    except ValidationError as error:
        faults |= _all_told(error)
    if faults:
        raise SettingsFaults(faults)
    return settings


def forget_others(kinds: Sequence[Other], environment: MutableMapping[str, str] | None = None) -> None:
    """Take every setting out of the process's environment (or the given one) that none of these `kinds` reads."""
    given = os.environ if environment is None else environment
    for name in _names(given) - {name for kind in kinds for name in kind.model_fields}:
        del given[PREFIX + name.upper()]


def _names(given: Mapping[str, str]) -> set[str]:
    return {name[len(PREFIX) :].lower() for name in given if name.startswith(PREFIX) and name == name.upper()}


def _own(kind: type[BaseModel], given: Mapping[str, str]) -> dict[str, str]:
    own = {name: given[PREFIX + name.upper()] for name in kind.model_fields if PREFIX + name.upper() in given}
    return {name: value for name, value in own.items() if value != ""}


def _misspelt(names: Collection[str], known: Collection[str]) -> dict[str, str]:
    """A variable that nobody reads is a setting that does not work: say so, and which was meant."""
    faults = {}
    for name in set(names) - set(known):
        near = difflib.get_close_matches(name, known, n=1)
        meant = f"; did you mean {PREFIX}{near[0].upper()}?" if near else ""
        faults[PREFIX + name.upper()] = f"is not a setting{meant}"
    return faults


def _all_told(error: ValidationError) -> dict[str, str]:
    return dict(_told(detail) for detail in error.errors(include_url=False, include_input=False))


def _told(detail: Any) -> tuple[str, str]:
    message = str(detail["msg"]).removeprefix("Value error, ").replace("Input should be", "must be")
    if detail["loc"]:
        return PREFIX + str(detail["loc"][0]).upper(), _PATTERNS.get(str(detail["loc"][0]), message)
    name, _, rest = message.partition(": ")
    return PREFIX + name, rest


_PATTERNS: Mapping[str, str] = {
    "child_origin": "must be an origin such as https://praat.voorbeeldstad.nl, without a path",
    "console_origin": "must be an origin such as https://team.voorbeeldstad.nl, without a path",
    "security_contact": "must be an address such as mailto:security@voorbeeldstad.nl, https://... or tel:+31...",
    "rasa_url": "must be an address such as http://localhost:5005, without a name or password",
}


def refuse_open(path: Path) -> None:
    """Others on the machine may not read keys. Raises ValueError; a path that is not there yet is fine."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise ValueError(_reason(error)) from None
    if mode & _OTHERS:
        right = "700" if stat.S_ISDIR(mode) else "600"
        raise ValueError(f"others on this machine can reach it: chmod {right}")


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"cannot be read ({error.strerror}); make one with: head -c 64 /dev/urandom, chmod 600"
    return str(error)
