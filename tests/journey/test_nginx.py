"""The whole way through a real webserver with TLS, in the configuration that the guide gives."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.canary import scan
from tests.journey.server import Server, new_token
from tests.make import CITY
from tests.nginx import CHILD, TEAM, Front, in_front_of

WORDS = "canarie-wolkenlucht-7f3a"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A running program that knows its https addresses."""
    made = Server(tmp_path)
    made.start(PRAAT_CHILD_ORIGIN=f"https://{CHILD}", PRAAT_CONSOLE_ORIGIN=f"https://{TEAM}")
    try:
        yield made
    finally:
        made.kill()


def test_what_a_child_meets_behind_nginx(server: Server, tmp_path: Path) -> None:
    for buffering in (True, False):
        folder = tmp_path / f"nginx-{buffering}"
        folder.mkdir()
        with in_front_of(server, folder, buffering=buffering) as nginx:
            with nginx.client(CHILD) as child, nginx.client(TEAM) as team:
                _both_addresses(child, team)
                _a_child_writes(nginx, child)
                if not buffering:
                    server.kill()
                    _the_numbers_stay(child)
            _nothing_was_kept(folder)


def _both_addresses(child: httpx.Client, team: httpx.Client) -> None:
    _the_headers_are_ours(child.get(f"/{CITY}"))
    _the_headers_are_ours(team.get("/inloggen"))
    assert {who.get(path).headers["location"] for path in ("/health", "/ready") for who in (child, team)} == {"/"}


def _a_child_writes(nginx: Front, child: httpx.Client) -> None:
    token, heard = new_token(), list[str]()
    said = _say(child, token, WORDS)
    listening = threading.Thread(target=_listen, args=(nginx, token, heard), daemon=True)
    listening.start()
    listening.join(5)
    assert "message" in heard, "what was said must come by the stream, at once"
    assert _say(child, token, "😀" * 4_000, number=2, after=said["messages"][-1]["seq"])["messages"]
    large = child.post(f"/{CITY}", content=b"x" * 100_000, headers={"Content-Type": "text/plain"})
    assert (large.status_code, "tel:112" in large.text) == (413, True)


def _the_numbers_stay(child: httpx.Client) -> None:
    gone = child.get(f"/{CITY}")
    assert (gone.status_code, "tel:112" in gone.text, "tel:08000432" in gone.text) == (503, True, True)
    assert gone.headers["cache-control"] == "no-store"


def _the_headers_are_ours(answer: httpx.Response) -> None:
    assert answer.status_code == 200
    for name in ("content-security-policy", "cache-control", "x-frame-options", "strict-transport-security"):
        assert len(answer.headers.get_list(name)) == 1, name
    assert answer.headers["server"] == "nginx"


def _say(child: httpx.Client, token: str, text: str, *, number: int = 1, after: int = 0) -> dict[str, list[dict[str, int]]]:
    body = json.dumps({"id": f"m{number}", "text": text, "after": after})
    answer = child.post(f"/api/{CITY}/messages", content=body, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    told: dict[str, list[dict[str, int]]] = answer.json()
    return told


def _listen(nginx: Front, token: str, heard: list[str]) -> None:
    """Note the kinds of events until what was said has come."""
    headers = {"Authorization": f"Bearer {token}"}
    with nginx.client(CHILD) as child, child.stream("GET", f"/api/{CITY}/stream", headers=headers) as answer:
        for line in answer.iter_lines():
            heard.extend([line.partition(": ")[2]] if line.startswith("event: ") else [])
            if "message" in heard:
                return


def _nothing_was_kept(folder: Path) -> None:
    """No file that nginx wrote holds the words, in any way of writing them, nor the address of who came."""
    assert scan([folder], WORDS) == []
    written = [file for file in folder.rglob("*") if file.is_file() and file.suffix not in (".conf", ".pem", ".key", ".pid")]
    for file in written:
        content = file.read_bytes()
        assert b"127.0.0.1" not in content, file
    assert not [file for file in written if file.parent != folder], "a temporary file was left"
