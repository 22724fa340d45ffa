"""Many phrases searched at once in the words of a message, in time linear in the message whatever the phrases.

A phrase is a row of cells; every phrase of a list lies in one long bit string, and each word of the message moves all of
them with a few operations on one integer (the Shift-And method with gaps and optional cells). There is no backtracking, so
no phrase that an admin writes can make the bot slow.

How a phrase is written: words apart by spaces. `word` (also spelled by ear), `stem*` (any ending), `a|b` (either), `{group}` (any
word of a group), `x?` (may be left out), `..` (up to three other words), `...` (up to six), `^` (start of a message), `$` (end).
No gap runs over a negation or the end of a sentence, and filler words may stand anywhere inside.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from nlu.text import STOP, sound
from nlu.text import words as words_of

GAPS = {"..": 3, "...": 6}
MAX_CELLS = 24
MOST_ENDS = 8
_SHORTEST_BY_EAR = 4  # shorter words sound like too many others
_STEM_KEY = 3  # letters by which stems are looked up
_SHORTEST_MISSPELLED = 7  # letters, from where one wrong letter is forgiven
_LONGEST_MISSPELLED = 40  # letters, up to where: no Dutch word of the list is longer, and the work grows with the square


_Choice = tuple[frozenset[str], frozenset[str]]  # the words and stems that fit one place


class PhraseError(ValueError):
    """A phrase that cannot be read. The text names the phrase as the admin wrote it."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One place in a phrase: any of `words`, `stems`; or any word at all (`gap`). `optional` cells may be skipped."""

    words: frozenset[str] = frozenset()
    stems: frozenset[str] = frozenset()
    gap: bool = False
    optional: bool = False


_GAP = Cell(gap=True, optional=True)


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase that was read: its cells, and whether it must start or end the message."""

    cells: tuple[Cell, ...]
    at_start: bool = False
    at_end: bool = False


def read_phrase(written: str, groups: Mapping[str, Sequence[str]]) -> Phrase:
    """Read one phrase. Raises `PhraseError` for an unknown group, an empty or overlong phrase, or a loose gap."""
    return PhraseReader(groups).read(written)


class PhraseReader:
    """Reads many phrases that share groups: what stands at one place is worked out once."""

    def __init__(self, groups: Mapping[str, Sequence[str]]) -> None:
        """`groups` may still grow; a group must be there before the first phrase that names it."""
        self._groups = groups
        self._cells: dict[str, Cell] = {}

    def read(self, written: str) -> Phrase:
        """Read one phrase. Raises `PhraseError` for an unknown group, an empty or overlong phrase, or a loose gap."""
        parts = written.split()
        at_start, at_end = parts[:1] == ["^"], parts[-1:] == ["$"]
        cells: list[Cell] = []
        for part in parts[at_start : len(parts) - at_end]:
            cells.extend([_GAP] * GAPS[part] if part in GAPS else [self._cell(part, written)])
        _refuse_useless(cells, written)
        return Phrase(tuple(cells), at_start, at_end)

    def _cell(self, part: str, written: str) -> Cell:
        known = self._cells.get(part)
        if known is not None:
            return known
        options: list[str] = []
        for choice in part.removesuffix("?").split("|"):
            if choice.startswith("{") and choice.endswith("}"):
                if choice[1:-1] not in self._groups:
                    raise PhraseError(f"phrase `{written}`: no group `{choice[1:-1]}`")
                options.extend(self._groups[choice[1:-1]])
            else:
                options.append(choice)
        cell = self._cells[part] = _cell(options, written, optional=part.endswith("?") and len(part) > 1)
        return cell


def _refuse_useless(cells: Sequence[Cell], written: str) -> None:
    if not any(not cell.optional for cell in cells) or cells[0].gap or cells[-1].gap:
        raise PhraseError(f"phrase `{written}`: needs a word, and cannot start or end with a gap")
    if cells[-1].optional or cells[0].optional:
        raise PhraseError(f"phrase `{written}`: the first and last word cannot be left out")
    if len(cells) > MAX_CELLS:
        raise PhraseError(f"phrase `{written}`: longer than {MAX_CELLS} places")


def _cell(options: Iterable[str], written: str, *, optional: bool) -> Cell:
    whole: set[str] = set()
    stems: set[str] = set()
    for option in options:
        spelled = _spelled(option.removesuffix("*"))
        if len(spelled) != 1 or spelled[0] == STOP:
            raise PhraseError(f"phrase `{written}`: `{option}` is not one word")
        if option.endswith("*"):
            if len(spelled[0]) < 4:
                raise PhraseError(f"phrase `{written}`: the stem `{option}` is shorter than 4 letters")
            stems.add(spelled[0])
        else:
            whole.add(spelled[0])
    return Cell(frozenset(whole), frozenset(stems), optional=optional)


@lru_cache(maxsize=8192)
def _spelled(option: str) -> tuple[str, ...]:
    """A word of the list as messages are read. Remembered, since groups are named often; only the list's own words come here."""
    return tuple(words_of(option))


