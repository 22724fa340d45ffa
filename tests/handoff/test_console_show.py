"""What a confidant sees of a child's exact characters."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.intents import URGENCY_OF
from handoff.console.labels import INTENTS, intent
from handoff.console.rendering import Templates, clock, code, waited
from handoff.display import MAX_ACCENTS, pieces, storable

ANYTHING = st.text(alphabet=st.characters(), max_size=200)
CRUEL = st.text(alphabet="a\u0301\u0336\u202e\u2066\u200b\u200d\ufeff\0\n\r\ud83d\U000e0041é😀", max_size=200)


def _shown(text: str) -> str:
    return "".join(f"[{p.text}]" if p.mark else p.text for p in pieces(text))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("mn vader\nslaat me\t!", "mn vader\nslaat me\t!"),
        ("hoi \u202egnal", "hoi [U+202E]gnal"),
        ("\u2066\u2067\u2068\u2069\u200e\u200f", "[U+2066][U+2067][U+2068][U+2069][U+200E][U+200F]"),
        ("a\u200bb\ufeffc", "a[U+200B]b[U+FEFF]c"),
        ("nul\0 bel\a esc\x1b[31m", "nul[U+0000] bel[U+0007] esc[U+001B][31m"),
        ("half \ud83d paar", "half [U+D83D] paar"),
        ("👩\u200d👧 ❤\ufe0f 👍🏽", "👩\u200d👧 ❤\ufe0f 👍🏽"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("a\u200db", "a[U+200D]b"),
        ("Z" + "\u0336" * 30 + "!", "Z" + "\u0336" * MAX_ACCENTS + "[+26 accenten]!"),
        ("e\u0301e\u0301", "e\u0301e\u0301"),
        ("boven" + "\n" * 50 + "onder", "boven\n\n\n[+47 lege regels]onder"),
        ("slot" + "\n" * 5, "slot\n\n\n[+2 lege regels]"),
        ("\r\nmac\rlijn", "\nmac[U+000D]lijn"),
        ("ሰላም مرحبا Привіт", "ሰላም مرحبا Привіт"),
        ("", ""),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    assert _shown(text) == shown


@given(ANYTHING | CRUEL)
def test_nothing_invisible_or_piled_up_reaches_the_screen(text: str) -> None:
    for piece in pieces(text):
        pile = 0
        for char in piece.text:
            kind = unicodedata.category(char)
            assert kind not in ("Cc", "Cs", "Cn", "Co", "Zl", "Zp") or char in "\n\t", repr(char)
            assert kind != "Cf" or char in "\u200c\u200d", repr(char)
            pile = pile + 1 if kind in ("Mn", "Me") and not "\ufe00" <= char <= "\ufe0f" else 0
            assert pile <= MAX_ACCENTS
    storable(_shown(text)).encode()


@given(ANYTHING)
def test_every_visible_letter_is_still_there(text: str) -> None:
    letters = [c for c in text if unicodedata.category(c)[0] == "L"]
    assert [c for p in pieces(text) if not p.mark for c in p.text if unicodedata.category(c)[0] == "L"] == letters


@given(ANYTHING | CRUEL)
def test_a_page_with_any_text_is_html_that_can_be_sent(text: str) -> None:
    page = Templates()._pages.from_string('{% import "parts.html" as p %}{{ p.words(text) }}').render(text="<i>" + text)
    assert "<i>" not in page
    page.encode()


def test_every_intent_that_the_bot_knows_has_a_dutch_name() -> None:
    assert set(URGENCY_OF) <= set(INTENTS) | {"nlu_fallback"}
    assert intent(None) == intent("nlu_fallback") == intent("<b>") == "niet begrepen"


def test_times_are_amsterdam_and_waiting_is_counted() -> None:
    now = datetime(2026, 11, 22, 22, 30, tzinfo=UTC)
    assert clock(now - timedelta(hours=1), now) == "22:30"
    assert clock(now - timedelta(days=1), now) == "21 nov 23:30"
    assert [waited(now - timedelta(seconds=s), now) for s in (-5, 0, 59, 60, 3599, 3600, 90061)] == [
        "0 s", "0 s", "59 s", "1 min 00 s", "59 min 59 s", "1 u 00 min", "25 u 01 min",
    ]  # fmt: skip
    assert code("-_a-9z_Qx1") == "A9ZQ"
