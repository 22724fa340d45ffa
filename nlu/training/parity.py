"""Does the carried model say what Rasa says? The texts to ask both, and the comparison."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nlu.evaluate import with_typos
from nlu.model import CarriedModel

TOLERANCE = 1e-6
"""Largest difference in any probability that still counts as the same answer."""

_ALPHABETS = (
    "abcdefghijklmnopqrstuvwxyz ",
    "aeiou 0123456789.,!?'\"-_/#@&()[]",
    "éèëïöüáàâçñßœæĳßİıſKÅ ",
    "\u0300\u0301\u0308\u0327\u20dd\u200b\u200c\u200d\ufeff\u00ad\u2028\u0085\u00a0\u3000 a\n\t",
    "😭😢🔪🩸🚑👨‍👩‍👧🇳🇱1️⃣☎️❤️ ab",
    "пристрій їє допоможіть ",
    "مساعدة کمک می‌ترسم ",
    "ሓግዙኒ ኣቦይ ",
    "你好帮助 救命ヘルプ도와줘 ",
    "𝓱𝓮𝓵𝓹ｈｅｌｐⓗⓔⓛⓟ²³①ªº ",
)


def fuzzed(seeds: Sequence[str], count: int, rng: random.Random) -> list[str]:
    """`count` hostile texts: spoilt sentences, random letters of many scripts, the empty text, and very long ones.

    Without lone surrogates and without a leading slash: the reader takes those out before any engine sees them.
    """
    texts = ["", " ", "\n", ".", "?!", "_", "a" * 4000, "slaat mij " * 400, "😭" * 2000, "\u0301" * 500, "x" * 3999 + "é"]
    while len(texts) < count:
        kind = rng.randrange(4)
        if kind == 0:
            texts.append(with_typos(rng.choice(seeds), rng, rate=0.3))
        elif kind == 1:
            texts.append(_random_text(rng))
        elif kind == 2:
            texts.append(rng.choice(seeds) + _random_text(rng) + rng.choice(seeds).upper())
        else:
            texts.append("".join(chr(_code_point(rng)) for _ in range(rng.randrange(1, 30))))
    return [text for text in texts if not text.strip().startswith("/")]


def _random_text(rng: random.Random) -> str:
    alphabet = rng.choice(_ALPHABETS) + rng.choice(_ALPHABETS)
    return "".join(rng.choice(alphabet) for _ in range(rng.randrange(1, 80)))


def _code_point(rng: random.Random) -> int:
    """Any code point that Unicode had given out when Python 3.10 was made; newer letters differ between the two Pythons."""
    while True:
        point = rng.randrange(0x20, 0x2FFFF)
        if not 0xD800 <= point <= 0xDFFF:
            return point


@dataclass(frozen=True, slots=True)
class Parity:
    """How many texts were compared, how many got another best intent, and the largest difference in any probability."""

    texts: int
    other_intent: int
    largest_difference: float

    @property
    def holds(self) -> bool:
        """Same best intent everywhere, and every probability within `TOLERANCE`."""
        return self.other_intent == 0 and self.largest_difference <= TOLERANCE


def compare(model: CarriedModel, texts: Sequence[str], rankings: Sequence[Mapping[str, float]]) -> Parity:
    """Rasa's rankings against the carried model's, text by text."""
    other, largest = 0, 0.0
    for text, ranking in zip(texts, rankings, strict=True):
        ours = model.classify(text)
        best = max(ranking, key=lambda name: ranking[name])
        # Two intents may be equally likely to the last digit: then either is the same answer.
        if ours.intent != best and abs(ranking[best] - ranking.get(ours.intent, 0.0)) > TOLERANCE:
            other += 1
        largest = max(largest, *(abs(ours.ranking[name] - value) for name, value in ranking.items()))
    return Parity(len(texts), other, largest)
