# ruff: noqa: ARG003 - Rasa names the arguments
"""Rasa's side of the child tokenizer: Rasa trains on the same words that the bot reads. Runs in Rasa's Python 3.10 only."""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.tokenizers.tokenizer import Token, Tokenizer
from rasa.shared.nlu.training_data.message import Message

from nlu.featurise import child_tokens


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_TOKENIZER, is_trainable=False)
class ChildTokenizer(Tokenizer):
    """Words as `nlu.text` reads them. A token's place is its place among the plain words, not in the raw text."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Rasa's tokenizer options; none changes how text is split here."""
        return {"intent_tokenization_flag": False, "intent_split_symbol": "_", "token_pattern": None}

    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> ChildTokenizer:
        """Nothing is trained or stored."""
        return cls(config)

    def tokenize(self, message: Message, attribute: str) -> list[Token]:
        """Tokens of one text."""
        tokens, start = [], 0
        for word in child_tokens(message.get(attribute)):
            tokens.append(Token(word, start))
            start += len(word) + 1
        return tokens
