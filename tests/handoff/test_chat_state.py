"""What is remembered of a chat for who opens no message: always as long, locked, and never a reason to refuse a child."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Sequence

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from bot import child
from bot.channels.web.spec import WEBCHAT
from bot.message import Incoming
from bot.turn import take_turn
from config.intents import INTENTS
from handoff.chats import conversation as chats
from handoff.chats.conversation import Door
from handoff.chats.state import NOTHING_SAID, SIZE, ChatState
from handoff.errors import Denied, StoreUnavailable
from handoff.models import REFERENCE_BYTES, STATE_BYTES, conversation, message, outbox
from handoff.wording import Moment, wording_at
from tests.make import CITY, House, first_child, incoming, names_said, rows, said, understood

NAMES = st.sampled_from([f"utter_{n}" for n in range(99)])


def _say(house: House, token: bytes, number: int, intent: str = "greet") -> child.Snapshot:
    text = incoming("nog iets", token=token, external_id=f"m{number}")
    return house.runtime.store.write(lambda tx: child.send(tx, house.runtime, text, understood(intent), house.clock())).result()


def _phone(house: House, number: int, intent: str, address: bytes = b"4512") -> str:
    text = Incoming("telegram", CITY, address, f"m{number}", "hoi", address=address)
    work = house.runtime.store.write(lambda tx: take_turn(tx, house.runtime, text, understood(intent), house.clock()))
    return work.result().chat.id


@given(st.lists(st.lists(NAMES, max_size=6), max_size=40))
def test_it_is_always_as_long_and_comes_back_as_it_was(turns: Sequence[Sequence[str]]) -> None:
    state = NOTHING_SAID
    for names in turns:
        state = state.turn().saying(names).referring([(len(names), 1)])
        assert len(state.pack()) == SIZE
        assert ChatState.unpack(state.pack()) == state
    latest = {name for names in turns[-3:] for name in names}
    for name in latest:
        assert state.said(name, turns=3)
    assert state.said(*turns[-1], turns=1) if turns and turns[-1] else True


def test_it_counts_on_and_the_variants_keep_their_order() -> None:
    state = NOTHING_SAID
    for times in range(600):
        assert all(state.times("utter_greet") % variants == times % variants for variants in (1, 2, 3, 4, 5, 6, 8, 10))
        state = state.saying(["utter_greet"])
        assert ChatState.unpack(state.pack()).said("utter_greet")


def test_of_too_much_the_oldest_is_forgotten_and_too_long_an_opening_is_not_kept_in_part() -> None:
    state = NOTHING_SAID
    for number in range(80):
        state = state.turn().saying([f"utter_{number}"]).referring([(number, 0)])
    assert not state.said("utter_0")
    assert all(state.said(f"utter_{number}") for number in range(20, 80))
    assert state.references is None
    assert ChatState.unpack(state.pack()) == state


@pytest.mark.parametrize("blob", [b"", bytes(SIZE), b"\x01" + bytes(SIZE), b"\x02" + bytes(SIZE - 1)])
def test_anything_else_is_no_state(blob: bytes) -> None:
    with pytest.raises(Denied):
        ChatState.unpack(blob)


def test_every_chat_and_every_message_of_the_bot_is_as_long_as_any_other(house: House) -> None:
    house.confidant("sanne")
    for intent in ("disclose_sexual_abuse", "greet", "adult_own_urges", "nlu_fallback"):
        token = secrets.token_bytes(32)
        for number in range(3):
            _say(house, token, number, intent)
            _phone(house, number, intent, intent.encode())
    states = {(row._mapping["channel"], len(row._mapping["state"])) for row in rows(house, conversation)}
    assert states == {("telegram", STATE_BYTES[0]), ("webchat", STATE_BYTES[1])}
    said_rows = [row._mapping["sealed"] for row in rows(house, message) if row._mapping["role"] == "bot"]
    assert {len(sealed) for sealed in said_rows} == {REFERENCE_BYTES[0]}
    waiting = {row._mapping["channel"]: row._mapping["sealed"] for row in rows(house, outbox)}
    assert waiting["webchat"] is None
    lengths = {len(row._mapping["sealed"]) for row in rows(house, outbox) if row._mapping["sealed"]}
    assert len(lengths) == 1


def test_the_state_of_a_page_s_chat_opens_with_the_token_alone(house: House) -> None:
    """Not with database, configuration and key directory together."""
    house.confidant("sanne")
    token, vault = secrets.token_bytes(32), house.runtime.vault
    here = first_child(house, "disclose_sexual_abuse", token).conversation_id
    chat = house.runtime.store.read(lambda tx: chats.get(tx, here)).result()
    assert chats.key_of_turns(vault, chat, token).open(chat.state).times("utter_disclose_sexual_abuse") == 1
    for other in (None, secrets.token_bytes(32)):
        assert chats.key_of_turns(vault, chat, other).open(chat.state) == NOTHING_SAID
    assert chat.news_state is None


@pytest.mark.parametrize("harm", ["another chat's", "random", "taken away", "put back"])
def test_a_state_that_was_changed_makes_the_bot_repeat_itself_and_no_more(house: House, harm: str) -> None:
    house.confidant("sanne")
    token, other = secrets.token_bytes(32), secrets.token_bytes(32)
    here, there = (first_child(house, "bullying", one).conversation_id for one in (token, other))
    before = {row._mapping["id"]: row._mapping["state"] for row in rows(house, conversation)}
    _say(house, token, 2, "ask_mayor")
    new = {
        "another chat's": before[there],
        "random": secrets.token_bytes(STATE_BYTES[1]),
        "taken away": None,
        "put back": before[here],
    }
    change = conversation.update().where(conversation.c.id == here).values(state=new[harm])
    house.runtime.store.write(lambda tx: tx.execute(change).close()).result()
    answered = _say(house, token, 3, "disclose_neglect")
    assert (answered.state, "utter_disclose_neglect" in names_said(house, here)) == ("waiting", True)
    _say(house, token, 4, "disclose_neglect")
    assert names_said(house, here)[-1] != "utter_disclose_neglect", "and from then on it is remembered again"


def test_nothing_is_taken_while_the_key_directory_is_away_and_nothing_is_forgotten(sqlite_house: House) -> None:
    house, token = sqlite_house, secrets.token_bytes(32)
    house.confidant("sanne")
    first = first_child(house, "greet", token)
    shutil.move(house.folder / "keys", house.folder / "away")
    with pytest.raises(StoreUnavailable):
        _say(house, token, 2, "acute_danger")
    shutil.move(house.folder / "away", house.folder / "keys")
    assert _say(house, token, 2, "acute_danger").state == "waiting"
    assert names_said(house, first.conversation_id).count("utter_acute_danger") == 1


def test_a_line_is_said_in_another_wording_the_next_time(house: House) -> None:
    house.confidant("sanne")
    run = house.runtime
    wording = wording_at(run, Moment(house.clock(), run.channel(WEBCHAT).capabilities, CITY, on_duty=False))
    varied = [one for one in INTENTS if wording.choose(f"utter_{one}", 0) != wording.choose(f"utter_{one}", 1)]
    for intent in varied[:3]:
        token = secrets.token_bytes(32)
        here = first_child(house, intent, token).conversation_id
        _say(house, token, 2, "ask_mayor" if intent != "ask_mayor" else "greet")
        _say(house, token, 3, intent)
        first, second = (one.variant for one in said(house, here) if one.utterance.id == f"utter_{intent}")
        assert first != second


def test_what_was_erased_takes_its_state_along(house: House) -> None:
    house.confidant("sanne")
    token = secrets.token_bytes(32)
    first_child(house, "greet", token)
    house.runtime.store.write(lambda tx: child.erase(tx, house.runtime, Door("webchat", token), house.clock())).result()
    assert house.runtime.store.read(lambda tx: tx.execute(sa.select(conversation.c.state)).all()).result() == []
