"""From text to counted n-grams, exactly as Rasa 3.6's tokenizer and `CountVectorsFeaturizer` do it (scikit-learn inside).

The `regex` package splits, as in Rasa: the standard `re` differs on combining marks. Counting uses `re`, as scikit-learn does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import regex

from nlu.concepts import concept_tokens
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


@dataclass(frozen=True, slots=True)
class Counter:
    """One trained `CountVectorsFeaturizer`: its vocabulary (n-gram to column) and how n-grams are cut.

    With `concepts` it is our own `ConceptFeaturizer`, which counts concept words (`nlu.concepts`).
    """

    vocabulary: Mapping[str, int]
    analyzer: str
    shortest: int
    longest: int
    lowercase: bool
    concepts: bool = False

    def count(self, tokens: list[str]) -> dict[int, int]:
        """How often each known n-gram stands in the message, by column."""
        counted = concept_tokens(tokens) if self.concepts else tokens
        joined = " ".join(self._plain(token) for token in counted)
        found: dict[int, int] = {}
        for ngram in self.ngrams(joined):
            column = self.vocabulary.get(ngram)
            if column is not None:
                found[column] = found.get(column, 0) + 1
        return found

    def ngrams(self, joined: str) -> Iterator[str]:
        """All n-grams of a message whose tokens are joined by spaces."""
        text = joined.lower() if self.lowercase else joined
        if self.analyzer == "word":
            return self._word_ngrams(_WORD.findall(text))
        if self.analyzer == "char_wb":
            return self._char_ngrams_in_words(_SPACES.sub(" ", text))
        return self._char_ngrams(_SPACES.sub(" ", text))

    def _plain(self, token: str) -> str:
        numbered = _NUMBER.sub("__NUMBER__", token)
        return numbered.lower() if self.lowercase else numbered

    def _word_ngrams(self, words: list[str]) -> Iterator[str]:
        for size in range(self.shortest, min(self.longest, len(words)) + 1):
            for start in range(len(words) - size + 1):
                yield words[start] if size == 1 else " ".join(words[start : start + size])

    def _char_ngrams_in_words(self, text: str) -> Iterator[str]:
        for word in text.split():
            padded = f" {word} "
            for size in range(self.shortest, self.longest + 1):
                if size >= len(padded):
                    yield padded  # a short word is counted once, whole
                    break
                for start in range(len(padded) - size + 1):
                    yield padded[start : start + size]

    def _char_ngrams(self, text: str) -> Iterator[str]:
        for size in range(self.shortest, min(self.longest, len(text)) + 1):
            for start in range(len(text) - size + 1):
                yield text[start : start + size]
