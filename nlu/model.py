"""The carried model: a trained Rasa 3.6 model read in the bot's own process, with the same answers as Rasa and none of its weight.

Only the components below are known; a model with any other component or option is refused with a message that names it,
so that the bot never answers differently from what was tested.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nlu.featurise import Counter, Tokenizer, child_tokens, whitespace_tokens
from nlu.model_file import ModelError, read_array, read_json, read_skops, unpack
from nlu.spelling import Speller
from nlu.understanding import Classification, EngineError
from nlu.weighting import ARRAYS, Weights, checked, softmax

DEFAULT_PATH = Path(__file__).resolve().parent / "models" / "praat.tar.gz"

_RASA = "3.6."
_COUNTS = "rasa.nlu.featurizers.sparse_featurizer.count_vectors_featurizer.CountVectorsFeaturizer"
_CONCEPTS = "nlu.rasa.concept_featurizer.ConceptFeaturizer"
_SPELLING = "nlu.rasa.spelling_corrector.SpellingCorrector"
_LOGISTIC = "rasa.nlu.classifiers.logistic_regression_classifier.LogisticRegressionClassifier"
_WEIGHTED = "nlu.rasa.weighted_classifier.WeightedClassifier"
_TOKENIZERS: Mapping[str, tuple[Tokenizer, Mapping[str, object]]] = {
    "rasa.nlu.tokenizers.whitespace_tokenizer.WhitespaceTokenizer": (
        whitespace_tokens,
        {"intent_tokenization_flag": False, "intent_split_symbol": "_", "token_pattern": None, "prefix_separator_symbol": None},
    ),
    "nlu.rasa.child_tokenizer.ChildTokenizer": (
        child_tokens,
        {"intent_tokenization_flag": False, "intent_split_symbol": "_", "token_pattern": None},
    ),
}
_COUNT_DEFAULTS: Mapping[str, object] = {
    "use_shared_vocab": False,
    "analyzer": "word",
    "strip_accents": None,
    "stop_words": None,
    "min_df": 1,
    "max_df": 1.0,
    "min_ngram": 1,
    "max_ngram": 1,
    "max_features": None,
    "lowercase": True,
    "OOV_token": None,
    "OOV_words": [],
    "use_lemma": True,
}
_COUNT_FREE = {"analyzer", "min_df", "max_df", "min_ngram", "max_ngram", "max_features", "lowercase", "use_lemma"}
# Components that say nothing about plain text: the converter wraps it, the handler obeys "/", which ours never does.
_SILENT = {
    "rasa.graph_components.converters.nlu_message_converter.NLUMessageConverter",
    "rasa.nlu.classifiers.regex_message_handler.RegexMessageHandler",
}

Counts = Sequence[Mapping[int, int]]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Node:
    """One step of Rasa's prediction graph: its class, its options, and the folder its trained part is in."""

    name: str
    uses: str
    config: Mapping[str, Any]
    folder: str | None


class CarriedModel:
    """A trained model as an `Engine`. Many threads may read at once.

    It never waits for anything, and at most `nlu.text.LONGEST` characters reach it: a few milliseconds at worst.
    """

    may_stall = False

    def __init__(
        self,
        tokenize: Tokenizer,
        counters: Sequence[Counter],
        classify: Callable[[Counts], Floats],
        intents: Sequence[str],
        words: frozenset[str],
    ) -> None:
        self._tokenize = tokenize
        self._counters = tuple(counters)
        self._classify = classify
        self.intents = tuple(intents)
        self.words = words
        self.weights: Weights | None = None

    @classmethod
    def load(cls, path: Path = DEFAULT_PATH) -> CarriedModel:
        """Read a model file. Raises `ModelError` saying what is wrong with it and why."""
        files = unpack(path)
        metadata = read_json(files, "metadata.json")
        try:
            nodes = _pipeline(metadata)
            model = _build(nodes, files)
        except (KeyError, TypeError, AttributeError, ValueError) as fault:
            raise ModelError(f"{path.name}: not laid out as Rasa {_RASA}x does it ({fault})") from None
        return model

    def classify(self, text: str) -> Classification:
        """The intents of one text, most likely first. Raises `EngineError` only when numpy itself fails."""
        try:
            found = self._classify(self.counts(text))
        except (MemoryError, FloatingPointError) as fault:
            raise EngineError(f"the carried model failed ({type(fault).__name__})", permanent=False) from None
        order, values = np.argsort(-found, kind="stable").tolist(), found.tolist()
        ranking = {self.intents[index]: values[index] for index in order}
        best = self.intents[order[0]]
        return Classification(best, ranking[best], ranking)

    def counts(self, text: str) -> list[dict[int, int]]:
        """The known n-grams of a text, by featurizer and column (for `nlu.explain`)."""
        tokens = self._tokenize(text.strip())
        return [counter.count(tokens) for counter in self._counters]

    @property
    def counters(self) -> tuple[Counter, ...]:
        """The trained featurizers, in the order of the pipeline."""
        return self._counters


