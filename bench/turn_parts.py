"""Where a turn's CPU goes: each part by itself, in one thread, with nothing else around it.

    python -m bench.turn_parts [--turns N] [--profile]

Also prints what sealing and opening cost beside the bare calls of the crypto library, and how many statements a turn is.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import secrets
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from sqlalchemy import Connection

from bot import child
from bot.channels.web.spec import WEBCHAT
from bot.child import Snapshot
from bot.message import Incoming
from handoff import crypto, keys
from handoff.chats.state_key import StateKey
from handoff.crypto import hpke
from nlu.assemble import open_reader
from nlu.training import dataset
from tests import make


def cpu_ms(work: Callable[[], object], times: int) -> float:
    """Milliseconds of CPU that one call takes, on average, after a few to warm up."""
    for _ in range(5):
        work()
    begun = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - begun) / times * 1000


def turn(house: make.House, token: bytes, text: str, after: int = 0) -> Callable[[Connection], Snapshot]:
    """One message of a child, as the web page's server gives it to the store."""
    message = Incoming(WEBCHAT, make.CITY, token, secrets.token_urlsafe(9), text)
    understood = make.understood("disclose_physical_abuse")
    return lambda tx: child.send(tx, house.runtime, message, understood, house.clock(), after=after)


@contextmanager
def open_house() -> Iterator[make.House]:
    """A product on SQLite in a folder of its own, with a confidant on duty."""
    with tempfile.TemporaryDirectory() as folder, make.house(Path(folder)) as house:
        house.confidant("sanne")
        yield house


def in_one_transaction(house: make.House, works: Sequence[Callable[[Connection], object]]) -> float:
    """Milliseconds of CPU that each takes, all in one transaction: without commits."""

    def work(tx: Connection) -> float:
        begun = time.process_time()
        for one in works:
            one(tx)
        return (time.process_time() - begun) / len(works) * 1000

    return house.runtime.store.write(work).result()


def sealing(times: int) -> dict[str, float]:
    """What the keys of a first turn cost: made, wrapped, used."""
    with tempfile.TemporaryDirectory() as folder:
        vault = crypto.Vault.founded(os.urandom(64), Path(folder) / "keys", cost=make.TOY)
    team = crypto.public_key(vault.new_private_key())

    def words(private: bytes | None, public: bytes) -> None:
        key = keys.ConversationKey("id", 1, public, private)
        keys.seal_turn(vault, key, seq=1, text="hoi", reading="greet", answers=[((number, 0), "version") for number in range(3)])

    def first() -> None:
        key = vault.child_key(os.urandom(32))
        key.public(vault.suite)
        private = vault.new_private_key()
        public = crypto.public_key(private)
        crypto.seal(team, private, "conversation", "id", 1, "team", 1)
        key.lock(private, "conversation", "id", 1, "child")
        words(private, public)
        state(key)

    def state(child_key: crypto.ChildKey) -> None:
        lock = StateKey("id", bytes(32), child_key)
        lock.lock(lock.open(None).turn().saying(["utter_greet", "utter_handoff"]))

    public = crypto.public_key(vault.new_private_key())
    mine = vault.child_key(os.urandom(32))
    return {
        "first turn": cpu_ms(first, times),
        "later turn": cpu_ms(lambda: (words(None, public), state(mine)), times),
        "what is remembered": cpu_ms(lambda: state(mine), times),
    }


def beside_the_library(times: int) -> dict[str, float]:
    """How many times the bare library call our sealing and opening cost, in one run, alternating."""
    suite = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    private = crypto.new_private_key(crypto.XWING)
    public = crypto.public_key(private)
    parsed, data, info = hpke._parse_public(public), crypto.pad(b"hoi"), b"words"  # noqa: SLF001 - what the library itself takes
    blob = crypto.seal(public, data, "words", "id", 1, 1, "child")
    bare = suite.encrypt(data, parsed, info=info)
    best: dict[str, list[float]] = {"seal": [], "bare seal": [], "open": [], "bare open": []}
    for _ in range(7):
        best["bare seal"].append(cpu_ms(lambda: suite.encrypt(data, parsed, info=info), times))
        best["seal"].append(cpu_ms(lambda: crypto.seal(public, data, "words", "id", 1, 1, "child"), times))
        best["bare open"].append(cpu_ms(lambda: suite.decrypt(bare, hpke._parse_private(private), info=info), times))  # noqa: SLF001
        best["open"].append(cpu_ms(lambda: crypto.unseal(private, blob, "words", "id", 1, 1, "child"), times))
    least = {name: min(seen) for name, seen in best.items()}
    return {"seal": least["seal"] / least["bare seal"], "open": least["open"] / least["bare open"]}


