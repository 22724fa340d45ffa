"""`praat simulate`: plays a child's messages through the true path, `bot.turn`, on a throw-away database."""

from __future__ import annotations

import json
import secrets
import tempfile
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from bot.channels.web.spec import SPEC, WEBCHAT
from bot.message import Incoming
from bot.turn import TurnResult, pressed, take_turn
from config.intents import Urgency
from config.schema import Configuration
from handoff import keys
from handoff.accounts import credentials
from handoff.crypto import Cost, Vault
from handoff.database import open_store
from handoff.migrations import upgrade
from handoff.publishing import store_published
from handoff.runtime import Runtime, utc_now
from handoff.wording import render
from nlu.understanding import Understanding


def simulate(
    messages: Iterable[str],
    configuration: Configuration,
    municipality_id: str,
    understand: Callable[[str], Understanding],
    clock: Callable[[], datetime] = utc_now,
) -> Iterator[dict[str, Any]]:
    """One dictionary for each message, in the form of `praat simulate`. Raises `NotFound` for an unknown gemeente."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/simulate.db"
        upgrade(url)
        vault = Vault.founded(secrets.token_bytes(32), Path(folder) / "keys", cost=Cost(memory_kib=64, iterations=1))
        runtime = Runtime(open_store(url), vault, configuration, {WEBCHAT: SPEC}, clock)
        try:
            runtime.municipality(municipality_id)
            runtime.store.write(lambda tx: _people(tx, runtime, municipality_id)).result()
            token = secrets.token_bytes(32)
            for turn, text in enumerate(messages, start=1):
                incoming = Incoming(WEBCHAT, municipality_id, token, f"turn-{turn}", text)
                understanding = pressed(understand(text), runtime.script_for(municipality_id), text)
                yield runtime.store.write(
                    lambda tx, i=incoming, u=understanding, n=turn: _one(tx, runtime, i, u, n)  # type: ignore[misc]
                ).result()
        finally:
            runtime.store.close()


def _people(tx: Connection, runtime: Runtime, municipality_id: str) -> None:
    """A team needs a member before anything can be sealed for it; this one is not on duty."""
    store_published(tx, runtime)
    now, key = runtime.clock(), credentials.new_key(runtime.vault, secrets.token_hex(16))
    person_id = credentials.insert_person(
        tx, key, municipality_id=municipality_id, login="simulate", first_name="Simulatie", role="confidant", now=now
    )  # fmt: skip
    team_id = runtime.municipality(municipality_id).receiving_team.id
    keys.found_team(tx, runtime.vault, team_id=team_id, person_ids=[person_id], now=now)


def _one(tx: Connection, runtime: Runtime, incoming: Incoming, understanding: Understanding, turn: int) -> dict[str, Any]:
    result = take_turn(tx, runtime, incoming, understanding, runtime.clock())
    return {
        "turn": turn,
        "text": incoming.text,
        "intent": understanding.intent,
        "confidence": round(understanding.confidence, 4),
        "urgency": understanding.urgency.label,
        "language": understanding.language,
        "replies": _replies(runtime, result),
        "handoff": {
            "state": result.handoff.state,
            "urgency": Urgency(result.handoff.urgency).label,
            "route": result.handoff.route,
            "step": result.handoff.step,
        },
    }


def _replies(runtime: Runtime, result: TurnResult) -> list[dict[str, str]]:
    municipality_id = result.chat.municipality_id
    return [{"utterance": one.utterance.id, "text": render(runtime, municipality_id, one)} for one in result.sentences]


def as_json_lines(results: Iterable[dict[str, Any]]) -> Iterator[str]:
    """One JSON object a line; characters that no terminal can show (half an emoji) are written as escapes."""
    for result in results:
        line = json.dumps(result, ensure_ascii=False)
        yield line.encode("utf-8", "backslashreplace").decode()
