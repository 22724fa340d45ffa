"""A confidant at their browser, for tests of the console: a real app over HTTP, on a real house."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
from sqlalchemy import Connection

from bot import child
from bot.child import Snapshot
from handoff.accounts import credentials
from handoff.console.app import console_app
from handoff.models import person
from handoff.queue import handoffs
from handoff.team import people
from tests.make import CITY, House, incoming, team_id_of, understood

ORIGIN = "http://localhost:8001"
OURS = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}
T = TypeVar("T")


@dataclass
class Desk:
    """One browser. `get` and `post` send what a browser would; redirects are not followed."""

    http: httpx.AsyncClient
    runner: asyncio.Runner
    house: House

    def sign_in(self, login: str) -> httpx.Response:
        """Through the form."""
        return self.post("/inloggen", naam=login, wachtzin=self.house.phrases[login])

    def first_sign_in(self, login: str) -> str:
        """With the printed passphrase, through the form for a new one; returns where that leads."""
        print_again(self.house, login)
        self.sign_in(login)
        page = self.get("/nieuwe-wachtzin").text
        phrase = hidden(page, "nieuw")
        done = self.post("/nieuwe-wachtzin", nieuw=phrase, merk=hidden(page, "merk"), wachtzin=phrase)
        self.house.phrases[login] = phrase
        return done.headers["location"]

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Open a page."""
        return self.request("GET", path, headers=headers)

    def post(self, path: str, **fields: str) -> httpx.Response:
        """Send a form of our own."""
        return self.request("POST", path, data=fields, headers=OURS)

    def send(self, handoff_id: str, text: str, message_id: str = "bericht-0001") -> httpx.Response:
        """What the page's script sends."""
        body = {"tekst": text, "bericht": message_id}
        return self.request("POST", f"/gesprek/{handoff_id}/schrijven", json=body, headers={**OURS, "X-Console": "1"})

    def request(self, method: str, path: str, **rest: Any) -> httpx.Response:
        """Exactly this request."""
        return self.runner.run(self.http.request(method, path, **rest))


@dataclass
class Child:
    """A child on the web, for tests of what a confidant sees of it."""

    house: House
    token: bytes
    count: int = 0

    def say(self, text: str, intent: str = "greet") -> Snapshot:
        """Write a message."""
        self.count += 1
        message = incoming(text, token=self.token, external_id=f"m{self.count}")
        return write(self.house, lambda tx: child.send(tx, self.house.runtime, message, understood(intent), self.house.clock()))

    @property
    def handoff_id(self) -> str:
        """The handoff that is open now (the newest of the queue or of the claims)."""
        team = team_id_of(CITY)
        found = read(self.house, lambda tx: handoffs.waiting(tx, team) + handoffs.held(tx, team))
        return max(found, key=lambda item: item.opened_at).id


def write(house: House, work: Callable[[Connection], T]) -> T:
    """Do it in one transaction and wait."""
    return house.runtime.store.write(work).result()


def read(house: House, work: Callable[[Connection], T]) -> T:
    """Look something up."""
    return house.runtime.store.read(work).result()


def new_child(house: House, text: str = "hoi", intent: str = "greet") -> Child:
    """A child that wrote its first message, a second after everyone before."""
    house.clock.turn(seconds=1)
    made = Child(house, secrets.token_bytes(32))
    made.say(text, intent)
    return made


@contextmanager
def desk(house: House, login: str | None = None, *, origin: str = ORIGIN) -> Iterator[Desk]:
    """A browser of its own; with `login`, signed in."""
    app = console_app(house.runtime, origin=origin)
    transport = httpx.ASGITransport(app)
    with asyncio.Runner() as runner:
        made = Desk(httpx.AsyncClient(transport=transport, base_url=origin), runner, house)
        if login:
            assert made.sign_in(login).status_code == 303
        yield made
        runner.run(made.http.aclose())


def invite(house: House, login: str, municipality_id: str = CITY, *, own: bool = False) -> str:
    """Somebody whom the operator added and nobody has let in yet. With `own`, they have signed in and made their own key."""
    vault = house.runtime.vault
    house.phrases[login] = phrase = f"{login} zin van zes losse woorden"
    key = credentials.new_key(vault, phrase)
    if own:
        key = credentials.lock_key(vault, key.person_id, vault.new_private_key(), phrase)
    newcomer = people.Newcomer(key, login, login.title())

    def add(tx: Connection) -> list[people.Member]:
        return people.add_confidants(tx, vault, [newcomer], municipality_id=municipality_id, now=house.clock())

    return write(house, add)[0].id


def wrong_phrases(house: House, login: str) -> Iterator[str]:
    """Wrong passphrases that only the slow work finds out: of most others it is seen at once that they cannot be right."""
    row = read(house, lambda tx: credentials.look_up(tx, login))
    while True:
        if credentials.may_fit(house.runtime.vault, row, login, phrase := f"een heel andere zin {secrets.token_hex(8)}"):
            yield phrase


def print_again(house: House, login: str) -> None:
    """As if an operator had printed the passphrase that this person has: it must be renewed."""
    write(house, lambda tx: tx.execute(person.update().where(person.c.login == login).values(own_proof=None)))


def hidden(page: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found.group(1)
