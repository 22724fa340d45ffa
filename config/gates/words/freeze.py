"""Make `nl.txt`: the Dutch words that are common enough for a child's bubble. Run by hand: `python -m config.gates.words.freeze`.

Needs the package wordfreq, which nothing else in the program needs: reading its tables takes half a second and 98 MB, and
another version of it could change what a reviewed script may say. See `docs/decisions/0004-simple-dutch-gate.md`.
"""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path

from wordfreq import iter_wordlist, zipf_frequency

from config.gates.words import COMMON_ZIPF, FILE, WORD

HEADER = f"""\
# Dutch words with a Zipf frequency of at least {COMMON_ZIPF}: once in 100,000 words of Dutch text, or more.
# Source: wordfreq 3.1.1 by Robyn Speer (https://github.com/rspeer/wordfreq), list "large", frozen on 2026-11-22.
# wordfreq's data is available under CC BY-SA 4.0 (https://creativecommons.org/licenses/by-sa/4.0/); so is this list.
# Made by config/gates/words/freeze.py; do not edit: a word that is needed and not here goes to config/dialogue/explained.yml.
"""


def frozen() -> str:
    """The content of the file, words in alphabetical order."""
    words = takewhile(lambda word: zipf_frequency(word, "nl") >= COMMON_ZIPF, iter_wordlist("nl", "large"))
    return HEADER + "".join(f"{word}\n" for word in sorted(words) if WORD.fullmatch(word))


if __name__ == "__main__":
    Path(FILE).write_text(frozen(), encoding="utf-8")
