# ruff: noqa: ARG003 - Rasa names the arguments
"""Rasa's side of the weighted classifier: tf-idf and one logistic regression per intent. Runs in Rasa's Python 3.10 only.

Rasa's own `LogisticRegressionClassifier` sees raw counts and fixes the regularisation; the comparison is in
`docs/decisions/0010-nlu-pipeline.md`. Stored as JSON and `.npy` only, so that the bot reads it without unpickling anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.nlu.featurizers.featurizer import Featurizer
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy.sparse import csr_matrix, diags, hstack, vstack
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

from nlu.weighting import ARRAYS, FORMAT, Weights, checked, inverse_document_frequency, to_bytes


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class WeightedClassifier(IntentClassifier, GraphComponent):
    """`C`: how freely it fits. `scale`: the softmax's scale, set by calibration. `tol`: when the fit stops."""

    @classmethod
    def required_components(cls) -> list[type]:
        """It reads the sparse features of the components before it."""
        return [Featurizer]

    @staticmethod
    def required_packages() -> list[str]:
        """scikit-learn comes with Rasa."""
        return ["sklearn"]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Values that the pipeline may override."""
        return {"C": 10.0, "scale": 1.0, "tol": 1e-3, "random_state": 42}

    def __init__(self, config: dict[str, Any], model_storage: ModelStorage, resource: Resource) -> None:
        """Untrained until `train` or `load` has set the weights."""
        self._config = config
        self._storage = model_storage
        self._resource = resource
        self._weights: Weights | None = None

    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> WeightedClassifier:
        """A new, untrained classifier."""
        return cls(config, model_storage, resource)

    def train(self, training_data: TrainingData) -> Resource:
        """Fit one logistic regression per intent on tf-idf, round the weights, store them."""
        examples = [example for example in training_data.intent_examples if example.get(TEXT)]
        blocks = [vstack(rows) for rows in zip(*(list(_blocks(example)) for example in examples), strict=True)]
        idf = np.concatenate([inverse_document_frequency(len(examples), np.asarray((b > 0).sum(axis=0)).ravel()) for b in blocks])
        fit = LogisticRegression(
            C=self._config["C"],
            class_weight="balanced",
            solver="liblinear",
            multi_class="ovr",
            tol=self._config["tol"],
            random_state=self._config["random_state"],
        )
        fit.fit(_weighed(blocks, idf), [example.get(INTENT) for example in examples])
        steps, largest = to_bytes(fit.coef_.T)
        data = {
            "format": FORMAT,
            "intents": list(fit.classes_),
            "blocks": [block.shape[1] for block in blocks],
            "scale": float(self._config["scale"]),
        }
        self._store(data, {"steps": steps, "largest": largest, "idf": idf, "intercept": fit.intercept_.astype(np.float64)})
        return self._resource

    def _store(self, data: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        with self._storage.write_to(self._resource) as folder:
            (folder / "classifier.json").write_text(json.dumps(data))
            for name, array in arrays.items():
                np.save(folder / f"{name}.npy", array, allow_pickle=False)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> WeightedClassifier:
        """A trained classifier from its stored parts."""
        component = cls(config, model_storage, resource)
        with model_storage.read_from(resource) as folder:
            data = json.loads((folder / "classifier.json").read_text())
            arrays = {name: np.load(folder / f"{name}.npy", allow_pickle=False) for name in ARRAYS}
        component._weights = checked(data, arrays)
        return component

    def process(self, messages: list[Message]) -> list[Message]:
        """Set the intent and the ranking of all intents."""
        if self._weights is None:
            raise RuntimeError("the classifier was never trained")
        for message in messages:
            counts = [dict(zip(block.indices.tolist(), block.data.tolist(), strict=True)) for block in _blocks(message)]
            found = (
                self._weights.probabilities(counts) if counts else self._weights.probabilities([{} for _ in self._weights.blocks])
            )
            ranking = sorted(
                ({"name": name, "confidence": float(value)} for name, value in zip(self._weights.intents, found, strict=True)),
                key=lambda entry: -entry["confidence"],
            )
            message.set("intent", ranking[0], add_to_output=True)
            message.set("intent_ranking", ranking, add_to_output=True)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Rasa asks every component to read the training data too."""
        self.process(training_data.training_examples)
        return training_data


def _blocks(message: Message) -> Iterator[csr_matrix]:
    """The sentence features of each featurizer, in the order of the pipeline."""
    for features in message.features:
        if features.attribute == TEXT and features.type == FEATURE_TYPE_SENTENCE and features.is_sparse():
            yield csr_matrix(features.features)


def _weighed(blocks: list[csr_matrix], idf: np.ndarray) -> csr_matrix:
    weighed, offset = [], 0
    for block in blocks:
        frequency = block.astype(np.float64)
        frequency.data = 1.0 + np.log(frequency.data)
        weighed.append(normalize(frequency @ diags(idf[offset : offset + block.shape[1]])))
        offset += block.shape[1]
    return hstack(weighed).tocsr()