@lru_cache(maxsize=8192)
def _sound_of(word: str) -> str:
    """How a word of the list sounds. Remembered, since a word stands at many places; only the list's own words come here."""
    return sound(word)


def _without_one_letter(word: str) -> set[str]:
    return {word[:i] + word[i + 1 :] for i in range(len(word))}


def _join(table: dict[str, int], key: str, bits: int) -> None:
    """Add bits to an entry. The words of one place share one number: a copy of it is a kilobyte."""
    known = table.get(key)
    table[key] = bits if known is None else known | bits


class Heard(dict[str, str]):
    """How the words of one message sound, each worked out once."""

    def __missing__(self, word: str) -> str:
        """Work it out."""
        found = self[word] = sound(word)
        return found


@dataclass(slots=True)
class _Lexicon:
    """Which cells a word fits, as bits: as written, as heard, by its stem, or with one wrong letter."""

    exact: dict[str, int] = field(default_factory=dict)
    heard: dict[str, int] = field(default_factory=dict)
    stems: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    misspelled: dict[str, int] = field(default_factory=dict)
    real: frozenset[str] = frozenset()
    common: frozenset[str] = frozenset()
    remembered: dict[str, int] = field(default_factory=dict)

    def add(self, whole: frozenset[str], stems: frozenset[str], bits: int) -> None:
        """Make all `bits` fit these words and stems."""
        for word in whole:
            _join(self.exact, word, bits)
            key = _sound_of(word)
            if len(word) >= _SHORTEST_BY_EAR:
                _join(self.heard, key, bits)
            if len(key) >= _SHORTEST_MISSPELLED:
                for shorter in {key, *_without_one_letter(key)}:
                    _join(self.misspelled, shorter, bits)
        for stem in stems:
            for key in {stem, _sound_of(stem)}:
                self.stems.setdefault(key[:_STEM_KEY], []).append((key, bits))

    def bits(self, written: str, heard: Heard) -> int:
        """The cells that this word fits. Remembered for `common` words alone: which of them were used, in no order."""
        known = self.remembered.get(written)
        if known is not None:
            return known
        found = self._work_out(written, heard[written])
        if written in self.common:
            self.remembered[written] = found
        return found

    def _work_out(self, written: str, heard: str) -> int:
        found = self.exact.get(written, 0)
        for spelling in {written[:_STEM_KEY], heard[:_STEM_KEY]}:
            for stem, bits in self.stems.get(spelling, ()):
                if written.startswith(stem) or heard.startswith(stem):
                    found |= bits
        if written in self.real:
            return found
        found |= self.heard.get(heard, 0)
        if not found and _SHORTEST_MISSPELLED - 1 <= len(heard) <= _LONGEST_MISSPELLED:
            for shorter in {heard, *_without_one_letter(heard)}:
                found |= self.misspelled.get(shorter, 0)
        return found


