"""Reads one message of a child: danger words first, then the language, then the engine. Always an answer, never an exception.

Whatever goes wrong with the engine (absent, damaged, slow, mistaken), the danger words still speak and the intent is
`nlu_fallback`; understanding can only raise the urgency (promise 8).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from config.intents import FALLBACK, URGENCY_OF, Urgency
from nlu.danger import Alarm, DangerList
from nlu.deadline import Helpers, TooLateError
from nlu.language import detect
from nlu.text import LONGEST, STOP, words
from nlu.understanding import Classification, Engine, EngineError, Understanding

DEADLINE_S = 0.2
"""Seconds that an engine may take; then the turn goes on without it."""

QUICK = 400
"""Characters that are read in about half a millisecond."""

_HELPERS = 4
_ACUTE = [intent for intent, urgency in URGENCY_OF.items() if urgency is Urgency.ACUTE]
_HIGH = [intent for intent, urgency in URGENCY_OF.items() if urgency is Urgency.HIGH]
_LIST_CONFIDENCE = 0.95  # what a danger phrase is worth when the engine said something else


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where the engine is believed; all are probabilities, set by `nlu.training.train` on data that the model had not seen.

    Below `fallback_below` the best intent is not named. From `acute_from` on, the probability of the acute intents together
    makes a message acute (below it an acute intent is not named); from `high_from` on, that of the acute and high intents
    together makes it high.
    """

    fallback_below: float = 0.3
    acute_from: float = 0.4
    high_from: float = 0.5


class Reader:
    """What the bot asks. Safe to use from many threads."""

    def __init__(
        self,
        danger: DangerList,
        engine: Engine | None,
        *,
        thresholds: Thresholds | None = None,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._danger = danger
        self._model = (engine, thresholds or Thresholds())  # one pair: a message is never read with half of a new one
        self._remember_common_words()
        self._deadline_s = deadline_s
        self._helpers = Helpers(_HELPERS, name="nlu-engine")

    @property
    def has_engine(self) -> bool:
        """Tell whether there is an engine beside the danger words."""
        return self._model[0] is not None

    def is_quick(self, text: str) -> bool:
        """Tell whether reading this text takes less than handing it to another thread: it waits for no process, and is short."""
        engine, _ = self._model
        return len(text) <= QUICK and (engine is None or not engine.may_stall)

    def use(self, engine: Engine | None, thresholds: Thresholds | None = None) -> None:
        """Take another engine from the next message on (a newly trained model). The caller has loaded and checked it."""
        self._model = (engine, thresholds or self._model[1])
        self._remember_common_words()

    def use_danger(self, danger: DangerList) -> None:
        """Take another danger list from the next message on. The caller has loaded it, and so held it against its examples."""
        self._danger = danger
        self._remember_common_words()

    def _remember_common_words(self) -> None:
        engine, _ = self._model
        if engine is not None:
            self._danger.remember(engine.words)

    def understand(self, text: str) -> Understanding:
        """Read one message within the deadline. Never raises."""
        plain, (engine, thresholds) = clean(text), self._model
        said = words(plain)
        alarm = self._danger.check_words(said)
        language = detect(plain)
        classified = self._classify(engine, plain) if any(word != STOP for word in said) else None
        return decide(alarm, classified, language, thresholds)

    def _classify(self, engine: Engine | None, text: str) -> Classification | None:
        if engine is None:
            return None
        try:
            if not engine.may_stall:
                return engine.classify(text)  # a helper thread would cost more than the answer
            return self._helpers.call(lambda: engine.classify(text), deadline_s=self._deadline_s)
        except (EngineError, TooLateError):
            return None
        except Exception:  # noqa: BLE001 - a faulty engine must never reach the child's turn
            return None


def understand(text: str, engine: Engine | None, danger: DangerList, *, deadline_s: float = DEADLINE_S) -> Understanding:
    """Read one message once. The bot keeps a `Reader` instead, which keeps its helper threads."""
    return Reader(danger, engine, deadline_s=deadline_s).understand(text)


def clean(text: str) -> str:
    """Text that every engine can take: at most `LONGEST` characters, no lone surrogates, no NUL, no leading slash.

    Rasa obeys a message that starts with "/"; for the bot it is plain text.
    """
    shorter = text[:LONGEST].replace("\x00", " ")
    if not shorter.isascii():
        shorter = shorter.encode("utf-8", "replace").decode("utf-8")
    return shorter.lstrip(" \t\r\n/").rstrip()


def decide(alarm: Alarm, classified: Classification | None, language: str, thresholds: Thresholds) -> Understanding:
    """Put the danger list's and the engine's word together. Pure."""
    intent, confidence, urgency = _believe(classified, thresholds)
    if alarm.intent is not None and URGENCY_OF[intent] is not Urgency.ACUTE:
        intent, confidence = alarm.intent, _LIST_CONFIDENCE
    return Understanding(intent, confidence, max(urgency, URGENCY_OF[intent], alarm.urgency), language)


def _believe(classified: Classification | None, thresholds: Thresholds) -> tuple[str, float, Urgency]:
    if classified is None or classified.intent not in URGENCY_OF:
        return FALLBACK, 0.0, Urgency.NORMAL
    urgency = _urgency(classified.ranking, thresholds)
    if URGENCY_OF[classified.intent] is Urgency.ACUTE and urgency is not Urgency.ACUTE:
        return FALLBACK, classified.confidence, Urgency.HIGH  # too unsure to cry danger: a human looks soon
    if classified.confidence < thresholds.fallback_below:
        return FALLBACK, classified.confidence, urgency
    return classified.intent, classified.confidence, urgency


def _urgency(ranking: Mapping[str, float], thresholds: Thresholds) -> Urgency:
    """The urgency of the intents together: three doubtful disclosures are no doubtful alarm."""
    acute = sum([ranking.get(intent, 0.0) for intent in _ACUTE])
    high = sum([ranking.get(intent, 0.0) for intent in _HIGH])
    if acute >= thresholds.acute_from:
        return Urgency.ACUTE
    return Urgency.HIGH if acute + high >= thresholds.high_from else Urgency.NORMAL
