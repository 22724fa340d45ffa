"""What Telegram and networks do wrong on the way out: nothing is lost, the order stays, and an end that is final is told."""

from __future__ import annotations

import asyncio

import pytest

from bot.channels.channel import DeliveryFailed
from bot.channels.telegram.channel import TelegramChannel
from bot.channels.telegram.limits import CHAT_BURST, GLOBAL_BURST, RateLimiter
from bot.channels.telegram.polling import Polling
from bot.delivery import deliver_due
from bot.loops import steps
from bot.waiting import tell_waiting
from handoff import confidant
from handoff.chats import outbox
from handoff.queue import handoffs
from tests.make import CITY, House, look, team_id_of
from tests.telegram.bot_api import Fault
from tests.telegram.rig import Rig, arrived, settled
from tests.telegram.rig import rig as make_rig

KID, OTHER = 4_512_345_678, 4_512_345_679


def _begun(bot: Rig, *chats: int) -> None:
    bot.house.confidant("sanne")
    for chat_id in chats or (KID,):
        bot.api.writes(chat_id, f"/start {CITY}")
    bot.poll()


def _claimed(bot: Rig) -> str:
    run, now = bot.house.runtime, bot.house.clock()
    sanne, _ = bot.house.sign_in("sanne")
    (item,) = run.store.write(handoffs.all_waiting).result()
    run.store.write(lambda tx: confidant.claim(tx, run, sanne, item.id, now)).result()
    bot.deliver()
    return item.id


def _write(bot: Rig, text: str) -> None:
    run, now = bot.house.runtime, bot.house.clock()
    sanne, _ = bot.house.sign_in("sanne")
    (item,) = run.store.read(lambda tx: handoffs.held(tx, team_id_of(CITY))).result()
    run.store.write(lambda tx: confidant.write(tx, run, sanne, item.id, external_id=text[:9], text=text, now=now)).result()


def _all_fail(bot: Rig) -> None:
    """Each look at the outbox ends one message for good."""
    for _ in range(3):
        assert bot.deliver() == 0
    assert set(bot.states(KID).values()) == {"failed"}


@pytest.mark.parametrize("kind", ["500", "502", "dropped"])
def test_what_passes_is_tried_again_in_order(bot: Rig, kind: str) -> None:
    _begun(bot)
    bot.api.fail("sendMessage", Fault(kind), Fault(kind))  # type: ignore[arg-type]
    assert bot.deliver() == 0
    assert set(bot.states(KID).values()) == {"waiting"}
    assert bot.deliver() == 0, "not before its time"
    bot.house.clock.turn(seconds=2)
    assert bot.deliver() == 0
    bot.house.clock.turn(seconds=3)
    assert bot.deliver() == 3
    assert "112" in bot.api.texts(KID)[0]
    assert set(bot.states(KID).values()) == {"delivered"}


def test_429_waits_as_long_as_telegram_says_and_does_not_hold_up_others(bot: Rig) -> None:
    _begun(bot, KID, OTHER)
    bot.api.fail("sendMessage", Fault("429", retry_after=30))
    assert bot.deliver() == 3, "the other child is told"
    assert bot.api.texts(KID) == []
    bot.house.clock.turn(seconds=29)
    assert bot.deliver() == 0
    bot.house.clock.turn(seconds=2)
    assert bot.deliver() == 3
    assert len(bot.api.texts(KID)) == 3


def test_blocked_by_the_child_ends_in_a_state_that_the_confidant_sees(bot: Rig) -> None:
    _begun(bot)
    bot.api.blocked.add(KID)
    _all_fail(bot)
    sanne, _ = bot.house.sign_in("sanne")
    run, write, now = bot.house.runtime, bot.house.runtime.store.write, bot.house.clock
    (item,) = write(handoffs.all_waiting).result()
    write(lambda tx: confidant.claim(tx, run, sanne, item.id, now())).result()
    write(lambda tx: confidant.write(tx, run, sanne, item.id, external_id="c1", text="Ben je er nog?", now=now())).result()
    for _ in range(2):
        bot.house.clock.turn(seconds=10)
        bot.deliver()
    seen = write(lambda tx: look(tx, run, sanne, item.id, now())).result()
    assert seen.states[seen.lines[-1].seq] == "failed"


