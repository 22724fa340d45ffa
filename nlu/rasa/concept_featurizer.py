"""Rasa's side of the concepts: Rasa's own counting, over concept words instead of plain ones. Runs in Rasa's Python 3.10 only."""

from __future__ import annotations

from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.nlu.featurizers.sparse_featurizer.count_vectors_featurizer import CountVectorsFeaturizer
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message

from nlu.concepts import concept_tokens


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=True)
class ConceptFeaturizer(CountVectorsFeaturizer):
    """Options, training and storage are those of `CountVectorsFeaturizer`."""

    def _get_message_tokens_by_attribute(self, message: Message, attribute: str) -> list[str]:
        tokens = super()._get_message_tokens_by_attribute(message, attribute)
        return concept_tokens(tokens) if attribute == TEXT else tokens
