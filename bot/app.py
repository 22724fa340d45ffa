"""The only place where the real parts are put together: settings, store, vault, understanding, configuration."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import sqlalchemy as sa
import structlog
from sqlalchemy import Connection, make_url
from sqlalchemy.exc import SQLAlchemyError

from bot import understanding
from bot.channels.registration import Registration
from bot.channels.registry import CHANNELS
from bot.preflight import CannotStart, why_not
from bot.simulate import simulate
from config.private_files import write_private
from config.settings import ConsoleSettings, SharedSettings, UnderstandingSettings
from handoff import installation, publishing
from handoff.backups.replay import keep, replay
from handoff.chats.said_in_clear import seal_what_was_said
from handoff.crypto import Cost, Vault
from handoff.database import open_store
from handoff.database.clock import DatabaseClock
from handoff.errors import HandoffError, StoreUnavailable
from handoff.migrations import upgrade
from handoff.models import conversation
from handoff.publishing import Published
from handoff.runtime import Runtime, utc_now
from nlu.reader import Reader
from nlu.understanding import Understanding

log = structlog.get_logger()


@dataclass(slots=True)
class Parts:
    """A program that is ready to serve. `published.faults` is the gates' report when older words are in force."""

    settings: SharedSettings
    """Of the class of this process's role: what a role does not need is not in it."""
    runtime: Runtime
    reader: Reader | None
    """Understands messages; None in a process that is sent none."""
    published: Published
    channels: tuple[Registration, ...]

    @property
    def understand(self) -> Callable[[str], Understanding]:
        """Understand one text; never raises, never takes longer than its deadline."""
        if self.reader is None:
            raise RuntimeError("this role understands no messages")
        return self.reader.understand

    @property
    def is_quick(self) -> Callable[[str], bool]:
        """Tells whether a text is understood so quickly that no thread is needed for it."""
        return self.reader.is_quick if self.reader is not None else lambda _text: False

    def close(self) -> None:
        """Finish what was accepted."""
        self.runtime.store.close()


def first_start(settings: SharedSettings) -> None:
    """Make the folders and the secret of an embedded run. A server at scale is given them, and never makes its own.

    A key folder that is not there later on is away, and is not made anew: see `handoff.installation`.
    """
    folders = [settings.data_dir, settings.key_dir] if _is_first(settings) else [settings.data_dir]
    for folder in folders:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise CannotStart(f"de map {folder} is niet te maken: {error.strerror}. Kies een andere PRAAT_DATA_DIR") from None
    if not settings.secret_file.exists():
        write_private(settings.secret_file, secrets.token_bytes(64))


def _is_first(settings: SharedSettings) -> bool:
    """Whether nothing was ever made here: no secret yet, or no SQLite database."""
    url = make_url(settings.database_url)
    return not settings.secret_file.exists() or (url.drivername == "sqlite" and not Path(str(url.database)).exists())


def assemble(settings: SharedSettings, channels: tuple[Registration, ...] = CHANNELS) -> Parts:
    """Put the parts together that a process with these settings needs. A database that is down is no error here.

    Raises `NothingPublished`, and `HandoffError` for bad keys.
    """
    specs = {registration.spec.name: registration.spec for registration in channels}
    published = publishing.publish_files(settings.config_dir, settings.data_dir, utc_now(), specs.values())
    vault = Vault(settings.secret(), settings.key_dir, cost=_cost(settings))
    reader = understanding.open_reader(settings, keep=settings.data_dir) if isinstance(settings, UnderstandingSettings) else None
    store = open_store(settings.database_url)
    clock = utc_now if settings.database_url.startswith("sqlite") else DatabaseClock(utc_now)
    runtime = Runtime(store, vault, published.configuration, specs, clock, child_origin=settings.child_origin)
    if reader is not None:
        runtime.simulate = partial(simulate, understand=reader.understand)
    return Parts(settings, runtime, reader, published, channels)


def _cost(settings: SharedSettings) -> Cost:
    """What a new passphrase costs; only the console and the commands make any."""
    if isinstance(settings, ConsoleSettings):
        return Cost(memory_kib=settings.argon2_memory_kib, iterations=settings.argon2_iterations)
    return Cost()


def migrate(runtime: Runtime, url: str) -> None:
    """Bring the database to the newest form; what an older one held in clear is sealed, with the key folder that belongs to it.

    Raises `SQLAlchemyError`, and `StoreUnavailable` when that folder is needed and away; then the database is as it was.
    """

    def seal(tx: Connection) -> None:
        if tx.execute(sa.select(conversation.c.id).limit(1)).first() is not None:
            installation.settle_within(tx, runtime.vault)
        seal_what_was_said(tx, runtime.vault)

    upgrade(url, seal)


def prepare(runtime: Runtime, url: str) -> None:
    """Migrate, see that the key folder is the one of this database, make the script and the gemeenten known, and erase again what
    an older copy of the database brought back.

    Raises `SQLAlchemyError` or `HandoffError` when that cannot be done now; try again later.
    """
    migrate(runtime, url)
    installation.settle(runtime.store, runtime.vault)
    runtime.store.write(lambda tx: publishing.store_published(tx, runtime)).result()
    again = runtime.store.write(lambda tx: replay(tx, runtime.vault, runtime.clock())).result()
    runtime.store.read(lambda tx: keep(tx, runtime.vault, runtime.clock())).result()
    if again:
        log.warning("erased_again", chats=again.chats, people=again.people)


def prepare_database(runtime: Runtime, url: str, tell: Callable[[str], None] = lambda _text: None) -> bool:
    """Do as `prepare`, and return whether it could be done. `tell` gets a sentence for the operator when it could not."""
    try:
        prepare(runtime, url)
    except (SQLAlchemyError, HandoffError) as error:
        log.error("not_prepared", error=type(error).__name__, reason=str(error) if isinstance(error, StoreUnavailable) else "")
        tell(why_not(error))
        return False
    return True