def test_a_chat_that_is_gone_is_permanent_and_a_wrong_token_is_not(bot: Rig) -> None:
    _begun(bot)
    bot.api.chats.clear()
    _all_fail(bot)
    bot.api.writes(KID, "hoi")
    bot.poll()
    bot.client._bot._base_url += "x"
    bot.deliver()
    assert "waiting" in bot.states(KID).values(), "the admin's mistake loses no words"


def test_after_an_outage_the_first_word_comes_within_half_a_minute(bot: Rig) -> None:
    _begun(bot)
    bot.api.down = True
    for _ in range(90):
        bot.deliver()
        bot.house.clock.turn(seconds=1)
    bot.api.down = False
    bot.house.clock.turn(seconds=30)
    assert bot.deliver() == 3


def test_a_wait_that_telegram_asks_for_is_no_failure(bot: Rig) -> None:
    _begun(bot)
    bot.api.fail("sendMessage", *(Fault("429", retry_after=1) for _ in range(8)), Fault("500"))
    for _ in range(9):
        assert bot.deliver() == 0
        bot.house.clock.turn(seconds=1)
    bot.house.clock.turn(seconds=1)
    assert bot.deliver() == 3, "the first failure costs a second, however often we had to wait before"


def test_what_a_dead_process_had_borrowed_is_back_within_a_minute(bot: Rig) -> None:
    _begun(bot, *range(KID, KID + 8))
    run, now = bot.house.runtime, bot.house.clock()
    run.store.write(lambda tx: [outbox.lease(tx, parcel, now) for parcel in outbox.due(tx, "telegram", now)]).result()
    bot.house.clock.turn(seconds=59)
    assert bot.deliver() == 0
    bot.house.clock.turn(seconds=1)
    assert bot.deliver() == 24


def test_chats_that_hang_hold_up_no_other(sqlite_house: House) -> None:
    with make_rig(sqlite_house, timeout=2) as bot:
        _begun(bot, *range(KID, KID + 9))
        bot.api.fail("sendMessage", *(Fault("hang") for _ in range(8)))

        async def play() -> None:
            going = asyncio.create_task(deliver_due(bot.house.runtime, {"telegram": bot.channel}))
            await arrived(bot.api, 3)
            assert not going.done(), "the ninth child has all three while the others still hang"
            assert await going == 3

        bot.run(play())
        bot.house.clock.turn(seconds=2)
        assert bot.deliver() == 24


def test_when_told_to_stop_nothing_new_is_begun(bot: Rig) -> None:
    _begun(bot)
    stop = asyncio.Event()
    stop.set()
    (deliver,) = [step for _, name, step in steps(bot.house.runtime, {"telegram": bot.channel}, stop) if name == "delivery"]

    async def play() -> None:
        await deliver()

    bot.run(play())
    assert bot.api.texts(KID) == []
    assert bot.deliver() == 3


def test_telegram_down_leaves_everything_waiting_until_it_is_back(bot: Rig) -> None:
    _begun(bot)
    bot.api.down = True
    for _ in range(4):
        bot.deliver()
        bot.house.clock.turn(minutes=5)
    with pytest.raises(DeliveryFailed) as fault:
        bot.poll()
    assert not fault.value.permanent
    bot.api.down = False
    assert bot.deliver() == 3


def test_the_loop_goes_on_after_faults_and_stops_at_once_when_told(bot: Rig) -> None:
    bot.house.confidant("sanne")
    bot.api.writes(KID, f"/start {CITY}")
    bot.api.fail("getUpdates", Fault("502"), Fault("429", retry_after=1))

    async def play() -> None:
        stop = asyncio.Event()
        going = asyncio.create_task(Polling(bot.client, bot.updates, seconds=30).run(stop))
        while bot.chat(KID) is None:  # noqa: ASYNC110 - the store's thread has no event of ours
            await asyncio.sleep(0.02)  # another thread's server and its faults come first
        stop.set()
        await asyncio.wait_for(going, 3)

    bot.run(play())
    assert bot.api.calls.count("deletewebhook") == 1


def test_an_answer_that_was_lost_is_sent_again_rather_than_never(bot: Rig) -> None:
    _begun(bot)
    bot.api.fail("sendMessage", Fault("lost_answer"))
    bot.deliver()
    bot.house.clock.turn(seconds=2)
    bot.deliver()
    texts = bot.api.texts(KID)
    assert texts[0] == texts[1], "Telegram has no key to know a repeat by"
    assert len(texts) == 4
    assert set(bot.states(KID).values()) == {"delivered"}


