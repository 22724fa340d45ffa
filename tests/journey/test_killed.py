"""The server is killed (-9) while children write. Whatever was acknowledged is there afterwards, once, in order, with a handoff."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.journey.server import Server, history, new_token, send
from tests.proof import proof, size

ROUNDS = size(4, 20)
CHILDREN = 4


@dataclass(eq=False)
class Kid(threading.Thread):
    """A page that sends one message after another and repeats each until it is acknowledged."""

    server: Server
    stop: threading.Event
    token: str = field(default_factory=new_token)
    acknowledged: list[str] = field(default_factory=list)
    sent: int = 0
    seen: int = 0

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    def run(self) -> None:
        """Go on until told to stop; the message under way is repeated over every death of the server."""
        while not self.stop.is_set():
            self.sent += 1
            text = f"bericht {self.sent}"
            while text not in self.acknowledged:
                try:
                    answer = send(self.server, self.token, f"message-{self.sent:08d}", text, after=self.seen)
                except httpx.HTTPError:
                    time.sleep(0.02)  # the network's own pace
                else:
                    self.acknowledged.append(text)
                    self.seen = max(line["seq"] for line in answer["messages"])


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A running server on an empty folder."""
    made = Server(tmp_path).start()
    yield made
    made.kill()


@proof
def test_nothing_acknowledged_is_lost_and_nothing_is_doubled(server: Server) -> None:
    chance = random.Random(20261122)  # noqa: S311 - moments of death, no secret
    stop = threading.Event()
    kids = [Kid(server, stop) for _ in range(CHILDREN)]
    for kid in kids:
        kid.start()
    for _ in range(ROUNDS):
        time.sleep(chance.uniform(0.1, 0.8))  # lets them write; the moment of death is the point
        server.kill()
        server.start()
    stop.set()
    for kid in kids:
        kid.join(timeout=60)
        assert not kid.is_alive()
    assert sum(len(kid.acknowledged) for kid in kids) > ROUNDS * CHILDREN
    for kid in kids:
        chat = history(server, kid.token)
        assert [m["text"] for m in chat["messages"] if m["role"] == "child"] == kid.acknowledged
        assert [m["seq"] for m in chat["messages"]] == list(range(1, len(chat["messages"]) + 1))
        assert chat["state"] == "waiting"