def _pipeline(metadata: Mapping[str, Any]) -> list[_Node]:
    version = str(metadata["rasa_open_source_version"])
    if not version.startswith(_RASA):
        raise ModelError(f"made by Rasa {version}; only {_RASA}x is known")
    nodes = metadata["predict_schema"]["nodes"]
    chain: list[_Node] = []
    name = str(metadata["nlu_target"])
    while name != "__message__":
        node = nodes[name]
        resource = node["resource"]
        chain.append(_Node(name, node["uses"], node["config"], resource and f"components/{resource['name']}/"))
        if len(chain) > len(nodes):
            raise ModelError("the prediction graph runs in a circle")
        name = node["needs"]["messages"]
    return [node for node in reversed(chain) if node.uses not in _SILENT]


def _build(nodes: Sequence[_Node], files: Mapping[str, bytes]) -> CarriedModel:
    if len(nodes) < 3 or nodes[0].uses not in _TOKENIZERS:
        raise ModelError(f"the pipeline must start with one of {', '.join(_TOKENIZERS)}")
    first, *middle, last = nodes
    tokenize, options = _TOKENIZERS[first.uses]
    _refuse_options(first, options, free=set())
    known = _known_words(middle, files)
    if middle[0].uses == _SPELLING:
        tokenize, known = _corrected(tokenize, middle.pop(0), files)
    counters = [_counter(node, files, known) for node in middle]
    columns = [len(counter.vocabulary) for counter in counters]
    if last.uses == _LOGISTIC:
        intents, classify = _logistic(last, files, columns)
        return CarriedModel(tokenize, counters, classify, intents, known)
    if last.uses == _WEIGHTED:
        weights = _weighted(last, files, columns)
        model = CarriedModel(tokenize, counters, weights.probabilities, weights.intents, known)
        model.weights = weights
        return model
    raise ModelError(f"the pipeline ends with {last.uses}, which is not known")


def _refuse_options(node: _Node, defaults: Mapping[str, object], *, free: set[str]) -> None:
    for key, value in node.config.items():
        if key not in free and (key not in defaults or value != defaults[key]):
            raise ModelError(f"{node.name}: the option {key} = {value!r} is not known")


def _corrected(tokenize: Tokenizer, node: _Node, files: Mapping[str, bytes]) -> tuple[Tokenizer, frozenset[str]]:
    """The tokenizer with the correction behind it, and the words that the training data knows."""
    _refuse_options(node, {}, free=set())
    known = read_json(files, f"{node.folder}words.json")
    words, sounds = (_texts(known, key, node) for key in ("words", "sounds"))
    if len(words) != len(sounds):
        raise ModelError(f"{node.name}: {len(words)} words and {len(sounds)} sounds")
    speller = Speller(words, sounds)
    return (lambda text: speller.fix(tokenize(text))), frozenset(words)


def _texts(data: Any, key: str, node: _Node) -> list[str]:
    found = data.get(key) if isinstance(data, dict) else None
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise ModelError(f"{node.name}: its {key} are not a list of texts")
    return found


