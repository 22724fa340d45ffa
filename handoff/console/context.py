"""What every handler of the console needs, made once by `app.console_app` and found through the request."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from starlette.requests import Request

from handoff.console.lanes import Guesses, Lanes
from handoff.console.rendering import Templates
from handoff.runtime import Runtime

_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+")


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """`origin` is the address in the confidant's browser, without a path: `https://team.example.nl` or `http://localhost:8001`.

    `also` are further spellings of the same address. On one's own machine `localhost` and `127.0.0.1` always stand for each other.
    """

    origin: str
    also: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse to start on an address that no browser would ever send back."""
        for origin in (self.origin, *self.also):
            if not _ORIGIN.fullmatch(origin):
                raise ValueError("a console's origin is http(s)://host or http(s)://host:port, without a path")

    @property
    def secure(self) -> bool:
        """Whether browsers reach the console over HTTPS."""
        return self.origin.startswith("https://")

    @property
    def origins(self) -> frozenset[str]:
        """Every `Origin` that is our own."""
        known = {self.origin, *self.also}
        for here, there in (("http://localhost:", "http://127.0.0.1:"), ("http://127.0.0.1:", "http://localhost:")):
            known |= {there + o.removeprefix(here) for o in (self.origin, *self.also) if o.startswith(here)}
        return frozenset(known)

    @property
    def cookie(self) -> str:
        """`__Host-` ties the cookie to this host and to HTTPS; a browser refuses that name on plain HTTP."""
        return "__Host-sessie" if self.secure else "sessie"

    @property
    def device_cookie(self) -> str:
        """Says from which browser somebody signed in before (`handoff.console.device`)."""
        return "__Host-toestel" if self.secure else "toestel"


CHECK_S = 3.0
"""Seconds after which a stream's session is looked up again though nothing happened: whatever ended it, the stream ends too."""


@dataclass(slots=True)
class Context:
    """What the handlers share."""

    runtime: Runtime
    """The product."""
    settings: ConsoleSettings
    """The addresses of this console."""
    templates: Templates
    """The templates."""
    check_s: float = CHECK_S
    """Seconds between two looks at the session of an open stream."""
    lanes: Lanes = field(default_factory=Lanes)
    """Who may do the slow work of signing in, and when."""
    guesses: Guesses = field(default_factory=Guesses)
    """What was tried in vain just now."""
    streams: Counter[bytes] = field(default_factory=Counter)
    """Open streams of each session."""


def context_of(request: Request) -> Context:
    """The context of the application that serves this request."""
    context: Context = request.app.state.context
    return context
