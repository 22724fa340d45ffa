"""What every channel promises, played on a real database by one child with a phone. A channel that is added brings a `Phone`.

`ChannelContract` is run once for each channel: see `test_contract.py`.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from bot.waiting import tell_waiting
from config.channels import ChannelSpec
from config.intents import FALLBACK, INTENTS
from handoff import confidant
from handoff.accounts.sessions import Unlocked
from handoff.confidant import OpenChat
from handoff.models import conversation, conversation_key, deletion, handoff, key_wrap, message, outbox
from handoff.queue import handoffs
from nlu.understanding import Understanding
from tests import canary
from tests.canary import MARKER
from tests.make import House, look, rows, understood

NUMBERS = ("112", "0800-0432")
LONG = " ".join(f"woord{number}" for number in range(800))


def by_text(text: str) -> Understanding:
    """A child who writes the name of an intent is understood so; everything else is a greeting."""
    return understood(text if text in (*INTENTS, FALLBACK) else "greet", confidence=0.99)


@dataclass(frozen=True)
class Shown:
    """One message on the child's screen."""

    text: str
    buttons: tuple[str, ...] = ()


class Phone(ABC):
    """One child with one channel. Nothing here raises because the server could not take something: a child only looks."""

    spec: ChannelSpec
    house: House

    @abstractmethod
    def write(self, text: str) -> None:
        """Send a message, and let the channel take it if it can."""

    @abstractmethod
    def again(self) -> None:
        """The last message comes once more, as phones and networks do."""

    @abstractmethod
    def screen(self) -> list[Shown]:
        """Everything that stands there from the other side, after all that is due has gone out."""

    @abstractmethod
    def erase(self) -> None:
        """'Wis alles', and all that follows from it."""

    @abstractmethod
    def unreachable(self) -> None:
        """From now on nothing arrives there."""

    @abstractmethod
    def world(self) -> list[Path]:
        """Files of the outside world in the house's folder: the child's own words may stand there."""

    def text(self) -> str:
        """All words on the screen."""
        return "\n".join(shown.text for shown in self.screen())


@contextmanager
def store_away(house: House) -> Iterator[None]:
    """The database is gone for a while (SQLite)."""
    path = house.folder / "praat.db"
    path.rename(path.with_suffix(".away"))
    try:
        yield
    finally:
        path.with_suffix(".away").rename(path)


@contextmanager
def no_handoffs(house: House) -> Iterator[None]:
    """Handoffs cannot be stored for a while."""

    def rename(old: str, new: str) -> None:
        house.runtime.store.write(lambda tx: tx.exec_driver_sql(f"ALTER TABLE {old} RENAME TO {new}").close()).result()

    rename("handoff", "handoff_gone")
    try:
        yield
    finally:
        rename("handoff_gone", "handoff")


@dataclass
class Desk:
    """A confidant at work."""

    house: House
    who: Unlocked
    handoff_id: str = ""
    written: int = field(default=0)

    def claim(self) -> None:
        """Take who waits first."""
        run, now = self.house.runtime, self.house.clock()
        self.handoff_id = run.store.read(lambda tx: handoffs.all_waiting(tx)[0].id).result()
        run.store.write(lambda tx: confidant.claim(tx, run, self.who, self.handoff_id, now)).result()

    def write(self, text: str) -> None:
        """Write to the child."""
        run, now = self.house.runtime, self.house.clock()
        self.written += 1
        send = partial(confidant.write, runtime=run, who=self.who, handoff_id=self.handoff_id, now=now)
        run.store.write(lambda tx: send(tx, external_id=f"c{self.written}", text=text)).result()

    def read(self) -> OpenChat:
        """Open the chat."""
        run, now = self.house.runtime, self.house.clock()
        return run.store.write(lambda tx: look(tx, run, self.who, self.handoff_id, now)).result()

    def child_wrote(self) -> list[str]:
        """The child's words, in order."""
        return [line.text for line in self.read().lines if line.role == "child"]


