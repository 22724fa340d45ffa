"""The notice for children in docs/privacy.md passes the gate that every sentence of the bot passes, and is true of the demo."""

from __future__ import annotations

import re
from pathlib import Path

from config.gates.guard import judge_variant
from config.gates.simple_dutch import judge_text
from config.parse import parse_folder
from config.schema import SpeechAct, Utterance, Variant
from tests.make import CITY, configuration

ROOT = Path(__file__).parents[1]
CONFIG = ROOT / "config"
TEXT = (ROOT / "docs" / "privacy.md").read_text("utf-8")


def notice() -> list[str]:
    """Its paragraphs, each as long as one bubble may be."""
    quoted = [line.removeprefix(">").strip() for line in TEXT.splitlines() if line.startswith(">")]
    return [paragraph for paragraph in "\n".join(quoted).split("\n\n") if paragraph]


def test_a_child_can_read_it() -> None:
    explained = parse_folder(CONFIG).explained
    sentences = [sentence for paragraph in notice() for sentence in re.split(r"(?<=\.)\s+", paragraph)]
    assert len(sentences) == 5
    assert [judge_text(paragraph, explained) for paragraph in notice()] == [[]] * len(notice())


def test_it_promises_nothing_that_the_guard_refuses() -> None:
    for paragraph in notice():
        variant = Variant(text=paragraph, acts=(SpeechAct.CONTROL,))
        assert judge_variant(Utterance(id="utter_privacy", variants=(variant,)), variant) == []


def test_the_days_are_those_of_the_demo_gemeente() -> None:
    (days,) = re.findall(r"Na (\d+) dagen", " ".join(notice()))
    assert int(days) == configuration().municipalities[CITY].retention_days
