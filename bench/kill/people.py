"""Children and a confidant who do not give up: each message is repeated, under its own id, until it is acknowledged."""

from __future__ import annotations

import http.client
import json
import random
import re
import secrets
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlencode

import httpx

from bench.kill.place import CITY, Place

CHAT = 60
"""Messages of a child before it begins another chat."""
GIVES_UP = 0.02
"""How many of the requests are cut off by the sender before the answer came, as by a train in a tunnel."""


@dataclass
class Chat:
    """What one child was told is stored, in order."""

    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    acknowledged: list[str] = field(default_factory=list)


@dataclass
class Ledger:
    """What everybody was told is stored."""

    chats: list[Chat] = field(default_factory=list)
    from_confidant: list[str] = field(default_factory=list)

    @property
    def acknowledged(self) -> int:
        """All messages, of children and of the confidant."""
        return sum(len(chat.acknowledged) for chat in list(self.chats)) + len(self.from_confidant)


class Child(threading.Thread):
    """One page after another, each with a chat of its own."""

    def __init__(self, place: Place, ledger: Ledger, stop: threading.Event, chance: random.Random) -> None:
        super().__init__(daemon=True)
        self._place, self._ledger, self._ended, self._chance = place, ledger, stop, chance
        self._line: http.client.HTTPConnection | None = None

    def run(self) -> None:
        """Write until told to stop; the message under way is repeated over everything that goes wrong."""
        while not self._ended.is_set():
            chat, after = Chat(), 0
            self._ledger.chats.append(chat)
            while len(chat.acknowledged) < CHAT and not self._ended.is_set():
                text = f"bericht {len(chat.acknowledged)}"
                after = self._until_acknowledged(chat, text, after)
                chat.acknowledged.append(text)
        self._hang_up()

    def _until_acknowledged(self, chat: Chat, text: str, after: int) -> int:
        """The number of the last message that the answer held."""
        body = json.dumps({"id": f"m{len(chat.acknowledged):07}", "text": text, "after": after})
        while True:
            with suppress(OSError, http.client.HTTPException, ValueError):
                answer = self._post(chat.token, body)
                if answer is not None:
                    return max((line["seq"] for line in answer["messages"]), default=after)
            self._hang_up()
            time.sleep(0.02)  # the network's own pace

    def _post(self, token: str, body: str) -> dict[str, list[dict[str, int]]] | None:
        if self._line is None:
            self._line = http.client.HTTPConnection("127.0.0.1", self._place.child_port, timeout=20)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._line.request("POST", f"/api/{CITY}/messages", body, headers)
        if self._chance.random() < GIVES_UP:
            return None
        answer = self._line.getresponse()
        content = answer.read()
        if answer.status not in (200, 429, 500, 503):
            raise SystemExit(f"a child's message was refused with {answer.status}")
        found: dict[str, list[dict[str, int]]] | None = json.loads(content) if answer.status == 200 else None
        return found

    def _hang_up(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None


class Confidant(threading.Thread):
    """Signs in, takes the child that is first, writes a few lines, gives it back; over every death of the console."""

    LINES = 5

    def __init__(self, place: Place, ledger: Ledger, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self._place, self._ledger, self._ended = place, ledger, stop
        self._phrase = place.logins["sanne"]
        self._http = httpx.Client(base_url=place.console_url, timeout=20, headers={"Origin": place.console_url})

    def run(self) -> None:
        """Work until told to stop."""
        while not self._ended.is_set():
            with suppress(httpx.TransportError, LookupError):
                self._work()
            time.sleep(0.1)
        self._http.close()

    def _work(self) -> None:
        """Raises `LookupError` when a page is not the one that was expected: begin again."""
        if self._http.get("/").status_code != 200:
            self._sign_in()
        waiting = re.findall(r"/wachtrij/([\w-]+)/overnemen", self._http.get("/").text)
        if not waiting:
            return
        self._form(f"/wachtrij/{waiting[-1]}/overnemen")
        for _ in range(self.LINES):
            if not self._write(waiting[-1]):
                break
        self._form(f"/gesprek/{waiting[-1]}/teruggeven")

    def _write(self, handoff_id: str) -> bool:
        """Say one line until it is acknowledged. False when the child is not this confidant's (any more)."""
        text = f"mens {len(self._ledger.from_confidant)}"
        body = {"tekst": text, "bericht": f"bericht-{len(self._ledger.from_confidant):07}"}
        while not self._ended.is_set():
            with suppress(httpx.TransportError):
                answer = self._http.post(f"/gesprek/{handoff_id}/schrijven", json=body, headers={"X-Console": "1"})
                if answer.is_success:
                    self._ledger.from_confidant.append(text)
                    return True
                if answer.status_code not in (500, 503):
                    return False
            time.sleep(0.05)
        return False

    def _sign_in(self) -> None:
        """With the passphrase for one use the first time, which is renewed; with one's own from then on."""
        self._form("/inloggen", naam="sanne", wachtzin=self._phrase)
        if self._http.get("/").headers.get("location") != "/nieuwe-wachtzin":
            return
        page = self._http.get("/nieuwe-wachtzin").text
        fresh, mark = (re.search(rf'name="{name}" value="([^"]+)"', page) for name in ("nieuw", "merk"))
        if fresh is None or mark is None:
            raise LookupError
        self._phrase = fresh[1]  # before it is stored: if the answer is lost, both are tried
        self._form("/nieuwe-wachtzin", nieuw=fresh[1], merk=mark[1], wachtzin=fresh[1])

    def _form(self, path: str, **fields: str) -> httpx.Response:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._http.post(path, content=urlencode(fields), headers=kind)
