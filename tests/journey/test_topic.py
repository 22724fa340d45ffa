"""A copy of the database alone does not tell what a chat is about.

A classifier learns from everything that stands in clear, of chats of ten kinds, and is compared with the same classifier that is
given only what may be known: how urgent each message is, the language, and how many messages there are. That it would find
a subject is shown by giving it one: the sealed references, opened.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from bot.channels.telegram.spec import CHOOSE, NEAR, OPENER
from bot.channels.web.spec import WEBCHAT
from bot.delivery import deliver_due
from bot.message import ChannelUtterances, Incoming
from bot.turn import take_turn
from bot.waiting import tell_waiting
from handoff import confidant
from handoff.models import metadata
from handoff.queue import handoffs
from tests.fakes import FakeChannel
from tests.make import CITY, House, house, names_said, team_id_of, understood
from tests.proof import WHOLE, proof, size

CHATS = size(300, 2000)
KINDS: Mapping[str, tuple[str, ...]] = {
    "disclose_physical_abuse": ("mn vader slaat me", "hij slaat mij met een riem als ik iets verkeerd doe en dat is vaak"),
    "disclose_sexual_abuse": ("mijn oom raakt me aan", "hij komt soms op mijn kamer en dan moet ik dingen doen die ik niet wil"),
    "disclose_neglect": ("ik krijg geen eten thuis", "er is nooit iemand en ik zorg alleen voor mijn broertje van vier"),
    "disclose_domestic_violence": ("mijn ouders slaan elkaar", "papa gooit met borden naar mama en dan verstop ik me"),
    "disclose_online_abuse": (
        "ze sturen mijn foto rond",
        "iemand op snap stuurt alles door als ik niet doe wat hij zegt",
    ),
    "bullying": ("ik word gepest", "in de klas lachen ze me uit en niemand wil naast me zitten"),
    "adult_own_urges": ("ik heb gevoelens voor kinderen", "ik ben volwassen en ik ben bang voor wat ik denk"),
    "town_hall_visit": ("ik sta bij de balie", "kan ik gewoon naar het gemeentehuis komen om te praten"),
    "ask_confidentiality": ("vertel je dit door", "ik wil niet dat mijn moeder hoort dat ik hier ben"),
    "self_harm_or_suicide": ("ik wil dood", "ik heb mezelf weer pijn gedaan en ik weet het niet meer"),
}
AFTER = ("greet", "affirm", "nlu_fallback", "vague_distress")
"""What may come later in any chat, whatever it is about."""

PER_TRANSACTION = 50

MOST = 120
"""Features that are learnt from."""


@dataclass(frozen=True)
class Scene:
    """A house after many chats: what each was about, by its id."""

    made: House
    kinds: Mapping[str, str]


def _messages(chance: random.Random, kind: str) -> list[tuple[str, str]]:
    """A child's intents and texts: the subject first, perhaps again, and whatever else comes."""
    follow = [kind if chance.random() < 0.4 else chance.choice(AFTER) for _ in range(chance.randint(0, 4))]
    return [(intent, chance.choice(KINDS.get(intent, ("hallo?", "ben je er nog", "ja")))) for intent in (kind, *follow)]


def _incoming(chance: random.Random, token: bytes, n: int, text: str) -> Incoming:
    if chance.random() < 2:  # the same for every message of a chat: by its token
        pushed = token[0] % 2 == 0
    extra = (
        ChannelUtterances(before=(OPENER,), after=(CHOOSE,), fallback=NEAR, choices=(CITY, "elders"))
        if pushed
        else ChannelUtterances()
    )
    channel, address = ("telegram", token[:9]) if pushed else (WEBCHAT, None)
    return Incoming(channel, CITY, token, f"m{n}", text, address=address, utterances=extra)


