"""The audit: a line before every opening, and a chain that shows what was changed, taken out or cut off, on both databases.

The attacker here writes in the database as they like, also after taking its triggers away; they have not the server's secret.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError
from structlog.testing import capture_logs

from handoff import audit, confidant
from handoff.audit import Finding, Report
from handoff.confidant import LOOK
from handoff.errors import Denied, StoreUnavailable
from handoff.models import APPEND_ONLY, audit_entry, conversation_key
from tests.handoff.desk import desk, new_child, read, write
from tests.make import CITY, House, drop_guards, rows

no = audit_entry.c.no


def _say(house: House, action: str, person_id: str | None = "p") -> None:
    vault, now = house.runtime.vault, house.clock.turn(seconds=1)
    write(house, lambda tx: audit.note(tx, vault, now=now, municipality_id=CITY, person_id=person_id, action=action, object_id="o"))


def _ten(house: House) -> House:
    for number in range(10):
        _say(house, f"deed-{number}")
    return house


def _verify(house: House) -> Report:
    outside = audit.known(house.runtime.vault)
    return read(house, lambda tx: audit.verify(tx, house.runtime.vault, [outside] if outside else []))


def _by_force(house: House, *statements: sa.sql.expression.Executable) -> None:
    """Do this as somebody who owns the database."""

    def work(tx: Connection) -> None:
        drop_guards(tx)
        for statement in statements:
            tx.execute(statement)

    write(house, work)


def test_what_was_written_is_as_it_was_written(house: House) -> None:
    assert _verify(_ten(house)).findings == []
    assert _verify(house).lines == 10


@pytest.mark.parametrize("statement", [audit_entry.update().values(result="ok"), audit_entry.delete()])
def test_the_database_itself_refuses_to_change_or_delete_a_line(house: House, statement: sa.sql.expression.Executable) -> None:
    _say(house, "open")
    with pytest.raises((DatabaseError, StoreUnavailable)):
        write(house, lambda tx: tx.execute(statement))
    assert len(rows(house, audit_entry)) == 1
    assert set(APPEND_ONLY) == {"sqlite", "postgresql"}


def _at(number: int) -> sa.ColumnElement[bool]:
    return no == number


HARM: list[tuple[Callable[[], list[sa.sql.expression.Executable]], list[Finding]]] = [
    (lambda: [audit_entry.update().where(_at(4)).values(person_id="another")], [Finding(4, "changed")]),
    (lambda: [audit_entry.update().where(_at(4)).values(at=datetime(2020, 1, 1, tzinfo=UTC))], [Finding(4, "changed")]),
    (lambda: [audit_entry.update().where(_at(4)).values(object=None)], [Finding(4, "changed")]),
    (lambda: [audit_entry.delete().where(_at(4))], [Finding(5, "missing")]),
    (lambda: [audit_entry.delete().where(no.between(3, 6))], [Finding(7, "missing")]),
    (lambda: [audit_entry.delete().where(no > 7)], [Finding(10, "cut_off")]),
    (lambda: [audit_entry.delete()], [Finding(10, "cut_off")]),
    (
        lambda: [audit_entry.delete().where(_at(10)), audit_entry.update().where(_at(9)).values(no=10)],
        [Finding(10, "missing"), Finding(10, "changed")],
    ),
    (
        lambda: [
            audit_entry.insert().values(
                at=datetime(2020, 1, 1, tzinfo=UTC), municipality_id=CITY, action="open", result="ok", origin="console"
            )
        ],
        [Finding(1, "changed")],
    ),
]


@pytest.mark.parametrize("case", range(len(HARM)))
def test_every_harm_is_found_and_named(house: House, case: int) -> None:
    harm, expected = HARM[case]
    _ten(house)
    _by_force(house, *harm())
    assert _verify(house).findings == expected


def test_an_end_that_was_cut_off_stays_found_however_much_is_written_after_it(house: House) -> None:
    """And every line after it is told in the log: the place outside does not move on from a line that is gone."""
    _ten(house)
    _by_force(house, audit_entry.delete().where(no > 4))
    with capture_logs() as said:
        for number in range(8):
            _say(house, f"later-{number}")
    assert [line["event"] for line in said].count("audit_cut_off") == 8
    assert Finding(10, "changed") in _verify(house).findings


def test_a_place_outside_that_was_written_by_another_is_refused(house: House) -> None:
    _ten(house)
    vault = house.runtime.vault
    known = audit.known(vault)
    assert known is not None
    assert audit.from_text(vault, known.as_text(vault)) == known
    vault.key_files.replace("audit.head", known.as_text(vault).replace("10 ", "4 ", 1).encode())
    with pytest.raises(Denied):
        audit.known(vault)


def test_after_a_restore_on_purpose_the_audit_goes_on(house: House) -> None:
    _ten(house)
    _by_force(house, audit_entry.delete().where(no > 4))
    audit.accept(house.runtime.vault, _verify(house).head)
    _say(house, "audit_accept")
    assert _verify(house).findings == []
    known = audit.known(house.runtime.vault)
    assert known is not None
    assert known.no == 5


def test_a_line_of_work_that_failed_is_in_no_chain(house: House) -> None:
    vault = house.runtime.vault

    def fails(tx: Connection) -> None:
        audit.note(tx, vault, now=house.clock(), municipality_id=CITY, person_id=None, action="x")
        raise Denied

    _say(house, "before")
    with pytest.raises(Denied):
        write(house, fails)
    _say(house, "after")
    assert _verify(house) == Report(2, _verify(house).head, [])


def test_many_writers_at_once_make_one_chain(house: House) -> None:
    vault, now = house.runtime.vault, house.clock()

    def some() -> None:
        for _ in range(5):
            write(house, lambda tx: audit.note(tx, vault, now=now, municipality_id=CITY, person_id=None, action="x"))

    writers = [threading.Thread(target=some) for _ in range(6)]
    for one in writers:
        one.start()
    for one in writers:
        one.join()
    assert _verify(house).findings == []
    assert _verify(house).lines == 30


# a line before every opening


def _openings(house: House) -> int:
    return sum(row.action == "open" and row.result == "ok" for row in rows(house, audit_entry))


def test_a_fragment_alone_is_an_opening_too(house: House) -> None:
    """What the page's script asks for after number 1 opens words as the page does."""
    sanne = house.confidant("sanne")
    child = new_child(house, "mn vader slaat me")
    child.say("en mn broertje ook")
    write(house, lambda tx: confidant.claim(tx, house.runtime, sanne, child.handoff_id, house.clock()))
    with desk(house, "sanne") as browser:
        part = browser.get(f"/gesprek/{child.handoff_id}/deel?na=1", **{"X-Console": "1"})
        assert "en mn broertje ook" in part.text
        assert _openings(house) == 1


