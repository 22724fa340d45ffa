"""Alive and ready: what a balancer and an alarm ask of each process. Yes or no, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.responses import PlainTextResponse

from bot.app import Parts, assemble, first_start, prepare_database
from bot.channels.registry import SPECS, read_settings
from bot.health import PATHS, HealthMiddleware, Readiness, readiness_of
from bot.serve import ROLES, Running, servers
from handoff.chats import retention
from tests.make import CITY


def parts_of(role: str, folder: Path) -> Parts:
    """The parts of one role, on a database of its own."""
    settings = read_settings(ROLES[role], {"PRAAT_DATA_DIR": str(folder)})
    first_start(settings)
    return assemble(settings)


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    """The parts of a child's process."""
    made = parts_of("child", tmp_path)
    yield made
    made.close()


class Client:
    """Somebody who asks an app."""

    def __init__(self, app: Any) -> None:
        self._transport = httpx.ASGITransport(app)

    def get(self, path: str, method: str = "GET") -> httpx.Response:
        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport, base_url="http://localhost") as client:
                return await client.request(method, path)

        return asyncio.run(ask())


def client(readiness: Readiness) -> Client:
    """Behind the two addresses stands an app that answers everything else."""
    return Client(HealthMiddleware(PlainTextResponse("the app"), readiness))


async def _no() -> bool:
    return False


async def _broken() -> bool:
    raise RuntimeError("a secret address")


async def _yes() -> bool:
    return True


def test_alive_is_alive_whatever_is_broken() -> None:
    found = client(Readiness({"database": _broken})).get("/health")
    assert (found.status_code, found.json()) == (200, {"alive": True})


def test_ready_names_what_does_not_work_and_tells_nothing_of_it() -> None:
    found = client(Readiness({"database": _broken, "keys": _no, "script": _yes})).get("/ready")
    assert (found.status_code, found.json()) == (503, {"ready": False, "database": False, "keys": False, "script": True})
    assert "secret" not in found.text
    assert found.headers["cache-control"] == "no-store"


def test_a_whole_process_becomes_ready_when_its_script_is_stored(parts: Parts) -> None:
    running = Running(parts)
    assert client(readiness_of(parts, running.ready.is_set)).get("/ready").json() == {
        "ready": False, "database": True, "keys": False, "script": False, "model": True, "clock": False,
    }  # fmt: skip
    assert prepare_database(parts.runtime, parts.settings.database_url)
    running.ready.set()
    found = client(readiness_of(parts, running.ready.is_set)).get("/ready")
    assert (found.status_code, found.json()["ready"]) == (200, True)


def test_a_database_that_is_gone_and_keys_that_cannot_be_reached_are_noticed(parts: Parts, tmp_path: Path) -> None:
    assert prepare_database(parts.runtime, parts.settings.database_url)
    (tmp_path / "praat.db").rename(tmp_path / "away.db")
    parts.settings.key_dir.rename(tmp_path / "keys-away")
    found = client(readiness_of(parts, lambda: True)).get("/ready").json()
    assert found == {"ready": False, "database": False, "keys": False, "script": True, "model": True, "clock": False}


def test_a_clock_that_leapt_is_told_and_takes_no_page_away(parts: Parts) -> None:
    assert prepare_database(parts.runtime, parts.settings.database_url)
    store, clock = parts.runtime.store, parts.runtime.clock
    store.write(lambda tx: retention.believe(tx, clock() - 2 * retention.LEAP)).result()
    found = client(readiness_of(parts, lambda: True)).get("/ready")
    assert (found.status_code, found.json()["ready"], found.json()["clock"]) == (200, True, False)
    store.write(lambda tx: retention.accept_clock(tx, clock())).result()
    assert client(readiness_of(parts, lambda: True)).get("/ready").json()["clock"] is True


def test_a_check_that_hangs_is_no_answer() -> None:
    async def hangs() -> bool:
        await asyncio.Event().wait()
        return True

    async def ask() -> dict[str, bool]:
        return await Readiness({"database": hangs}, deadline_s=0.01).ask()

    assert asyncio.run(ask()) == {"database": False}


def test_many_who_ask_cost_no_more_than_one() -> None:
    asked, now = [0], [0.0]

    async def counted() -> bool:
        asked[0] += 1
        return True

    readiness = Readiness({"database": counted}, clock=lambda: now[0])

    async def ask() -> None:
        for wanted in (1, 2):
            await asyncio.gather(*(readiness.ask() for _ in range(100)))
            assert asked == [wanted]
            now[0] += 1.0

    asyncio.run(ask())


def test_what_is_not_ours_goes_on_and_the_loops_serve_nothing_else() -> None:
    readiness = Readiness({})
    assert client(readiness).get("/healthy").text == "the app"
    assert client(readiness).get("/health", "POST").status_code == 405
    alone = Client(HealthMiddleware(None, readiness))
    assert (alone.get("/").status_code, alone.get("/ready").json()) == (404, {"ready": True})


def test_no_gemeente_can_take_the_addresses() -> None:
    taken = {path for spec in SPECS for path in spec.paths}
    assert {path.strip("/") for path in PATHS} <= taken


@pytest.mark.parametrize(
    ("role", "environment", "count"),
    [("child", {}, 1), ("console", {}, 1), ("loops", {}, 0), ("loops", {"PRAAT_LOOPS_PORT": "8082"}, 1)],
)
def test_every_role_answers_on_its_own_port(tmp_path: Path, role: str, environment: dict[str, str], count: int) -> None:
    settings = read_settings(ROLES[role], {"PRAAT_DATA_DIR": str(tmp_path), **environment})
    first_start(settings)
    parts = assemble(settings)
    try:
        made = servers(Running(parts))
        assert len(made) == count
        for server in made:
            assert Client(server.config.app).get("/health").json() == {"alive": True}
            assert server.config.host == "127.0.0.1"
    finally:
        parts.close()


def test_the_child_still_has_its_page_behind_them(parts: Parts) -> None:
    (server,) = servers(Running(parts))
    assert "112" in Client(server.config.app).get(f"/{CITY}").text
