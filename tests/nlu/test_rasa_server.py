"""The engine that asks a running Rasa, against a server of our own that behaves well and badly."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from nlu.rasa_server import RasaServer
from nlu.understanding import EngineError

GOOD = {
    "intent": {"name": "greet", "confidence": 0.8},
    "intent_ranking": [{"name": "greet", "confidence": 0.8}, {"name": "deny", "confidence": 0.2}],
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, json.loads(body)["text"]))
        if self.server.silent:
            self.server.gate.wait()
            self.close_connection = True
            return
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.answer)))
        self.end_headers()
        self.wfile.write(self.server.answer)
        if self.server.hangs_up:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str]] = []
        self.status = 200
        self.answer = json.dumps(GOOD).encode()
        self.silent = False
        self.hangs_up = False
        self.gate = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.gate.set()
        running.shutdown()
        thread.join()


@pytest.fixture
def engine(server: Server) -> Iterator[RasaServer]:
    engine = RasaServer(server.url, timeout_s=5)
    yield engine
    engine.close()


def test_the_ranking_comes_back(server: Server, engine: RasaServer) -> None:
    reading = engine.classify("hoi 😭")
    assert (reading.intent, reading.confidence) == ("greet", 0.8)
    assert reading.ranking == {"greet": 0.8, "deny": 0.2}
    assert server.asked == [("/model/parse", "hoi 😭")]


def test_a_leading_slash_is_never_sent(server: Server, engine: RasaServer) -> None:
    engine.classify(" / ik wil praten")
    assert server.asked[0][1] == "ik wil praten"


def test_the_token_goes_along(server: Server) -> None:
    engine = RasaServer(server.url + "/rasa/", token="a b", timeout_s=5)
    engine.classify("hoi")
    engine.close()
    assert server.asked[0][0] == "/rasa/model/parse?token=a+b"


def test_a_connection_that_was_closed_meanwhile_is_opened_anew(server: Server, engine: RasaServer) -> None:
    server.hangs_up = True
    assert [engine.classify("hoi").intent for _ in range(3)] == ["greet"] * 3


@pytest.mark.parametrize(
    ("status", "answer", "permanent"),
    [
        (500, b"{}", False),
        (401, b"{}", True),
        (404, b"{}", True),
        (200, b"no json", False),
        (200, b"{}", False),
        (200, b"[]", False),
        (200, b'{"intent": {"name": "greet", "confidence": 7}}', False),
        (200, b'{"intent": null}', False),
        (200, b'{"x": "' + b"a" * 300_000 + b'"}', False),
    ],
)
def test_a_bad_answer_is_an_engine_error(
    server: Server, engine: RasaServer, status: int, answer: bytes, *, permanent: bool
) -> None:
    server.status, server.answer = status, answer
    with pytest.raises(EngineError) as caught:
        engine.classify("een geheim van een kind")
    assert caught.value.permanent is permanent
    assert "geheim" not in str(caught.value)


def test_a_server_that_says_nothing_is_late(server: Server) -> None:
    server.silent = True
    with pytest.raises(EngineError, match="did not answer"):
        RasaServer(server.url, timeout_s=0.05).classify("hoi")


def test_no_server_at_all(server: Server) -> None:
    port = server.server_address[1]
    server.server_close()
    with pytest.raises(EngineError, match="did not answer"):
        RasaServer(f"http://127.0.0.1:{port}", timeout_s=0.05).classify("hoi")


@pytest.mark.parametrize("url", ["", "ftp://x", "http://", "x:5005", "http://u:p@host", "http://host?x=1"])
def test_a_wrong_url_is_told_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="must look like"):
        RasaServer(url)


def test_neither_words_nor_token_are_logged_by_the_library(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    engine = RasaServer(server.url, token="a-secret-token", timeout_s=5)
    engine.classify("een geheim van een kind")
    engine.close()
    assert "secret" not in caplog.text
    assert "geheim" not in caplog.text


def test_no_proxy_is_asked(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    engine = RasaServer(server.url, timeout_s=5)
    assert engine.classify("hoi").intent == "greet"
    engine.close()
