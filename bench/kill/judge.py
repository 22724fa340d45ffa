"""What became of everything that was acknowledged: each child looks once more, with its own token."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import httpx
import sqlalchemy as sa

from bench.kill.people import Chat, Ledger
from bench.kill.place import CITY, Place
from handoff.models import conversation, handoff


@dataclass
class Found:
    """How many of each kind went wrong."""

    lost: int = 0
    doubled: int = 0
    out_of_order: int = 0
    gaps: int = 0
    without_handoff: int = 0

    @property
    def faultless(self) -> bool:
        """Whether nothing did."""
        return not any(self.counts().values())

    def counts(self) -> dict[str, int]:
        """As they are printed."""
        return {
            "lost": self.lost, "doubled": self.doubled, "out of order": self.out_of_order,
            "gaps in the numbers": self.gaps, "chats without a handoff": self.without_handoff,
        }  # fmt: skip


def judge(place: Place, ledger: Ledger) -> Found:
    """Look at every chat. What was sent and never acknowledged may be there or not, but once."""
    found, humans = Found(), Counter[str]()
    with httpx.Client(base_url=place.child_url, timeout=60) as http:
        for chat in ledger.chats:
            if chat.acknowledged:
                humans += _judge(found, chat, _history(http, chat))
    found.lost += sum(1 for text in ledger.from_confidant if not humans[text])
    found.doubled += sum(count - 1 for count in humans.values())
    found.without_handoff += _without_handoff(place)
    return found


def _history(http: httpx.Client, chat: Chat) -> list[dict[str, str | int]]:
    answer = http.get(f"/api/{CITY}/messages", params={"after": 0}, headers={"Authorization": f"Bearer {chat.token}"})
    answer.raise_for_status()
    lines: list[dict[str, str | int]] = answer.json()["messages"]
    return lines


def _judge(found: Found, chat: Chat, lines: list[dict[str, str | int]]) -> Counter[str]:
    """Count what is wrong in one chat; returns what humans said in it."""
    mine = [str(line["text"]) for line in lines if line["role"] == "child"]
    times = Counter(mine)
    found.lost += sum(1 for text in chat.acknowledged if not times[text])
    found.doubled += sum(count - 1 for count in times.values())
    found.out_of_order += [text for text in mine if text in set(chat.acknowledged)] != chat.acknowledged
    numbers = [line["seq"] for line in lines]
    found.gaps += numbers != list(range(1, len(numbers) + 1))
    return Counter(str(line["text"]) for line in lines if line["role"] == "confidant")


def _without_handoff(place: Place) -> int:
    """Chats that nobody is called for. A confidant gives back what was taken: every one is open."""
    engine = sa.create_engine(place.url)
    has = sa.exists().where(handoff.c.conversation_id == conversation.c.id, handoff.c.state.in_(("waiting", "claimed")))
    with engine.connect() as tx:
        count = tx.execute(sa.select(sa.func.count()).select_from(conversation).where(~has)).scalar_one()
    engine.dispose()
    return int(count)