def _counter(node: _Node, files: Mapping[str, bytes], known: frozenset[str]) -> Counter:
    if node.uses not in {_COUNTS, _CONCEPTS}:
        raise ModelError(f"{node.name} is a {node.uses}, which is not known")
    _refuse_options(node, _COUNT_DEFAULTS, free=_COUNT_FREE)
    config = {**_COUNT_DEFAULTS, **node.config}
    if config["analyzer"] not in {"word", "char", "char_wb"}:
        raise ModelError(f"{node.name}: the analyzer {config['analyzer']!r} is not known")
    if read_json(files, f"{node.folder}oov_words.json"):
        raise ModelError(f"{node.name}: words out of the vocabulary are not known")
    vocabulary = _vocabulary(node, files)
    if not isinstance(vocabulary, dict) or sorted(vocabulary.values()) != list(range(len(vocabulary))):
        raise ModelError(f"{node.name}: the vocabulary's columns are not 0 to {len(vocabulary or ()) - 1}")
    return Counter(
        vocabulary,
        str(config["analyzer"]),
        int(config["min_ngram"]),
        int(config["max_ngram"]),
        lowercase=bool(config["lowercase"]),
        concepts=node.uses == _CONCEPTS,
        remembered=known,
    )


def _vocabulary(node: _Node, files: Mapping[str, bytes]) -> Any:
    return read_json(files, f"{node.folder}vocabularies.json")["text"]


def _known_words(nodes: Sequence[_Node], files: Mapping[str, bytes]) -> frozenset[str]:
    """The words of the training data, as far as a featurizer of plain words kept them."""
    plain = [node for node in nodes if node.uses == _COUNTS and node.config.get("analyzer", "word") == "word"]
    return frozenset(word for node in plain for word in _vocabulary(node, files) if " " not in word)


def _logistic(node: _Node, files: Mapping[str, bytes], columns: Sequence[int]) -> tuple[list[str], Callable[[Counts], Floats]]:
    _refuse_options(node, {}, free={"max_iter", "solver", "tol", "random_state", "ranking_length"})
    if not node.folder:
        raise ModelError(f"{node.name}: was never trained")
    name = f"{node.folder}{node.folder.split('/')[1]}.skops"
    if name not in files:
        raise ModelError(f"the model has no {name}")
    parts = read_skops(files[name], name, "sklearn.linear_model._logistic.LogisticRegression")
    classes, coefficients, intercept = parts["classes_"], parts["coef_"], parts["intercept_"]
    if len(classes) < 3 or parts.get("multi_class") != "auto" or parts.get("solver") == "liblinear":
        raise ModelError(f"{node.name}: only a multinomial model of three or more intents is known")
    if coefficients.shape != (len(classes), sum(columns)) or intercept.shape != (len(classes),):
        raise ModelError(f"{node.name}: the weights {coefficients.shape} do not fit {sum(columns)} columns")
    weights = np.ascontiguousarray(coefficients.T, dtype=np.float64)
    offsets = np.cumsum([0, *columns[:-1]])

    def classify(counts: Counts) -> Floats:
        scores = intercept.astype(np.float64)
        for offset, block in zip(offsets, counts, strict=True):
            if block:
                rows = np.fromiter(block.keys(), dtype=np.int64, count=len(block)) + offset
                scores += np.fromiter(block.values(), dtype=np.float64, count=len(block)) @ weights[rows]
        return softmax(scores)

    return [str(name) for name in classes], classify


def _weighted(node: _Node, files: Mapping[str, bytes], columns: Sequence[int]) -> Weights:
    _refuse_options(node, {}, free={"C", "scale", "tol", "random_state"})
    data = read_json(files, f"{node.folder}classifier.json")
    arrays = {}
    for name in ARRAYS:
        if f"{node.folder}{name}.npy" not in files:
            raise ModelError(f"the model has no {node.folder}{name}.npy")
        arrays[name] = read_array(files[f"{node.folder}{name}.npy"], name)
    try:
        weights = checked(data, arrays)
    except ValueError as fault:
        raise ModelError(f"{node.name}: {fault}") from None
    if list(weights.blocks) != list(columns):
        raise ModelError(f"{node.name}: made for {list(weights.blocks)} columns, the featurizers have {list(columns)}")
    return weights
