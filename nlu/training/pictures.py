"""The pictures of the model card, drawn as SVG: which intent is taken for which, whether confidence keeps its word, and what
finding more danger costs in false alarms."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

from config.intents import FALLBACK, INTENTS
from nlu.evaluate import Bin

_CELL, _LEFT, _TOP = 24, 210, 210
_STYLE = "font-family:system-ui,sans-serif;font-size:12px;fill:#222"


def confusion_matrix(confusion: Sequence[tuple[str, str, int]]) -> str:
    """Rows are what was meant, columns what was understood; each row is shaded by its share, and holds the counts."""
    counts = {(expected, found): count for expected, found, count in confusion}
    rows = [intent for intent in INTENTS if any(expected == intent for expected, _ in counts)]
    columns = [*INTENTS, FALLBACK]
    width, height = _LEFT + _CELL * len(columns) + 20, _TOP + _CELL * len(rows) + 20
    parts = [_open(width, height, "Confusion matrix: rows are meant, columns are understood")]
    for place, name in enumerate(columns):
        x = _LEFT + place * _CELL + 16
        parts.append(f'<text x="{x}" y="{_TOP - 8}" transform="rotate(-60 {x} {_TOP - 8})">{escape(name)}</text>')
    for line, expected in enumerate(rows):
        y = _TOP + line * _CELL
        total = sum(counts.get((expected, found), 0) for found in columns)
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 16}" text-anchor="end">{escape(expected)}</text>')
        for place, found in enumerate(columns):
            parts.append(_cell(_LEFT + place * _CELL, y, counts.get((expected, found), 0), total, right=expected == found))
    return "\n".join([*parts, "</svg>", ""])


def _cell(x: int, y: int, count: int, total: int, *, right: bool) -> str:
    share = count / total if total else 0.0
    colour = "#1b7a3d" if right else "#b3261e"
    square = f'<rect x="{x}" y="{y}" width="{_CELL}" height="{_CELL}" fill="{colour}" fill-opacity="{share:.2f}" stroke="#ddd"/>'
    if not count:
        return square
    ink = "#fff" if share > 0.6 else "#222"
    return square + f'<text x="{x + _CELL / 2}" y="{y + 16}" text-anchor="middle" style="fill:{ink};font-size:11px">{count}</text>'


def reliability_curve(bins: Sequence[Bin]) -> str:
    """Each dot is a group of answers: how sure the reader was (across) and how often it was right (up); bigger is more."""
    size, edge = 360, 50
    parts = [_open(size + 2 * edge, size + 2 * edge, "Reliability: how sure against how often right")]
    parts.append(f'<rect x="{edge}" y="{edge}" width="{size}" height="{size}" fill="none" stroke="#999"/>')
    parts.append(f'<line x1="{edge}" y1="{edge + size}" x2="{edge + size}" y2="{edge}" stroke="#999" stroke-dasharray="4 4"/>')
    for tenth in range(0, 11, 2):
        place = size * tenth / 10
        parts.append(f'<text x="{edge + place}" y="{edge + size + 18}" text-anchor="middle">{tenth / 10:.1f}</text>')
        parts.append(f'<text x="{edge - 8}" y="{edge + size - place + 4}" text-anchor="end">{tenth / 10:.1f}</text>')
    most = max((bar.examples for bar in bins), default=1)
    for bar in bins:
        x, y = edge + size * bar.confidence, edge + size * (1 - bar.accuracy)
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{4 + 10 * bar.examples / most:.1f}" fill="#1b5e9c" fill-opacity="0.75"/>'
        )
    parts.append(f'<text x="{edge + size / 2}" y="{2 * edge + size - 10}" text-anchor="middle">confidence</text>')
    parts.append(f'<text x="{edge}" y="{edge - 12}">right</text>')
    return "\n".join([*parts, "</svg>", ""])


def trade_off_curve(points: Sequence[tuple[float, float, float]], chosen: float) -> str:
    """Each dot is a value of `acute_from`: false alarms (across, to 15 %) against danger found (up, from 50 %); filled: in use."""
    size, edge, widest, lowest = 360, 60, 0.15, 0.5
    parts = [_open(size + 2 * edge, size + 2 * edge, "Trade-off: false alarms against danger found")]
    parts.append(f'<rect x="{edge}" y="{edge}" width="{size}" height="{size}" fill="none" stroke="#999"/>')
    for step in range(6):
        place = size * step / 5
        parts.append(f'<text x="{edge + place}" y="{edge + size + 18}" text-anchor="middle">{widest * step / 5:.0%}</text>')
        up = lowest + (1 - lowest) * step / 5
        parts.append(f'<text x="{edge - 8}" y="{edge + size - place + 4}" text-anchor="end">{up:.0%}</text>')
    for threshold, alarms, recall in points:
        if alarms > widest or recall < lowest:
            continue
        x, y = edge + size * alarms / widest, edge + size * (1 - (recall - lowest) / (1 - lowest))
        fill = "#1b5e9c" if threshold == chosen else "none"
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" fill="{fill}" stroke="#1b5e9c" stroke-width="2"/>')
        if threshold == chosen or round(threshold * 100) % 10 == 0:
            parts.append(f'<text x="{x + 10:.1f}" y="{y + 14:.1f}">{threshold:.2f}</text>')
    parts.append(f'<text x="{edge + size / 2}" y="{2 * edge + size - 16}" text-anchor="middle">false alarms</text>')
    parts.append(f'<text x="{edge}" y="{edge - 14}">danger found</text>')
    return "\n".join([*parts, "</svg>", ""])


def _open(width: int, height: int, title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" style="{_STYLE}">'
        f'<title>{escape(title)}</title><rect width="{width}" height="{height}" fill="#fff"/>'
    )
