"""A server that may not start says why, and still shows a child the numbers."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.journey.server import HTTP, Server


def _no_texts(folder: Path) -> dict[str, str]:
    return {"PRAAT_CONFIG_DIR": str(folder)}


def _readable_secret(folder: Path) -> dict[str, str]:
    secret = folder / "geheim"
    secret.write_bytes(bytes(64))
    secret.chmod(0o644)
    return {"PRAAT_SECRET_FILE": str(secret)}


def _plain(_folder: Path) -> dict[str, str]:
    return {"PRAAT_CHILD_ORIGIN": "http://praat.example"}


def first_answer(server: Server, path: str) -> httpx.Response:
    """What the child's port says as soon as it says anything."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        try:
            return HTTP.get(f"{server.child_url}{path}")
        except httpx.TransportError:
            assert server.process is not None
            assert server.process.poll() is None, server.log.read_text()
            time.sleep(0.05)  # waiting for another process, not for our own code
    raise AssertionError(server.log.read_text())


@pytest.mark.parametrize(
    ("cause", "told"),
    [(_no_texts, "PRAAT_CONFIG_DIR"), (_readable_secret, "PRAAT_SECRET_FILE"), (_plain, "PRAAT_CHILD_ORIGIN")],
)
def test_the_numbers_are_there_and_the_terminal_says_why(
    tmp_path: Path, cause: Callable[[Path], dict[str, str]], told: str
) -> None:
    server = Server(tmp_path)
    server.launch(**cause(tmp_path))
    try:
        answer = first_answer(server, "/voorbeeldstad")
        assert answer.status_code == 503
        assert 'href="tel:112"' in answer.text
        assert 'href="tel:08000432"' in answer.text
        assert answer.headers["cache-control"] == "no-store"
        assert "<textarea" not in answer.text
        assert HTTP.post(f"{server.child_url}/api/voorbeeldstad/messages", content="{}").status_code == 503
        assert HTTP.get(f"{server.child_url}/health").status_code == 200
        assert HTTP.get(f"{server.child_url}/ready").json() == {"ready": False, "started": False}
        log = server.log.read_text()
        assert told in log
        assert "refused_to_start" in log
        assert server.process is not None
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(60) == 1
    finally:
        server.kill()


def test_where_somebody_else_has_the_port_it_ends(tmp_path: Path) -> None:
    server = Server(tmp_path)
    with socket.create_server(("127.0.0.1", server.child_port)):
        server.launch()
        assert server.process is not None
        assert server.process.wait(120) == 1
    assert "PRAAT_CHILD_PORT" in server.log.read_text()
    assert "niet vrij" in server.log.read_text()
