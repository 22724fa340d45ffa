"""A chat is opened where nobody waits for it: never on SQLite's one connection that writes. What is opened is in the log first."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from handoff.console.pages.chat import LINES
from handoff.models import audit_entry
from tests.bot.web import Site, new_token
from tests.handoff.desk import desk
from tests.make import House, rows


class Trace:
    """What each connection was asked, in order."""

    def __init__(self) -> None:
        self.by_connection: dict[int, list[str]] = {}

    def opens_words(self) -> list[bool]:
        """For each connection that read messages to open them: whether it writes."""
        return [
            any("BEGIN IMMEDIATE" in one for one in asked)
            for asked in self.by_connection.values()
            if any("FROM message" in one and "message.sealed" in one and "ORDER BY message.seq" in one for one in asked)
        ]


@contextmanager
def traced() -> Iterator[Trace]:
    """Every statement that SQLite is asked meanwhile."""
    trace = Trace()

    def listen(connection: sa.Connection) -> None:
        raw: Any = connection.connection.dbapi_connection
        assert isinstance(raw, sqlite3.Connection)
        raw.set_trace_callback(trace.by_connection.setdefault(id(raw), []).append)

    sa.event.listen(sa.Engine, "begin", listen)
    try:
        yield trace
    finally:
        sa.event.remove(sa.Engine, "begin", listen)


@pytest.mark.parametrize("after", [0, 1])
def test_the_whole_chat_that_comes_back_with_a_message_is_opened_after_the_commit(site: Site, after: int) -> None:
    token = new_token()
    site.send(token, "hoi")
    with traced() as trace:
        answer = site.send(token, "ben je daar", message_id="m2", after=after).json()
    assert [line["text"] for line in answer["messages"] if line["role"] == "child"] == ["hoi", "ben je daar"][after:]
    assert trace.opens_words() == [False]
    with traced() as trace:
        again = site.send(token, "ben je daar", message_id="m2", after=after).json()
    assert again["messages"] == answer["messages"]
    assert trace.opens_words() == [False]


def test_a_confidant_opens_a_chat_apart_and_it_is_in_the_log_before_it_is_seen(site: Site) -> None:
    site.send(new_token(), "bekend-woord")
    item = site.claim()
    with desk(site.house, "sanne") as sanne, traced() as trace:
        assert "bekend-woord" in sanne.get(f"/gesprek/{item}").text
    assert trace.opens_words() == [False]
    assert _openings(site.house) == ["ok"]


def test_of_a_long_chat_the_newest_lines_come_first_and_the_older_ones_at_a_press(site: Site) -> None:
    token = new_token()
    site.send(token, "het begin")
    item = site.claim()
    for number in range(LINES):
        site.write(item, f"regel {number}", f"c{number}")
    with desk(site.house, "sanne") as sanne:
        page = sanne.get(f"/gesprek/{item}").text
        assert page.count('class="pe-line pe-line--') == LINES
        assert f"regel {LINES - 1}" in page
        assert "het begin" not in page
        link = re.search(r'id="eerder" href="([^"#]+)', page)
        assert link
        page = sanne.get(link[1]).text
        assert "het begin" in page
        assert 'id="eerder"' not in page
        fresh = sanne.get(f"/gesprek/{item}/deel?na={LINES}").text
        assert 'id="eerder"' not in fresh
        assert sanne.get(f"/gesprek/{item}?regels=veel").text.count('class="pe-line pe-line--') == LINES


def test_who_lost_the_chat_sees_nothing_and_the_log_says_nothing(site: Site) -> None:
    site.house.confidant("noor")
    site.send(new_token(), "bekend-woord")
    item = site.claim()
    with desk(site.house, "noor") as noor:
        assert "bekend-woord" not in noor.get(f"/gesprek/{item}").text
    assert _openings(site.house) == []


def _openings(house: House) -> list[object]:
    return [row._mapping["result"] for row in rows(house, audit_entry) if row._mapping["action"] == "open"]