def test_one_look_is_one_line_and_the_next_look_is_another(house: House) -> None:
    """A chat that is open while the child goes on writing does not fill the log: a line for each quarter of an hour."""
    sanne = house.confidant("sanne")
    child = new_child(house)
    write(house, lambda tx: confidant.claim(tx, house.runtime, sanne, child.handoff_id, house.clock()))
    with desk(house, "sanne") as browser:
        browser.get(f"/gesprek/{child.handoff_id}")
        for _ in range(4):
            child.say("nog iets")
            house.clock.turn(minutes=3)
            browser.get(f"/gesprek/{child.handoff_id}/deel?na=2", **{"X-Console": "1"})
        assert _openings(house) == 1
        browser.post("/klop")
        house.clock.turn(seconds=LOOK.total_seconds() / 2)
        browser.get(f"/gesprek/{child.handoff_id}/deel?na=2", **{"X-Console": "1"})
        assert _openings(house) == 2


def test_no_key_is_touched_before_the_line_is_committed(house: House) -> None:
    """Not noted, nothing opened: not even the keys are read. And a fault after it leaves the line."""
    sanne = house.confidant("sanne")
    child = new_child(house)
    write(house, lambda tx: confidant.claim(tx, house.runtime, sanne, child.handoff_id, house.clock()))
    with pytest.raises(confidant.NotNoted):
        read(house, lambda tx: confidant.read(tx, house.runtime, sanne, child.handoff_id, house.clock()))
    write(house, lambda tx: tx.execute(conversation_key.update().values(mac=bytes(32))))
    with desk(house, "sanne") as browser:
        assert browser.get(f"/gesprek/{child.handoff_id}").status_code == 409
    assert _openings(house) == 1
    assert [row.result for row in rows(house, audit_entry) if row.action == "open"] == ["ok", "denied"]


def test_nobody_is_written_down_for_a_chat_that_is_not_theirs(house: House) -> None:
    house.confidant("sanne")
    house.confidant("noor")
    child = new_child(house)
    with desk(house, "noor") as browser:
        browser.get(f"/gesprek/{child.handoff_id}")
        browser.get(f"/gesprek/{child.handoff_id}/deel?na=1", **{"X-Console": "1"})
    assert _openings(house) == 0


def test_words_are_opened_for_a_person_in_one_place() -> None:
    """Whoever adds a second place must decide there too that the line comes first."""
    root = Path(__file__).parents[2]
    asking = {
        str(file.relative_to(root))
        for package in ("bot", "handoff")
        for file in (root / package).rglob("*.py")
        if re.search(r"\btranscript\.(lines|read)\(|\.open_(conversation|messages)\(", file.read_text(encoding="utf-8"))
    }
    of_children = {"bot/child.py", "handoff/transcript.py"}
    assert asking - of_children == {"handoff/confidant.py"}
