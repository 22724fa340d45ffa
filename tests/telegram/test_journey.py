"""The main job on Telegram, on both databases: a child writes, the bot answers, a human takes over, words both ways, it ends."""

from __future__ import annotations

from handoff import confidant
from handoff.queue import handoffs
from handoff.queue.handoffs import Outcome
from tests.make import CITY, look
from tests.telegram.rig import Rig

KID = 4_512_345_678


def test_a_child_on_telegram_meets_the_same_bot_and_the_same_human(bot_on_both: Rig) -> None:
    bot = bot_on_both
    house, api = bot.house, bot.api
    sanne = house.confidant("sanne")
    run, write, now = house.runtime, house.runtime.store.write, house.clock

    api.writes(KID, f"/start {CITY}")
    assert bot.poll() == 1
    (waiting,) = write(handoffs.all_waiting).result()
    assert waiting.municipality_id == CITY, "the handoff is open after the first update"
    assert bot.deliver() == 3
    first, opener, handoff_words = api.texts(KID)
    assert "112" in first
    assert "0800-0432" in first
    assert "computer" in first
    assert f"/{CITY}" in opener, "one sentence says that the page is more private, with its address"
    assert "mens" in handoff_words
    assert api.sent[0].asked["disable_notification"] is True
    assert api.sent[0].asked["protect_content"] is True
    assert api.sent[0].asked["link_preview_options"] == {"is_disabled": True}
    assert ["Ik wil een mens", "Ik ben nu in gevaar"] in api.sent[-1].keyboard

    house.clock.turn(seconds=10)
    api.writes(KID, "mn vader slaat me")
    api.writes(KID, "ik ben bang")
    bot.poll()
    bot.deliver()
    write(lambda tx: confidant.claim(tx, run, sanne, waiting.id, now())).result()
    opened = write(lambda tx: look(tx, run, sanne, waiting.id, now())).result()
    assert [line.text for line in opened.lines if line.role == "child"] == ["/start", "mn vader slaat me", "ik ben bang"]
    assert opened.channel.name == "telegram"

    write(lambda tx: confidant.write(tx, run, sanne, waiting.id, external_id="c1", text="Hoi, ik ben er.", now=now())).result()
    house.clock.turn(seconds=10)
    bot.deliver()
    assert api.texts(KID)[-2].find("Sanne") > 0
    assert api.texts(KID)[-1] == "Hoi, ik ben er."
    api.writes(KID, "dank je")
    bot.poll()
    assert bot.deliver() == 0, "the bot is silent while a human is there"
    seen = write(lambda tx: look(tx, run, sanne, waiting.id, now())).result()
    assert set(seen.states.values()) == {"delivered"}
    assert seen.lines[-1].text == "dank je"

    write(lambda tx: confidant.close(tx, run, sanne, waiting.id, Outcome.TALKED, now())).result()
    house.clock.turn(seconds=10)
    bot.deliver()
    assert "gesprek" in api.texts(KID)[-1]
