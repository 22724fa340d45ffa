"""How a child's text becomes words: one way, for the danger list, for training in Rasa and for the carried model.

Runs on Python 3.10 (inside Rasa) and later, with the standard library alone. Pure; keeps nothing of what it reads.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

LONGEST = 4000
"""Characters that are read, before and again after normalising: one character can stand for eighteen. What follows is ignored."""

_MOST_DECOMPOSED = 4 * LONGEST
"""Characters that are looked at once letters and their accents are apart: room for three accents on each letter."""

STOP = "."
"""The token that stands for the end of a sentence."""

_INVISIBLE = frozenset({"Mn", "Me", "Cf"})  # accents, enclosing marks, zero-width joiners
_SIGNS = "\U0001f170-\U0001f251\U0001f300-\U0001faff\u203c\u2049\u23e9-\u23fa\u2600-\u27bf"
"""Emoji, the squared words (SOS, OK, NEW) and double exclamation marks."""
_TOKEN = re.compile(rf"[^\W_]+|[.!?;\n]+|[{_SIGNS}]")
_EMOJI = re.compile(rf"[{_SIGNS}]")
_APOSTROPHE = re.compile(r"(?<=\w)['’`´‘](?=\w)")
_LOOSE_APOSTROPHE = re.compile(r"['’`´‘]")
_LEET_INSIDE = re.compile(r"(?<=[a-z])[013457@$]{1,2}(?=[a-z])")
_LEET = {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s"}
_LONG_RUN = re.compile(r"([^\W\d_])\1{2,}")
_SPACED = re.compile(r"(?<![^\W_])(?:[^\W\d_][ .\-*]){3,}[^\W\d_](?![^\W_])")
_DOUBLED = re.compile(r"([^\W\d_])\1")

CHAT: Mapping[str, str] = MappingProxyType(
    {
        "mn": "mijn",
        "mun": "mijn",
        "men": "mijn",
        "mijne": "mijn",
        "k": "ik",
        "ikke": "ik",
        "kheb": "ik heb",
        "khep": "ik heb",
        "kben": "ik ben",
        "kga": "ik ga",
        "kwil": "ik wil",
        "kkan": "ik kan",
        "kmoet": "ik moet",
        "kzit": "ik zit",
        "kweet": "ik weet",
        "kwoon": "ik woon",
        "kdurf": "ik durf",
        "kvoel": "ik voel",
        "kwou": "ik wou",
        "kzou": "ik zou",
        "ikwil": "ik wil",
        "ikben": "ik ben",
        "ikheb": "ik heb",
        "nie": "niet",
        "ni": "niet",
        "nit": "niet",
        "niey": "niet",
        "nt": "niet",
        "nx": "niks",
        "nyx": "niks",
        "da": "dat",
        "wa": "wat",
        "zn": "zijn",
        "zun": "zijn",
        "hep": "heb",
        "hb": "heb",
        "ff": "even",
        "ffe": "even",
        "effe": "even",
        "effen": "even",
        "gwn": "gewoon",
        "gwoon": "gewoon",
        "egt": "echt",
        "ech": "echt",
        "eg": "echt",
        "tis": "het is",
        "tgaat": "het gaat",
        "t": "het",
        "n": "een",
        "r": "er",
        "m": "hem",
        "omda": "omdat",
        "omdak": "omdat ik",
        "alsk": "als ik",
        "mss": "misschien",
        "misch": "misschien",
        "wrm": "waarom",
        "wnr": "wanneer",
        "iem": "iemand",
        "zgn": "zogenaamd",
        "aub": "alsjeblieft",
        "svp": "alsjeblieft",
        "pls": "alsjeblieft",
        "plz": "alsjeblieft",
        "please": "alsjeblieft",
        "asjeblieft": "alsjeblieft",
        "alstublieft": "alsjeblieft",
        "ajb": "alsjeblieft",
        "bvd": "bedankt",
        "dnk": "denk",
        "w8": "wacht",
        "sgool": "school",
        "vd": "van de",
        "vh": "van het",
        "int": "in het",
        "opt": "op het",
        "zt": "zit",
        "ent": "en het",
        "tel": "telefoon",
        "tellie": "telefoon",
        "fone": "telefoon",
    }
)
"""Chat words and sounds written as one word, with what they stand for."""


def words(text: str) -> list[str]:
    """Lower-case words in reading order, without accents, chat words written out; `STOP` between sentences.

    Emoji stand alone. Only the first `LONGEST` characters are read. Never raises, whatever the text.
    """
    plain = _plain(text[:LONGEST])
    result: list[str] = []
    for token in _TOKEN.findall(plain):
        if token[0] in ".!?;\n":
            if result and result[-1] != STOP:
                result.append(STOP)
            continue
        if token in CHAT:
            result.extend(CHAT[token].split())
        else:
            result.append(token)
    return result


def has_words(text: str) -> bool:
    """Whether there is anything to read: a letter, a digit or an emoji."""
    return any(word != STOP for word in words(text))


def _plain(text: str) -> str:
    """Lower case, no accents, no apostrophes, no letters drawn out, no digits that stand for letters."""
    if not text.isascii():
        # Loose accents go first: to put thousands of them in order, as normalising does, takes the square of their number.
        plain = "".join(" " if not known(char) else "" if unicodedata.combining(char) else char for char in text)
        decomposed = unicodedata.normalize("NFKD", plain)[:_MOST_DECOMPOSED]
        text = "".join(char for char in decomposed if unicodedata.category(char) not in _INVISIBLE)
    text = text.lower()[:LONGEST]
    if "'" in text or not text.isascii():
        text = _APOSTROPHE.sub("", text)
        text = _LOOSE_APOSTROPHE.sub(" ", text)
    text = _LEET_INSIDE.sub(_letters, text)
    text = _SPACED.sub(lambda match: re.sub(r"[ .\-*]", "", match.group()), text)
    return _LONG_RUN.sub(_shorten_run, text)


def known(char: str) -> bool:
    """Whether every Python agrees on the character: emoji, and what stood in Unicode 3.2 (Python carries that table for ever).

    Rasa's Python 3.10 and the bot's newer one differ in letters that Unicode added in between, and would cut words differently.
    """
    return char < "\u0250" or _EMOJI.match(char) is not None or unicodedata.ucd_3_2_0.category(char) != "Cn"


def _letters(match: re.Match[str]) -> str:
    return "".join(_LEET[digit] for digit in match.group())


def _shorten_run(match: re.Match[str]) -> str:
    """`heeeelp` to `heelp` and `stopppp` to `stop`: only vowels are ever double at the end of a Dutch word."""
    letter = match.group(1)
    return letter * 2 if letter in "aeou" else letter


_SOUNDS: tuple[tuple[str, str], ...] = (
    ("sch", "sg"),
    ("ch", "g"),
    ("ij", "y"),
    ("ei", "y"),
    ("ouw", "au"),
    ("auw", "au"),
    ("ou", "au"),
    ("ie", "i"),
    ("dt", "t"),
    ("td", "t"),
    ("th", "t"),
    ("ph", "f"),
    ("qu", "kw"),
    ("ck", "k"),
)
_ONE_LETTER = str.maketrans({"v": "f", "z": "s", "c": "k", "x": "ks"})


def sound(word: str) -> str:
    """A word as a Dutch child hears it: words that sound alike and are often mixed up get the same key."""
    for written, heard in _SOUNDS:
        if written in word:
            word = word.replace(written, heard)
    word = word.translate(_ONE_LETTER)
    if _DOUBLED.search(word):
        word = _DOUBLED.sub(r"\1", word)
    if word.endswith("en") and len(word) > 3:
        word = word[:-1]
    if word.endswith("d"):
        return word[:-1] + "t"
    return word[:-1] + "p" if word.endswith("b") else word
