# ruff: noqa: ARG003 - Rasa names the arguments
"""Rasa's side of the spelling correction. Runs in Rasa's Python 3.10 only.

It learns which words the training data has; later it gives each unknown token the known word it most likely is as its lemma, which
is what the featurizers count.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.constants import TOKENS_NAMES
from rasa.nlu.tokenizers.tokenizer import Tokenizer
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.spelling import Speller
from nlu.text import sound


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=True)
class SpellingCorrector(GraphComponent):
    """Stands after the tokenizer and before the featurizers. Has no options."""

    @classmethod
    def required_components(cls) -> list[type]:
        """It reads tokens."""
        return [Tokenizer]

    def __init__(self, model_storage: ModelStorage, resource: Resource, speller: Speller) -> None:
        """`speller` knows no word before training."""
        self._storage = model_storage
        self._resource = resource
        self._speller = speller

    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> SpellingCorrector:
        """A corrector that knows nothing yet."""
        return cls(model_storage, resource, Speller([]))

    def train(self, training_data: TrainingData) -> Resource:
        """Learn and store the words of the training data."""
        counts = Counter(token.text for example in training_data.training_examples for token in _tokens(example))
        words = sorted(counts, key=lambda word: (-counts[word], word))
        with self._storage.write_to(self._resource) as folder:
            known = {"words": words, "sounds": [sound(word) for word in words]}
            (folder / "words.json").write_text(json.dumps(known, ensure_ascii=False), encoding="utf-8")
        return self._resource

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> SpellingCorrector:
        """A corrector with the words it learned."""
        with model_storage.read_from(resource) as folder:
            known = json.loads((folder / "words.json").read_text(encoding="utf-8"))
        return cls(model_storage, resource, Speller(known["words"], known["sounds"]))

    def process(self, messages: list[Message]) -> list[Message]:
        """Give every token its likeliest known word."""
        for message in messages:
            tokens = _tokens(message)
            for token, word in zip(tokens, self._speller.fix([token.text for token in tokens]), strict=True):
                token.lemma = word
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Rasa asks every component to read the training data too; all of its words are known."""
        self.process(training_data.training_examples)
        return training_data


def _tokens(message: Message) -> list[Any]:
    return list(message.get(TOKENS_NAMES[TEXT]) or [])
