"""From text to counted n-grams, exactly as Rasa 3.6's tokenizer and `CountVectorsFeaturizer` do it (scikit-learn inside).

The `regex` package splits, as in Rasa: the standard `re` differs on combining marks. Counting uses `re`, as scikit-learn does.
"""

from __future__ import annotations

import re
from collections import Counter as Tally
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain

import regex

from nlu.concepts import concept_of, concept_tokens
from nlu.text import STOP
from nlu.text import words as words_of

_SPLIT = regex.compile(
    r"[^\w#@&]+(?=\s|$)|"
    r"(\s|^)[^\w#@&]+(?=[^0-9\s])|"
    r"(?<=[^0-9\s])[^\w._~:/?#\[\]()@!$&*+,;=-]+(?=[^0-9\s])"
)
_EMOJI = re.compile(
    "[\U0001f600-\U0001f64f\U0001f300-\U0001f5ff\U0001f680-\U0001f6ff\U0001f1e0-\U0001f1ff"
    "\U00002702-\U000027b0\U000024c2-\U0001f251\u200d\u200c]+"
)
_NUMBER = re.compile(r"\b[0-9]+\b")
_WORD = re.compile(r"(?u)\b\w+\b")
_SPACES = re.compile(r"\s\s+")

NOTHING = "_"
"""The one token of a text without words (a child's tokenizer must give Rasa at least one)."""


def whitespace_tokens(text: str) -> list[str]:
    """As Rasa's `WhitespaceTokenizer`: emoji-only tokens are dropped; if none is left the whole text is one token."""
    tokens = [token for token in _SPLIT.sub(" ", text).split() if not _EMOJI.fullmatch(token)]
    return tokens or [text]


def child_tokens(text: str) -> list[str]:
    """As our own `ChildTokenizer` (`nlu/rasa/child_tokenizer.py`): the words of `nlu.text`, sentence ends left out."""
    return [word for word in words_of(text) if word != STOP] or [NOTHING]


Tokenizer = Callable[[str], list[str]]


class Counter:
    """One trained `CountVectorsFeaturizer`: its vocabulary (n-gram to column) and how n-grams are cut.

    With `concepts` it is our own `ConceptFeaturizer`, which counts concept words (`nlu.concepts`). Words in `remembered` (the
    training data's own) are cut or named once and then known: which of them were used since the start, in no order. Many threads
    may count at once.
    """

    def __init__(
        self,
        vocabulary: Mapping[str, int],
        analyzer: str,
        shortest: int,
        longest: int,
        *,
        lowercase: bool = True,
        concepts: bool = False,
        remembered: Collection[str] = frozenset(),
    ) -> None:
        self.vocabulary = vocabulary
        self._analyzer = analyzer
        self._shortest = shortest
        self._longest = longest
        self._lowercase = lowercase
        self._concepts = concepts
        self._remembered = remembered
        self._cut: dict[str, list[int]] = {}
        self._named: dict[str, str] = {}

    def count(self, tokens: Sequence[str]) -> dict[int, int]:
        """How often each known n-gram stands in the message, by column."""
        joined = " ".join(concept_tokens(tokens, self._name) if self._concepts else tokens)
        numbered = _NUMBER.sub("__NUMBER__", joined)
        text = numbered.lower() if self._lowercase else numbered
        if self._analyzer == "char_wb":
            return Tally(chain.from_iterable(map(self._columns_of, _SPACES.sub(" ", text).split())))
        return Tally(self._known(self.ngrams(text)))

    def ngrams(self, text: str) -> Iterator[str]:
        """All n-grams of a message whose tokens, already lower-cased, are joined by spaces."""
        if self._analyzer == "word":
            return _word_ngrams(_WORD.findall(text), self._shortest, self._longest)
        if self._analyzer == "char_wb":
            return chain.from_iterable(map(self._pieces, _SPACES.sub(" ", text).split()))
        return _char_ngrams(_SPACES.sub(" ", text), self._shortest, self._longest)

    def _known(self, ngrams: Iterable[str]) -> Iterator[int]:
        return (column for column in map(self.vocabulary.get, ngrams) if column is not None)

    def _columns_of(self, word: str) -> list[int]:
        columns = self._cut.get(word)
        if columns is None:
            columns = list(self._known(self._pieces(word)))
            if word in self._remembered:
                self._cut[word] = columns
        return columns

    def _pieces(self, word: str) -> Iterator[str]:
        """The letter groups of one word with a space before and after it."""
        padded = f" {word} "
        for size in range(self._shortest, self._longest + 1):
            if size >= len(padded):
                yield padded  # a short word is counted once, whole
                break
            for start in range(len(padded) - size + 1):
                yield padded[start : start + size]

    def _name(self, word: str) -> str:
        name = self._named.get(word)
        if name is None:
            name = concept_of(word)
            if word in self._remembered:
                self._named[word] = name
        return name


def _word_ngrams(words: Sequence[str], shortest: int, longest: int) -> Iterator[str]:
    for size in range(shortest, min(longest, len(words)) + 1):
        for start in range(len(words) - size + 1):
            yield words[start] if size == 1 else " ".join(words[start : start + size])


def _char_ngrams(text: str, shortest: int, longest: int) -> Iterator[str]:
    for size in range(shortest, min(longest, len(text)) + 1):
        for start in range(len(text) - size + 1):
            yield text[start : start + size]
