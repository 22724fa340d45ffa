"""Two addresses for whoever keeps the program running: `/health` (this process answers) and `/ready` (it can do its work).

They stand in front of an app, so that nothing behind them is asked. They tell names and yes or no, and nothing else: no address,
no number of anything, no text of a fault.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

import sqlalchemy as sa
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.app import Parts
from handoff.chats import retention
from handoff.database import awaited

Check = Callable[[], Awaitable[bool]]
"""Whether one part works now. May raise: then it does not."""

PATHS = ("/health", "/ready")

_DEADLINE_S = 3.0
_FRESH_S = 1.0
"""So long one answer counts: whoever asks a hundred times a second costs no more than one."""


class Readiness:
    """Asks every check, at the same time and with a deadline, at most once a second."""

    def __init__(
        self,
        checks: Mapping[str, Check],
        *,
        aside: Mapping[str, Check] | None = None,
        clock: Callable[[], float] = time.monotonic,
        deadline_s: float = _DEADLINE_S,
    ) -> None:
        """`aside`: what is told as well, and does not make this process unready: its pages must stay."""
        self._aside = aside or {}
        self._checks = {**checks, **self._aside}
        self._deadline_s = deadline_s
        self._clock = clock
        self._lock = asyncio.Lock()
        self._asked_at = float("-inf")
        self._answers: dict[str, bool] = {}

    def is_ready(self, answers: Mapping[str, bool]) -> bool:
        """Whether this process can do its work."""
        return all(works for name, works in answers.items() if name not in self._aside)

    async def ask(self) -> dict[str, bool]:
        """Return each check's name with its answer. Never raises."""
        async with self._lock:
            if self._clock() - self._asked_at >= _FRESH_S:
                answers = await asyncio.gather(*(_answer(check, self._deadline_s) for check in self._checks.values()))
                self._answers = dict(zip(self._checks, answers, strict=True))
                self._asked_at = self._clock()
            return self._answers


async def _answer(check: Check, deadline_s: float) -> bool:
    try:
        async with asyncio.timeout(deadline_s):
            return await check()
    except Exception:  # noqa: BLE001 - whatever it is, this part does not work; its text stays out of sight
        return False


class HealthMiddleware:
    """Answers `/health` and `/ready`; all else goes on to `app`, or is 404 when there is none."""

    def __init__(self, app: ASGIApp | None, readiness: Readiness) -> None:
        self._app = app
        self._readiness = readiness

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "http" and scope["path"] in PATHS:
            await (await self._respond(scope))(scope, receive, send)
        elif self._app is not None:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await Response(status_code=404)(scope, receive, send)

    async def _respond(self, scope: Scope) -> Response:
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        if scope["method"] not in ("GET", "HEAD"):
            return Response(status_code=405, headers={**headers, "Allow": "GET, HEAD"})
        if scope["path"] == "/health":
            return JSONResponse({"alive": True}, headers=headers)
        answers = await self._readiness.ask()
        ready = self._readiness.is_ready(answers)
        return JSONResponse({"ready": ready, **answers}, status_code=200 if ready else 503, headers=headers)


def readiness_of(parts: Parts, prepared: Callable[[], bool]) -> Readiness:
    """What this process needs to do its work. `prepared`: whether its script was stored since the start."""
    runtime, reader = parts.runtime, parts.reader

    async def database() -> bool:
        return bool(await awaited(runtime.store.read(lambda tx: tx.execute(sa.select(1)).scalar_one())))

    async def keys() -> bool:
        await asyncio.to_thread(runtime.vault.key_files.see)
        return True

    async def script() -> bool:
        return prepared()

    checks: dict[str, Check] = {"database": database, "keys": keys, "script": script}
    if reader is not None:

        async def model() -> bool:
            return reader.has_engine

        checks["model"] = model

    async def clock() -> bool:
        return await awaited(runtime.store.read(lambda tx: retention.leap(tx, runtime.clock()))) is None

    return Readiness(checks, aside={"clock": clock})
