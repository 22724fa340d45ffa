"""What the bot says on Telegram is true there: no button of our page, one address of the page, codes that lead to one place."""

from __future__ import annotations

import shutil
from pathlib import Path

from bot.channels.registry import SPECS
from config.check import check
from config.load import load
from config.required import requirements
from config.schema import Condition
from tests.make import CONFIG

REQUIRED = requirements(SPECS)
CITY = "municipalities/voorbeeldstad.yml"


def _copy(tmp_path: Path) -> Path:
    folder = tmp_path / "config"
    shutil.copytree(CONFIG, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__", "words"))
    return folder


def _faults(folder: Path) -> list[str]:
    return [fault.message for fault in check(folder, SPECS)]


def test_nothing_that_is_said_on_telegram_names_a_button_of_our_page() -> None:
    configuration = load(CONFIG, SPECS)
    looked_at = 0
    for name in REQUIRED.union.utterances:
        utterance = configuration.script.utterances[name]
        if all(channel.own_screen for channel in REQUIRED.screens_of(name)):
            continue
        for facts in REQUIRED.reachable(name, configuration.helplines):
            if facts[Condition.OWN_SCREEN]:
                continue
            for turn in range(4):
                chosen = utterance.choose(facts, turn)
                assert chosen is not None
                text = utterance.variants[chosen].text
                looked_at += 1
                assert "Snel weg" not in text, name
                assert "Wis alles" not in text, name
                assert "pagina" not in text.casefold() or name in REQUIRED.union.with_page, name
                assert "in het vak" not in text or name == "utter_too_long", "Telegram's own limit is below ours"
    assert looked_at > 500


def test_on_the_page_nothing_names_a_command_of_telegram() -> None:
    for name, utterance in load(CONFIG, SPECS).script.utterances.items():
        for variant in utterance.variants:
            if "/wis" in variant.text or "/stop" in variant.text:
                assert name.startswith("utter_telegram_") or variant.when.get(Condition.OWN_SCREEN) is False, name


def test_a_code_leads_to_one_place_of_one_gemeente(tmp_path: Path) -> None:
    folder = _copy(tmp_path)
    first = folder / CITY
    first.write_text(first.read_text() + "places: {vb_school-1: De Zwaluw}\n")
    assert _faults(folder) == []
    other = folder / "municipalities" / "elders.yml"
    text = first.read_text().replace("id: voorbeeldstad", "id: elders").replace("aliases: [", "aliases: []  # [")
    other.write_text(text)
    assert any("already a code of" in fault for fault in _faults(folder))
    other.write_text(text.replace("vb_school-1", "voorbeeldstad"))
    assert any("already a code of" in fault for fault in _faults(folder)), "a gemeente's own id is a code too"
    other.write_text(text.replace("vb_school-1", "'met spatie'"))
    assert _faults(folder)


def test_a_condition_of_the_other_channel_and_a_page_elsewhere_are_told(tmp_path: Path) -> None:
    folder = _copy(tmp_path)
    file = folder / "dialogue" / "telegram.yml"
    good = file.read_text()
    when = "      condition: [{type: slot, name: own_screen, value: true}]\n      metadata: {act: [next_step]}\n"
    file.write_text(good.replace("      metadata: {act: [next_step]}\n", when))
    assert any("another channel" in fault for fault in _faults(folder))
    file.write_text(good.replace("van {municipality} leest", "van {page} leest"))
    assert any("{page} is filled in only in" in fault for fault in _faults(folder))
