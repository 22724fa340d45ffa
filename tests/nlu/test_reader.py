# ruff: noqa: ARG002 - engines that do not listen
"""One message read: danger first, the engine within its deadline, and always an answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.intents import FALLBACK, INTENTS, URGENCY_OF, Urgency
from config.languages import LANGUAGES
from nlu.danger import Alarm
from nlu.danger_file import load
from nlu.reader import Reader, Thresholds, clean, decide, understand
from nlu.understanding import Classification, EngineError, Understanding

LIST = load()
SURE = Thresholds(fallback_below=0.3, acute_from=0.4, high_from=0.5)


class Saying:
    """An engine that says one thing of every text, and remembers what it was asked."""

    may_stall = False
    words: frozenset[str] = frozenset()

    def __init__(self, intent: str, confidence: float, **others: float) -> None:
        self.asked: list[str] = []
        self._reading = Classification(intent, confidence, {intent: confidence, **others})

    def classify(self, text: str) -> Classification:
        self.asked.append(text)
        return self._reading


class Failing:
    words: frozenset[str] = frozenset()

    def __init__(self, fault: BaseException, *, may_stall: bool = False) -> None:
        self._fault = fault
        self.may_stall = may_stall

    def classify(self, text: str) -> Classification:
        raise self._fault


class Stuck:
    """Never answers until it is let go; counts how many threads are inside it."""

    may_stall = True
    words: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.threads: set[int] = set()

    def classify(self, text: str) -> Classification:
        self.threads.add(threading.get_ident())
        self.let_go.wait()
        return Classification("greet", 1.0, {"greet": 1.0})


@pytest.fixture
def stuck() -> Iterator[Stuck]:
    engine = Stuck()
    yield engine
    engine.let_go.set()


def test_a_sure_engine_is_believed() -> None:
    found = Reader(LIST, Saying("ask_mayor", 0.9), thresholds=SURE).understand("mag ik de burgemeester spreken")
    assert found == Understanding("ask_mayor", 0.9, Urgency.NORMAL, "nl")


def test_an_unsure_engine_is_a_fallback() -> None:
    found = Reader(LIST, Saying("ask_mayor", 0.2), thresholds=SURE).understand("mag ik de burgemeester spreken")
    assert (found.intent, found.confidence) == (FALLBACK, 0.2)


def test_doubtful_disclosures_together_are_high() -> None:
    engine = Saying("vague_distress", 0.35, disclose_neglect=0.3, disclose_physical_abuse=0.3)
    assert Reader(LIST, engine, thresholds=SURE).understand("thuis is het zo").urgency is Urgency.HIGH


def test_doubtful_danger_together_is_acute() -> None:
    engine = Saying("vague_distress", 0.4, acute_danger=0.25, self_harm_or_suicide=0.25)
    found = Reader(LIST, engine, thresholds=SURE).understand("het is zo erg")
    assert (found.intent, found.urgency) == ("vague_distress", Urgency.ACUTE)


def test_danger_that_is_too_unsure_is_not_named_but_a_human_looks_soon() -> None:
    found = Reader(LIST, Saying("acute_danger", 0.35, greet=0.3), thresholds=SURE).understand("daar is hij")
    assert (found.intent, found.urgency) == (FALLBACK, Urgency.HIGH)


@pytest.mark.parametrize(
    "engine",
    [
        None,
        Failing(EngineError("gone", permanent=False)),
        Failing(EngineError("broken", permanent=True)),
        Failing(RuntimeError("a fault of ours")),
        Failing(MemoryError()),
        Failing(EngineError("gone", permanent=False), may_stall=True),
        Failing(RuntimeError("a fault of ours"), may_stall=True),
        Saying("an_intent_of_another_project", 1.0),
    ],
)
def test_without_a_working_engine_the_danger_words_still_speak(engine: Saying | Failing | None) -> None:
    reader = Reader(LIST, engine)
    assert reader.understand("hoi") == Understanding(FALLBACK, 0.0, Urgency.NORMAL, "nl")
    assert reader.understand("papa heeft een mes").urgency is Urgency.ACUTE
    assert reader.understand("papa heeft een mes").intent == "acute_danger"
    assert reader.understand("ik wil niet meer leven").intent == "self_harm_or_suicide"
    assert reader.understand("mijn vader slaat mij").urgency is Urgency.HIGH


def test_danger_words_win_over_a_sure_engine() -> None:
    found = Reader(LIST, Saying("greet", 0.99)).understand("papa heeft een mes")
    assert (found.intent, found.urgency) == ("acute_danger", Urgency.ACUTE)


def test_danger_words_never_make_an_acute_reading_another_one() -> None:
    found = Reader(LIST, Saying("self_harm_or_suicide", 0.9)).understand("papa heeft een mes")
    assert (found.intent, found.confidence) == ("self_harm_or_suicide", 0.9)


def test_a_stuck_engine_holds_nobody_and_piles_up_no_threads(stuck: Stuck) -> None:
    reader = Reader(LIST, stuck, deadline_s=0.01)
    for _ in range(20):
        assert reader.understand("hoi").intent == FALLBACK
        assert reader.understand("papa heeft een mes").urgency is Urgency.ACUTE
    assert len(stuck.threads) <= 4


def test_an_engine_that_comes_free_again_is_asked_again(stuck: Stuck) -> None:
    reader = Reader(LIST, stuck, deadline_s=0.01)
    for _ in range(6):
        reader.understand("hoi")
    stuck.let_go.set()
    patient = [reader.understand("hoi").intent for _ in range(200)]
    assert patient[-1] == "greet"


def test_another_engine_is_used_from_the_next_message_on() -> None:
    reader = Reader(LIST, Saying("greet", 0.9))
    assert reader.understand("hoi").intent == "greet"
    reader.use(Saying("deny", 0.9), SURE)
    assert reader.understand("hoi").intent == "deny"


@pytest.mark.parametrize("text", ["/restart", "/ ik wil praten", "//praten", "  /greet{}"])
def test_a_leading_slash_is_plain_text(text: str) -> None:
    engine = Saying("ask_human", 0.9)
    Reader(LIST, engine).understand(text)
    assert engine.asked
    assert not engine.asked[0].startswith("/")


@pytest.mark.parametrize("text", ["", " ", "\n\t", "...", "/", "\x00", "?!"])
def test_nothing_to_read_asks_no_engine(text: str) -> None:
    engine = Saying("greet", 1.0)
    assert Reader(LIST, engine).understand(text).intent == FALLBACK
    assert engine.asked == []


@pytest.mark.parametrize("text", ["😭", "😭😭😭", "x" * 4000, "x" * 100_000, "a\x00b", "\ud800\udfff hoi", "\u202e hoi", "e\u0301"])
def test_odd_texts_reach_the_engine_clean(text: str) -> None:
    engine = Saying("greet", 1.0)
    found = Reader(LIST, engine).understand(text)
    assert found.intent == "greet"
    assert len(engine.asked[0]) <= 4000
    engine.asked[0].encode("utf-8")
    assert "\x00" not in engine.asked[0]


@given(st.text(st.characters(codec=None), max_size=400))
def test_any_text_has_an_answer(text: str) -> None:
    found = understand(text, None, LIST)
    assert found.intent in {FALLBACK, *INTENTS}
    assert found.language in LANGUAGES


ALARMS = st.sampled_from([Alarm(), Alarm(Urgency.HIGH, None, ("x",)), Alarm(Urgency.ACUTE, "acute_danger", ("y",))])
RANKINGS = st.dictionaries(st.sampled_from(INTENTS), st.floats(0.001, 1.0), min_size=1)


@given(ALARMS, RANKINGS, st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_understanding_can_only_raise(alarm: Alarm, weights: dict[str, float], fallback: float, acute: float, high: float) -> None:
    """Promise 8: never below what the list says, never below the named intent, and never softer with the list than without."""
    total = sum(weights.values())
    ranking = {name: weight / total for name, weight in weights.items()}
    best = max(ranking, key=lambda name: ranking[name])
    reading = Classification(best, ranking[best], ranking)
    thresholds = Thresholds(fallback, acute, high)
    found = decide(alarm, reading, "nl", thresholds)
    assert found.urgency >= alarm.urgency
    assert found.urgency >= URGENCY_OF[found.intent]
    assert found.urgency >= decide(Alarm(), reading, "nl", thresholds).urgency


def test_cleaning_keeps_what_a_child_wrote() -> None:
    assert clean("  / mijn vader slaat mij 😭  ") == "mijn vader slaat mij 😭"