def test_one_chat_gets_a_short_burst_and_then_one_a_second(bot: Rig) -> None:
    _begun(bot)
    bot.deliver()
    for _ in range(4):
        bot.api.writes(KID, "hoi")
    bot.poll()
    sent = [bot.deliver()]
    for _ in range(6):
        bot.house.clock.turn(seconds=1)
        sent.append(bot.deliver())
    assert sent[0] == CHAT_BURST - 3
    assert max(sent[1:]) == 1
    assert bot.slept == [], "nobody else waited for it"


def test_all_chats_together_stay_below_telegrams_limit() -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async def many() -> None:
        limiter = RateLimiter(lambda: 0.0, sleep)
        for chat_id in range(100):
            await limiter.take(chat_id)

    asyncio.run(many())
    assert len(slept) == 100 - GLOBAL_BURST
    assert slept[-1] == pytest.approx((100 - GLOBAL_BURST) / 25)


def test_pieces_that_went_out_are_not_sent_again(bot: Rig) -> None:
    _begun(bot)
    bot.deliver()
    _claimed(bot)
    text = "🙂" * 3000
    bot.house.clock.turn(seconds=10)
    _write(bot, text)
    before = len(bot.api.sent)
    restarted = TelegramChannel(bot.client, bot.channel._limiter)

    async def play() -> None:
        going = asyncio.create_task(deliver_due(bot.house.runtime, {"telegram": bot.channel}))
        await arrived(bot.api, before + 1)
        bot.api.fail("sendMessage", Fault("429", retry_after=1))
        await going

    bot.run(play())
    bot.house.clock.turn(seconds=10)
    bot.run(deliver_due(bot.house.runtime, {"telegram": restarted}))
    assert "".join(bot.api.texts(KID)[before:]) == text, "also by another process"


def test_what_is_said_of_waiting_stays_unsaid_after_the_claim(bot: Rig) -> None:
    _begun(bot)
    bot.deliver()
    bot.api.down = True
    bot.house.clock.turn(minutes=3)
    bot.run(tell_waiting(bot.house.runtime))
    bot.api.writes(KID, "hallo?")
    bot.api.down = False
    bot.poll()
    bot.api.down = True
    bot.deliver()
    before = len(bot.api.sent)
    seen = _claimed(bot)
    bot.api.down = False
    settled(bot)
    said = bot.api.texts(KID)[before:]
    assert len([text for text in said if "Sanne" in text]) == 1
    assert not [text for text in said if "nog geen mens" in text or "leest nog niet" in text or "Er is nu" in text]
    states = bot.states(KID)
    assert "unsaid" in states.values()
    assert "failed" not in states.values(), "nothing failed"
    assert seen


def test_a_human_who_gave_the_child_back_is_not_announced_any_more(bot: Rig) -> None:
    _begun(bot)
    bot.deliver()
    bot.api.down = True
    handoff_id = _claimed(bot)
    run, now = bot.house.runtime, bot.house.clock()
    sanne, _ = bot.house.sign_in("sanne")
    run.store.write(lambda tx: confidant.release(tx, run, sanne, handoff_id, now)).result()
    bot.api.down = False
    settled(bot)
    assert not [text for text in bot.api.texts(KID) if "Sanne" in text]
    assert "ik er weer" in bot.api.texts(KID)[-1]


def test_a_long_answer_of_a_human_goes_in_pieces_that_telegram_takes(bot: Rig) -> None:
    _begun(bot)
    bot.deliver()
    sanne, _ = bot.house.sign_in("sanne")
    run, write, now = bot.house.runtime, bot.house.runtime.store.write, bot.house.clock
    (item,) = write(handoffs.all_waiting).result()
    write(lambda tx: confidant.claim(tx, run, sanne, item.id, now())).result()
    text = "Ik lees wat jij typt. 🙂 " * 300
    write(lambda tx: confidant.write(tx, run, sanne, item.id, external_id="c1", text=text, now=now())).result()
    for _ in range(3):
        bot.house.clock.turn(seconds=10)
        bot.deliver()
    pieces = bot.api.texts(KID)[4:]
    assert len(pieces) == 2
    assert " ".join(pieces).split() == text.split()
