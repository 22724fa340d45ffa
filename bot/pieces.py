"""Cutting a text into the pieces that a channel takes, between words where that is possible."""

from __future__ import annotations


def pieces(text: str, longest: int | None) -> list[str]:
    """The text in pieces of at most `longest` UTF-16 units; None: whole. At least one piece, also of an empty text.

    A half of a surrogate pair becomes a replacement mark: it cannot be sent. What stood around a cut (spaces, a line's end) is
    left out at the beginning of the next piece.
    """
    rest = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    found: list[str] = []
    while longest is not None and _units(rest) > longest:
        end = _fitting(rest, longest)
        cut = max(rest.rfind("\n", 0, end), rest.rfind(" ", 0, end))
        end = cut if cut > end // 2 else end
        found.append(rest[:end])
        rest = rest[end:].lstrip()
    return [*found, rest]


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _fitting(text: str, longest: int) -> int:
    end = min(len(text), longest)
    while _units(text[:end]) > longest:
        end -= 1
    return end