def statements(house: make.House, work: Callable[[Connection], Snapshot]) -> tuple[list[str], Snapshot]:
    """What SQLite executes for one turn, without BEGIN, SAVEPOINT and COMMIT; and what the turn answered."""
    heard: list[str] = []

    def traced(tx: Connection) -> Snapshot:
        raw = tx.connection.dbapi_connection
        assert isinstance(raw, sqlite3.Connection)
        raw.set_trace_callback(heard.append)
        try:
            return work(tx)
        finally:
            raw.set_trace_callback(None)

    answered = house.runtime.store.write(traced).result()
    return [one for one in heard if not one.startswith("--")], answered


def measure(turns: int) -> dict[str, float]:
    """Milliseconds of CPU by part, of a first and of a later message."""
    texts = [text for text, _ in dataset.held_out_sets()["all"]][:turns]
    reader = open_reader(deadline_s=5.0).reader
    reading = iter(texts * 2)
    understanding = cpu_ms(lambda: reader.understand(next(reading)), turns)
    sealed = sealing(turns)
    with open_house() as house:
        in_one_transaction(house, [turn(house, os.urandom(32), "hoi") for _ in range(20)])
        first = in_one_transaction(house, [turn(house, os.urandom(32), text) for text in texts])
        tokens = [os.urandom(32) for _ in texts]
        opened = [house.runtime.store.write(turn(house, token, "hoi")).result() for token in tokens]
        later = in_one_transaction(
            house, [turn(house, token, text, seen.lines[-1].seq) for token, text, seen in zip(tokens, texts, opened, strict=True)]
        )
    return {
        "understanding": understanding, "sealing, first": sealed["first turn"], "sealing, later": sealed["later turn"],
        "of it, the chat's state": sealed["what is remembered"], "turn, first": first, "turn, later": later,
    }  # fmt: skip


def show(cpu_of_server_ms: float | None = None, turns: int = 300) -> None:
    """Print the parts, the ratios to the bare library, and the statements of a first and a later message."""
    parts = measure(turns)
    print("\nCPU by part, ms")
    for name, value in parts.items():
        print(f"  {name:<42}{value:>8.3f}")
    if cpu_of_server_ms is not None:
        rest = cpu_of_server_ms - parts["understanding"] - parts["turn, first"]
        print(f"  {'the rest: HTTP, threads, commit':<42}{rest:>8.3f}")
    for name, ratio in beside_the_library(turns).items():
        print(f"  {name} beside the bare library call: {ratio:.2f} times   bar 1.3: {'held' if ratio <= 1.3 else 'NOT HELD'}")
    with open_house() as house:
        token = os.urandom(32)
        first, seen = statements(house, turn(house, token, "hoi"))
        later, _ = statements(house, turn(house, token, "en nu", seen.lines[-1].seq))
    for name, found, bar in (("first", first, 14), ("later", later, 10)):
        print(f"  statements of a {name} message: {len(found)}   bar {bar}: {'held' if len(found) <= bar else 'NOT HELD'}")


def profile(turns: int) -> None:
    """Print the functions in which a first message spends its time."""
    with open_house() as house:
        works = [turn(house, os.urandom(32), "hoi") for _ in range(turns)]
        profiler = cProfile.Profile()

        def work(tx: Connection) -> None:
            profiler.enable()
            for one in works:
                one(tx)
            profiler.disable()

        house.runtime.store.write(work).result()
        pstats.Stats(profiler).sort_stats("tottime").print_stats(35)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=300)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args(arguments)
    if options.profile:
        profile(options.turns)
    else:
        show(turns=options.turns)


if __name__ == "__main__":
    main(sys.argv[1:])