def _play(made: House, chance: random.Random) -> dict[str, str]:
    """Let the children write, in turns of everybody, with the loops and a confidant between."""
    run, kinds = made.runtime, {}
    about = [chance.choice(list(KINDS)) for _ in range(CHATS)]
    chats = [(kind, chance.randbytes(32), _messages(chance, kind)) for kind in about]
    for n in range(max(len(messages) for _, _, messages in chats)):
        writing = [(kind, token, messages[n]) for kind, token, messages in chats if n < len(messages)]
        for start in range(0, len(writing), PER_TRANSACTION):

            def work(tx: sa.Connection, some: Sequence[Any] = writing[start : start + PER_TRANSACTION], n: int = n) -> None:
                for kind, token, (intent, text) in some:
                    language = chance.choice(("nl", "nl", "nl", "nl", "en"))
                    done = take_turn(
                        tx, run, _incoming(chance, token, n, text), understood(intent, language=language), made.clock()
                    )
                    kinds[done.chat.id] = kind

            run.store.write(work).result()
            made.clock.turn(seconds=1)
        _meanwhile(made, chance, n)
    return kinds


def _meanwhile(made: House, chance: random.Random, n: int) -> None:
    """The loops tell and deliver, the confidant comes and goes, takes some children and gives some back."""
    run, sanne = made.runtime, made.member()
    made.clock.turn(seconds=chance.choice((5, 61)))
    run.store.write(lambda tx: confidant.set_duty(tx, run, sanne, team_id_of(CITY), made.clock(), present=n % 2 == 0)).result()
    asyncio.run(tell_waiting(run))
    if n == 1:  # the rest still waits to go out
        asyncio.run(deliver_due(run, {"telegram": FakeChannel()}))
    for item in chance.sample(run.store.read(handoffs.all_waiting).result(), CHATS // 20):
        run.store.write(lambda tx, i=item.id: confidant.claim(tx, run, sanne, i, made.clock())).result()  # type: ignore[misc]
        if chance.random() < 0.5:
            run.store.write(lambda tx, i=item.id: confidant.release(tx, run, sanne, i, made.clock())).result()  # type: ignore[misc]


def _value(value: Any, began: datetime) -> str:
    """What can be learnt of one cell: its kind and length when it is sealed, the distance of a moment, else what stands there."""
    if isinstance(value, bytes):
        return f"{len(value)} bytes {value[:1].hex()}"
    return f"{(value - began).total_seconds():.0f} s" if isinstance(value, datetime) else str(value)[:80]


def _all_in_clear(scene: Scene) -> dict[str, set[str]]:
    """Everything of each chat that stands in any table, cell by cell, with its place and without."""
    found: dict[str, set[str]] = defaultdict(set)
    with scene.made.runtime.store._writer.connect() as tx:  # type: ignore[attr-defined]
        began = {row.id: row.created_at for row in tx.execute(sa.select(metadata.tables["conversation"]))}
        for table in metadata.sorted_tables:
            key = "id" if table.name == "conversation" else "conversation_id"
            if key not in table.c:
                continue
            counts: Counter[str] = Counter()
            for row in tx.execute(sa.select(table).order_by(*table.primary_key.columns)):
                chat = row._mapping[key]
                counts[chat] += 1
                cells = [(name, _value(value, began[chat])) for name, value in row._mapping.items()]
                found[chat] |= {f"{table.name}.{name}={value}" for name, value in cells}
                found[chat] |= {f"{table.name}[{counts[chat]}].{name}={value}" for name, value in cells}
            for chat, count in counts.items():
                found[chat].add(f"{table.name} x {count}")
    return found


def _what_may_be_known(scene: Scene) -> dict[str, set[str]]:
    """How urgent each message of the child is, the language, and how many messages there are of each role."""
    rows: dict[str, list[Any]] = defaultdict(list)
    message, conversation = metadata.tables["message"], metadata.tables["conversation"]
    with scene.made.runtime.store._writer.connect() as tx:  # type: ignore[attr-defined]
        for row in tx.execute(sa.select(message).order_by(message.c.seq)):
            rows[row.conversation_id].append(row)
        languages = {row.id: row.language for row in tx.execute(sa.select(conversation))}
    known = {}
    for chat, messages in rows.items():
        urgencies = [row.urgency for row in messages if row.role == "child"]
        roles = Counter(row.role for row in messages)
        single = {f"{n}: {urgency}" for n, urgency in enumerate(urgencies)} | {f"{role} x {count}" for role, count in roles.items()}
        known[chat] = single | {languages[chat], f"all {urgencies}", f"all {urgencies} {sorted(roles.items())} {languages[chat]}"}
    return known


def _accuracy(features: Mapping[str, set[str]], kinds: Mapping[str, str]) -> float:
    """Learn from one half of the chats, and say how often the other half is named rightly (softmax regression over the features
    that differ most between kinds)."""
    chats, names = sorted(kinds), sorted(KINDS)
    random.Random(7).shuffle(chats)  # noqa: S311
    half = len(chats) // 2
    truth = np.array([names.index(kinds[chat]) for chat in chats])
    wanted = np.eye(len(names))[truth[:half]]
    given = _matrix(features, chats, half)
    expected = np.outer(given[:half].sum(0), wanted.mean(0))
    differs = ((given[:half].T @ wanted - expected) ** 2 / np.maximum(expected, 1e-9)).sum(1)
    given = np.hstack([np.ones((len(chats), 1)), given[:, np.argsort(-differs)[:MOST]]])
    weights = _learned(given[:half], wanted)
    return float((np.argmax(given[half:] @ weights, axis=1) == truth[half:]).mean())


def _matrix(features: Mapping[str, set[str]], chats: Sequence[str], half: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """One row for each chat, one column for each feature that some of the first half have."""
    seen = Counter(feature for chat in chats[:half] for feature in features[chat])
    place = {feature: n for n, feature in enumerate(sorted(one for one, count in seen.items() if 5 <= count < half))}
    matrix = np.zeros((len(chats), len(place)))
    for row, chat in enumerate(chats):
        matrix[row, [place[feature] for feature in features[chat] if feature in place]] = 1
    return matrix


def _learned(given: Any, wanted: Any) -> Any:
    """The weights after 300 steps (Adam)."""
    weights, mean, spread = (np.zeros((given.shape[1], wanted.shape[1])) for _ in range(3))
    for step in range(1, 301):
        likely = np.exp(given @ weights - (given @ weights).max(axis=1, keepdims=True))
        slope = given.T @ (likely / likely.sum(axis=1, keepdims=True) - wanted) / len(given) + 3e-3 * weights
        mean, spread = 0.9 * mean + 0.1 * slope, 0.99 * spread + 0.01 * slope**2
        weights -= 0.05 * (mean / (1 - 0.9**step)) / (np.sqrt(spread / (1 - 0.99**step)) + 1e-8)
    return weights


def _interval(first: float, second: float, count: int) -> float:
    """Half of the 95 % interval of the difference of two shares of so many chats."""
    return float(1.96 * np.sqrt((first * (1 - first) + second * (1 - second)) / count))


@proof
def test_a_stolen_database_does_not_tell_what_a_chat_is_about(tmp_path: Path) -> None:
    with house(tmp_path) as made:
        made.confidant("sanne")
        scene = Scene(made, _play(made, random.Random(20261129)))  # noqa: S311
        known, clear = _what_may_be_known(scene), _all_in_clear(scene)
        opened = {chat: clear[chat] | set(names_said(made, chat)) for chat in scene.kinds}
        base, all_of_it, control = (_accuracy(features, scene.kinds) for features in (known, clear, opened))
    figures = f"{len(scene.kinds)} chats: {base:.3f} by what may be known, {all_of_it:.3f} by all in clear, {control:.3f} opened"
    half = len(scene.kinds) // 2
    assert all_of_it <= base + _interval(base, all_of_it, half), figures
    assert control > base + _interval(base, control, half), f"a classifier that finds nothing proves nothing: {figures}"
    if WHOLE:
        sys.stderr.write(figures + "\n")
