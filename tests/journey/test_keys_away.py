"""The key folder is not there when the real program starts, and goes away while it runs: numbers, no words, and nobody forgets."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from tests.journey.server import HTTP, Server, history, new_token, send
from tests.make import CITY


def _wait_for(true: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)  # another process


def _ready(server: Server) -> tuple[int, bool]:
    answer = HTTP.get(f"{server.child_url}/ready")
    return answer.status_code, answer.json()["keys"]


def _post(server: Server, token: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return HTTP.post(f"{server.child_url}/api/{CITY}/messages", headers=headers, json={"id": "m9", "text": "ben je daar"})


def _refused(server: Server, token: str) -> bool:
    """With the numbers; and the page, too, has them."""
    answers = [_post(server, token), HTTP.get(f"{server.child_url}/{CITY}")]
    assert all("112" in answer.text for answer in answers)
    look = HTTP.get(f"{server.child_url}/api/{CITY}/messages?after=0", headers={"Authorization": f"Bearer {token}"})
    return (answers[0].status_code, look.status_code) == (503, 503)


def test_a_key_folder_that_is_away_for_a_while_and_at_a_start(tmp_path: Path) -> None:
    server, token = Server(tmp_path), new_token()
    keys, away = tmp_path / "var" / "keys", tmp_path / "away"
    server.start()
    try:
        send(server, token, "m1", "hoi")
        keys.rename(away)
        assert _refused(server, token)
        _wait_for(lambda: _ready(server) == (503, False))
        _wait_for(lambda: "sleutelmap" in server.log.read_text())
        away.rename(keys)
        _wait_for(lambda: _ready(server) == (200, True))
        assert [line["text"] for line in history(server, token)["messages"] if line["role"] == "child"] == ["hoi"], "as it was told"
        server.stop()
        keys.rename(away)
        server.start()
        assert not keys.exists(), "it is not made anew"
        assert _refused(server, token)
        assert _ready(server) == (503, False)
        away.rename(keys)
        _wait_for(lambda: _ready(server) == (200, True))
        send(server, token, "m2", "ik ben er weer")
    finally:
        server.stop()
    with sqlite3.connect(tmp_path / "var" / "praat.db") as database:
        assert database.execute("SELECT count(*) FROM message WHERE role = 'child'").fetchone() == (2,)
