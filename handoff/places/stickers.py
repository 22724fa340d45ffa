"""The sticker for the door, A6: QR to the child's page, the address in letters, the Kindertelefoon, the mayor's sentence.

SVG and PDF are drawn from one list of shapes, so that they cannot differ. Lengths are millimetres from the top left corner.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from xml.sax.saxutils import escape

import segno
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from config.schema import Helpline, Municipality

WIDTH, HEIGHT = 105.0, 148.0
_MARGIN = 8.0
_QR = 62.0
_INK, _PAPER, _ACCENT = "#1a1a1a", "#ffffff", "#0b5394"
_FONT, _BOLD = "Helvetica", "Helvetica-Bold"
_POINT = 25.4 / 72


@dataclass(frozen=True, slots=True)
class Rect:
    """A filled rectangle."""

    x: float
    y: float
    width: float
    height: float
    colour: str


@dataclass(frozen=True, slots=True)
class Text:
    """One centred line; `y` is its baseline, `size` the height of the letter in millimetres."""

    y: float
    size: float
    text: str
    colour: str
    bold: bool = False


Shape = Rect | Text


def address_of(municipality: Municipality, origin: str) -> str:
    """The address of the child's page, in full. A printed address of the gemeente itself goes first."""
    return municipality.short_address or f"{origin.rstrip('/')}/{municipality.id}"


def in_letters(address: str) -> str:
    """The address as a child types it."""
    return address.removeprefix("https://").removeprefix("http://").rstrip("/")


def shapes(municipality: Municipality, kindertelefoon: Helpline, origin: str) -> list[Shape]:
    """Everything on the sticker, from the back to the front. Raises `ValueError` when the address is too long to print."""
    address = address_of(municipality, origin)
    free = " (gratis)" if kindertelefoon.cost == "free" else ""
    drawn: list[Shape] = [
        Rect(0, 0, WIDTH, HEIGHT, _PAPER),
        Rect(0, 0, WIDTH, 27, _ACCENT),
        _fit(12.5, 8.0, "Praat erover", _PAPER, bold=True),
        _fit(21.5, 4.6, "Kindermishandeling, praat erover.", _PAPER),
    ]
    drawn += _qr(address, top=31.0)
    drawn += [
        _fit(99.5, 4.4, "Scan, of ga naar", _INK),
        _fit(107.0, 6.0, in_letters(address), _INK, bold=True),
        Rect(_MARGIN, 111.5, WIDTH - 2 * _MARGIN, 0.5, _ACCENT),
        _fit(120.5, 5.6, f"{kindertelefoon.name} {kindertelefoon.number}{free}", _INK, bold=True),
        _fit(128.0, 4.6, "of neem contact op met de burgemeester", _INK),
        _fit(139.5, 4.6, "Gevaar? Bel 112", _INK, bold=True),
    ]
    return drawn


def _fit(y: float, size: float, text: str, colour: str, *, bold: bool = False) -> Text:
    """A line in the wished size, smaller when it would not fit between the margins; under 2.5 mm nobody reads it on a door."""
    width = stringWidth(text, _BOLD if bold else _FONT, size / _POINT) * _POINT
    fitting = min(size, size * (WIDTH - 2 * _MARGIN) / width)
    if fitting < 2.5:
        raise ValueError("the address is too long to print on a sticker: give the gemeente a short_address")
    return Text(y, fitting, text, colour, bold)


def _qr(address: str, top: float) -> Iterator[Rect]:
    """The QR as runs of dark modules, error correction Q: a scratched sticker still works. Quiet zone of four modules."""
    matrix = [list(row) for row in segno.make(address, error="q", micro=False).matrix]
    module = _QR / (len(matrix) + 8)
    left, top = (WIDTH - _QR) / 2 + 4 * module, top + 4 * module
    for y, row in enumerate(matrix):
        x = 0
        while x < len(row):
            run = x
            while run < len(row) and row[run]:
                run += 1
            if run > x:
                yield Rect(left + x * module, top + y * module, (run - x) * module, module, _INK)
            x = max(run, x + 1)


def svg(drawn: list[Shape]) -> str:
    """The sticker as SVG, to the millimetre."""
    body = "".join(_svg_shape(shape) for shape in drawn)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}mm" height="{HEIGHT}mm" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'shape-rendering="crispEdges" font-family="Helvetica, Arial, sans-serif" text-anchor="middle">{body}</svg>\n'
    )


def _svg_shape(shape: Shape) -> str:
    if isinstance(shape, Rect):
        place = f'x="{shape.x:.3f}" y="{shape.y:.3f}" width="{shape.width:.3f}" height="{shape.height:.3f}"'
        return f'<rect {place} fill="{shape.colour}"/>'
    weight = ' font-weight="bold"' if shape.bold else ""
    place = f'x="{WIDTH / 2}" y="{shape.y:.2f}" font-size="{shape.size:.2f}"'
    return f'<text {place} fill="{shape.colour}"{weight}>{escape(shape.text)}</text>'


def pdf(drawn: list[Shape], title: str) -> bytes:
    """The sticker as a one-page PDF of A6."""
    out = BytesIO()
    canvas = Canvas(out, pagesize=(WIDTH * mm, HEIGHT * mm), invariant=True)
    canvas.setTitle(title)
    for shape in drawn:
        canvas.setFillColor(shape.colour)
        if isinstance(shape, Rect):
            canvas.rect(shape.x * mm, (HEIGHT - shape.y - shape.height) * mm, shape.width * mm, shape.height * mm, stroke=0, fill=1)
        else:
            canvas.setFont(_BOLD if shape.bold else _FONT, shape.size * mm)
            canvas.drawCentredString(WIDTH / 2 * mm, (HEIGHT - shape.y) * mm, shape.text)
    canvas.save()
    return out.getvalue()