class ChannelContract:
    """The suite."""

    @pytest.fixture
    def phone(self, sqlite_house: House) -> Iterator[Phone]:
        """A child with this channel."""
        with self.opened(sqlite_house) as phone:
            yield phone

    @pytest.fixture(autouse=True)
    def desk(self, phone: Phone) -> Desk:
        """A confidant of the gemeente that the child writes to."""
        return Desk(phone.house, phone.house.confidant("willem"))

    def opened(self, house: House) -> AbstractContextManager[Phone]:
        """Open the channel on a house that knows its spec."""
        raise NotImplementedError

    def test_the_first_message_is_handed_off(self, phone: Phone, desk: Desk) -> None:
        phone.write("hoi")
        (chat,) = rows(phone.house, conversation)
        assert chat._mapping["channel"] == phone.spec.name
        desk.claim()
        assert desk.child_wrote()[-1] == "hoi"

    def test_the_handoff_and_the_words_are_one_transaction(self, phone: Phone, desk: Desk) -> None:
        phone.write("hoi")
        before = len(rows(phone.house, message))
        with no_handoffs(phone.house):
            phone.write("nog iets")
            assert len(rows(phone.house, message)) == before, "without a handoff no words are taken"
        assert all(number in phone.text() for number in NUMBERS)
        phone.again()
        desk.claim()
        assert desk.child_wrote()[-2:] == ["hoi", "nog iets"]

    def test_the_numbers_are_said(self, phone: Phone) -> None:
        phone.write("hoi")
        assert all(number in phone.text() for number in NUMBERS)
        assert "computer" in phone.text()

    def test_a_repeat_is_one_message(self, phone: Phone) -> None:
        phone.write("hoi")
        seen = phone.screen()
        phone.again()
        phone.again()
        assert phone.screen() == seen
        assert [row._mapping["role"] for row in rows(phone.house, message)].count("child") == 1

    def test_order_is_kept_both_ways(self, phone: Phone, desk: Desk) -> None:
        for number in range(5):
            phone.write(f"kind {number}")
        desk.claim()
        for number in range(5):
            desk.write(f"mens {number}")
        assert desk.child_wrote() == [f"kind {number}" for number in range(5)]
        said = [shown.text for shown in phone.screen() if shown.text.startswith("mens")]
        assert said == [f"mens {number}" for number in range(5)]

    def test_what_arrived_is_told_as_arrived(self, phone: Phone, desk: Desk) -> None:
        phone.write("hoi")
        desk.claim()
        desk.write("Hoi, ik ben er.")
        assert "delivered" not in [desk.read().states[line.seq] for line in desk.read().lines if line.role == "confidant"]
        assert "Hoi, ik ben er." in phone.text()
        states = desk.read().states
        assert [states[line.seq] for line in desk.read().lines if line.role == "confidant"] == ["delivered"]

    def test_what_cannot_arrive_is_told(self, phone: Phone, desk: Desk) -> None:
        phone.write("hoi")
        phone.screen()
        desk.claim()
        phone.unreachable()
        desk.write("Ben je daar?")
        phone.screen()
        opened = desk.read()
        state = opened.states[opened.lines[-1].seq]
        assert (state, opened.gone) == (("failed", True) if phone.spec.capabilities.pushed else ("waiting", False))

    def test_nothing_is_said_when_a_human_speaks(self, phone: Phone, desk: Desk) -> None:
        phone.write("hoi")
        desk.claim()
        seen = phone.screen()
        for intent in ("greet", "acute_danger", "stop_or_delete"):
            phone.write(intent)
            asyncio.run(tell_waiting(phone.house.runtime))
        assert phone.screen() == seen

    def test_erasing_leaves_nothing(self, phone: Phone, desk: Desk) -> None:
        phone.write(MARKER)
        desk.claim()
        desk.write("Hoi, ik ben er.")
        phone.screen()
        phone.erase()
        tables = (conversation, message, handoff, outbox, conversation_key, key_wrap, deletion)
        assert {table.name: len(rows(phone.house, table)) for table in tables} == {table.name: 0 for table in tables}
        phone.again()
        assert rows(phone.house, conversation) == [], "a late repeat brings nothing back"
        if phone.spec.capabilities.deletes_for:
            assert "Hoi, ik ben er." not in phone.text(), "it is gone there too"
        assert all(number in phone.text() for number in NUMBERS), "and who to call is said at the end"

    def test_who_comes_back_through_the_same_door_begins_anew(self, phone: Phone, desk: Desk) -> None:
        phone.write("hoi")
        phone.erase()
        phone.write("ik ben er weer")
        if phone.spec.capabilities.keeps_address:
            desk.claim()
            assert desk.child_wrote() == ["ik ben er weer"]
        else:
            assert rows(phone.house, conversation) == []

    def test_buttons_are_shown_where_they_can_be(self, phone: Phone) -> None:
        phone.write("ask_human")
        shown = [button for one in phone.screen() for button in one.buttons]
        assert bool(shown) is phone.spec.capabilities.buttons

    def test_a_long_text_goes_in_pieces_that_fit(self, phone: Phone, desk: Desk) -> None:
        phone.write("hoi")
        desk.claim()
        seen = len(phone.screen())
        desk.write(LONG)
        pieces = [shown.text for shown in phone.screen()[seen:]]
        longest = phone.spec.capabilities.longest
        assert " ".join(pieces) == LONG
        assert longest is None or all(len(piece.encode("utf-16-le")) // 2 <= longest for piece in pieces)
        assert (len(pieces) > 1) is (longest is not None and longest < len(LONG))

    @pytest.mark.parametrize("intent", ["stop_or_delete", "unsafe_to_chat"])
    def test_no_button_is_named_that_is_not_there(self, phone: Phone, intent: str) -> None:
        for _ in range(3):
            phone.write(intent)
            phone.write("ask_mayor")
        ours = phone.spec.capabilities.own_screen
        assert ("Wis alles" in phone.text() or "Snel weg" in phone.text()) is ours
        assert not (ours and "/wis" in phone.text())

    def test_with_the_database_away_the_numbers_are_there_and_the_words_come_later(self, phone: Phone, desk: Desk) -> None:
        with store_away(phone.house):
            phone.write("hoi")
            assert all(number in phone.text() for number in NUMBERS)
        phone.again()
        desk.claim()
        assert desk.child_wrote() == ["hoi"]

    def test_words_are_in_no_log_and_no_file(
        self, phone: Phone, desk: Desk, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        caplog.set_level(logging.DEBUG)
        phone.write(MARKER)
        with no_handoffs(phone.house):
            phone.write(f"{MARKER} nog eens")
        with store_away(phone.house):
            phone.write(f"{MARKER} en nog eens")
        phone.again()
        desk.claim()
        desk.write(f"{MARKER} terug")
        phone.screen()
        phone.unreachable()
        desk.write(f"{MARKER} weg")
        phone.screen()
        log = phone.house.folder / "everything.log"
        log.write_text(caplog.text + "".join(capfd.readouterr()))
        files = [file for file in phone.house.folder.rglob("*") if file.is_file() and file not in phone.world()]
        assert canary.scan(files) == []
        log.write_text(MARKER)
        assert canary.scan([log]), "the scan finds what is there: the positive control"
