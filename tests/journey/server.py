"""The real thing in a process of its own: `praat run` on free ports and a data folder, to be killed at will."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.make import CITY

HTTP = httpx.Client(verify=False, timeout=10)  # noqa: S501 - this machine's own http, and no certificates to read
"""One for all: a client reads every certificate of the machine when it is made."""


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Server:
    """A server process and how to talk to it. Everything it prints goes to `log`."""

    folder: Path
    child_port: int = field(default_factory=free_port)
    console_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    logins: dict[str, str] = field(default_factory=dict)

    @property
    def log(self) -> Path:
        """What it printed, over all its lives."""
        return self.folder / "server.log"

    @property
    def child_url(self) -> str:
        """The origin of the child's page."""
        return f"http://127.0.0.1:{self.child_port}"

    @property
    def console_url(self) -> str:
        """The origin of the console."""
        return f"http://127.0.0.1:{self.console_port}"

    def start(self, **environment: str) -> Server:
        """Start it and wait until both origins answer."""
        self.launch(**environment)
        self._wait()
        for login, phrase in re.findall(r"Inloggen: (\w+) +([a-z]+(?: [a-z]+){5})\n", self.log.read_text()):
            self.logins[login] = phrase
        return self

    def launch(self, **environment: str) -> None:
        """Start it and wait for nothing."""
        env = {
            **os.environ,
            "PRAAT_DATA_DIR": str(self.folder / "var"),
            "PRAAT_CHILD_PORT": str(self.child_port),
            "PRAAT_CONSOLE_PORT": str(self.console_port),
            "PRAAT_CHILD_ORIGIN": self.child_url,
            "PRAAT_CONSOLE_ORIGIN": self.console_url,
            "PRAAT_ARGON2_MEMORY_KIB": "8192",
            "PRAAT_ARGON2_ITERATIONS": "1",
            **environment,
        }
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "bot", "run"]
            self.process = subprocess.Popen(command, env=env, stdout=log, stderr=log, cwd=Path(__file__).parents[2])

    def _wait(self) -> None:
        deadline = time.monotonic() + 60
        for url in (f"{self.child_url}/{CITY}", f"{self.console_url}/inloggen"):
            while True:
                try:
                    if HTTP.get(url).status_code == 200:
                        break
                except httpx.TransportError:
                    pass
                if time.monotonic() > deadline or (self.process and self.process.poll() is not None):
                    raise AssertionError(f"the server did not start:\n{self.log.read_text()}")
                time.sleep(0.05)  # waiting for another process, not for our own code

    def kill(self) -> None:
        """As a power cut does: no goodbye."""
        if self.process:
            self.process.kill()
            self.process.wait()

    def stop(self) -> int:
        """As a person does: Ctrl+C. Returns the exit code."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=20)


def new_token() -> str:
    """A token as a page makes it."""
    return secrets.token_urlsafe(32)


def send(server: Server, token: str, external_id: str, text: str, *, after: int = 0) -> dict[str, Any]:
    """Send one message as the page does, which has all messages up to number `after`; raises on anything but 200."""
    answer = HTTP.post(
        f"{server.child_url}/api/{CITY}/messages",
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        content=json.dumps({"id": external_id, "text": text, "after": after}),
    )
    answer.raise_for_status()
    body: dict[str, Any] = answer.json()
    return body


def history(server: Server, token: str) -> dict[str, Any]:
    """The whole chat, as the page fetches it after a reload."""
    url = f"{server.child_url}/api/{CITY}/messages"
    answer = HTTP.get(url, params={"after": 0}, headers={"Authorization": f"Bearer {token}"})
    answer.raise_for_status()
    body: dict[str, Any] = answer.json()
    return body