@dataclass(frozen=True, slots=True)
class Match:
    """A phrase (by its number) that was found; it ends at word `end` (counted from 0)."""

    phrase: int
    end: int


class PhraseSet:
    """All phrases of a list, compiled. Many threads may search at once."""

    def __init__(
        self,
        phrases: Sequence[Phrase],
        *,
        negations: Iterable[str] = (),
        fillers: Iterable[str] = (),
        real_words: Iterable[str] = (),
    ) -> None:
        """`real_words` are never taken for another word that sounds alike or is one letter away."""
        self._stops = frozenset([STOP, *negations])
        self._fillers = frozenset(fillers)
        self._lexicon = _Lexicon(real=frozenset(real_words), common=frozenset(real_words))
        self._gaps = self._optional = self._start = self._anchored = self._inside = 0
        self._ends: dict[int, int] = {}
        self._ends_last: dict[int, int] = {}
        self._longest_skip = 0
        cells: dict[_Choice, int] = {}
        position = 0
        for number, phrase in enumerate(phrases):
            position = self._lay_out(number, phrase, position, cells)
        for (whole, stems), bits in cells.items():
            self._lexicon.add(whole, stems, bits)
        self._accept = sum(self._ends)
        self._accept_last = sum(self._ends_last)

    def _lay_out(self, number: int, phrase: Phrase, position: int, cells: dict[_Choice, int]) -> int:
        start = 1 << position
        if phrase.at_start:
            self._anchored |= start
        else:
            self._start |= start
        skip = 0
        for offset, cell in enumerate(phrase.cells, 1):
            bit = start << offset
            self._inside |= bit
            if cell.gap:
                self._gaps |= bit
            else:
                same = (cell.words, cell.stems)
                cells[same] = cells.get(same, 0) | bit
            skip = skip + 1 if cell.optional else 0
            self._longest_skip = max(self._longest_skip, skip)
            if cell.optional:
                self._optional |= bit
        last = start << len(phrase.cells)
        self._inside &= ~last
        (self._ends_last if phrase.at_end else self._ends)[last] = number
        return position + len(phrase.cells) + 1

    def remember(self, words: Collection[str]) -> None:
        """Words that are common to everybody: what they fit is worked out once. Never a child's own."""
        self._lexicon.common |= frozenset(words)

    def search(self, words: Sequence[str], heard: Heard | None = None) -> list[Match]:
        """Where phrases end, in reading order; each phrase at its first `MOST_ENDS` ends only. An empty word fits nothing.

        `heard` is shared by searches in the same message, and dropped with it.
        """
        heard = Heard() if heard is None else heard
        found: list[Match] = []
        ends: dict[int, int] = {}
        state = 0
        for index, word in enumerate(words):
            fits = self._lexicon.bits(word, heard) if word else 0
            if state:
                state = self._step(self._skip(state | self._start), word, fits)
            else:  # nothing under way: only first cells can move (they are never gaps)
                state = ((self._start | (self._anchored if index == 0 else 0)) << 1) & fits
                if not state:
                    continue
            hits = state & self._accept
            if index == len(words) - 1:
                hits |= state & self._accept_last
            while hits:
                lowest = hits & -hits
                hits ^= lowest
                number = self._ends[lowest] if lowest in self._ends else self._ends_last[lowest]
                ends[number] = ends.get(number, 0) + 1
                if ends[number] <= MOST_ENDS:
                    found.append(Match(number, index))
        return found

    def _skip(self, state: int) -> int:
        for _ in range(self._longest_skip):
            more = state | ((state << 1) & self._optional)
            if more == state:
                break
            state = more
        return state

    def _step(self, ready: int, word: str, fits: int) -> int:
        moved = (ready << 1) & (fits if word in self._stops else fits | self._gaps)
        return moved | (ready & self._inside) if word in self._fillers else moved
