"""`docs/architecture.md` walks with a child's text: measured here on a real first message, so that the walk cannot age."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import httpx

from nlu.assemble import open_reader
from tests.bot.web import Site, new_token
from tests.make import CITY, house

ROOT = Path(__file__).parent.parent
WALK = (ROOT / "docs" / "architecture.md").read_text("utf-8")
TEXT = "mn vader slaat me elke dag"
ROOMS = ("bot/", "nlu/", "handoff/", "config/")

MOST_FILES = 20
"""Files that a child's text passes on its way in."""


def holds(value: Any, depth: int = 0) -> bool:
    """Whether the child's text stands in a value, or in what it is made of."""
    if isinstance(value, str):
        return TEXT in value
    if isinstance(value, bytes | bytearray):
        return TEXT.encode() in value
    if depth == 2:
        return False
    if isinstance(value, dict):
        return any(holds(part, depth + 1) for part in value.values())
    if isinstance(value, tuple | list):
        return any(holds(part, depth + 1) for part in value)
    return any(holds(getattr(value, name, None), depth + 1) for name in getattr(value, "__dataclass_fields__", ()))


@dataclass
class Walk:
    """Notes which of our files are entered, and which of them are handed the text."""

    entered: set[str] = field(default_factory=set)
    with_text: set[str] = field(default_factory=set)
    on: bool = False

    def step(self, frame: FrameType, event: str, _: Any) -> None:
        """Look at one call (the hook of `sys.setprofile`)."""
        if not self.on or event != "call" or not frame.f_code.co_filename.startswith(f"{ROOT}/"):
            return
        name = frame.f_code.co_filename[len(f"{ROOT}/") :]
        if name.startswith(ROOMS):
            self.entered.add(name)
            if any(holds(value) for value in list(frame.f_locals.values())):
                self.with_text.add(name)


@contextmanager
def walking() -> Iterator[Walk]:
    """Follow every thread that begins in here, and this one."""
    walk = Walk()
    before = sys.getprofile()
    threading.setprofile(walk.step)
    sys.setprofile(walk.step)
    try:
        yield walk
    finally:
        sys.setprofile(before)
        threading.setprofile(None)


def named(heading: str) -> set[str]:
    """The files that a part of the walk names."""
    part = WALK.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    assert part, heading
    return set(re.findall(r"`((?:bot|nlu|handoff|config)/[\w/]+\.py)`", part))


def send_first(site: Site, walk: Walk) -> None:
    """One message over HTTP, as the page sends it."""

    async def work(client: httpx.AsyncClient) -> int:
        walk.on = True
        head = {"authorization": f"Bearer {new_token()}"}
        answer = await client.post(f"/api/{CITY}/messages", json={"id": "m1", "text": TEXT, "after": 0}, headers=head)
        walk.on = False
        return answer.status_code

    assert site.run(work) == 200


def test_the_walk_names_every_file_that_a_childs_text_passes(tmp_path: Path) -> None:
    reader = open_reader().reader
    with walking() as walk, house(tmp_path) as made:
        send_first(Site(made, reader.understand, options={"is_quick": reader.is_quick}), walk)

    inward = named("A child's text in")
    assert walk.with_text <= inward, "name these in docs/architecture.md, or let the text pass them by"
    assert len(walk.with_text) <= MOST_FILES
    assert walk.entered <= inward | named("Asked on the way"), "a first message enters these as well: name them"
