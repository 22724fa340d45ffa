"""The sticker is read back with a reader that is not the generator's library, from the PDF as it would be printed."""

from __future__ import annotations

import re

import numpy as np
import pypdfium2
import pytest
import zxingcpp

from config.schema import Municipality
from handoff.places.stickers import HEIGHT, WIDTH, Rect, in_letters, pdf, shapes, svg
from tests.make import CITY, configuration

ORIGIN = "https://praat.voorbeeldstad.example"


def _city(**changes: object) -> Municipality:
    return configuration().municipalities[CITY].model_copy(update=changes)


def _drawn(city: Municipality | None = None) -> list[object]:
    return list(shapes(city or _city(), configuration().helplines["kindertelefoon"], ORIGIN))


def _page(document: bytes) -> tuple[np.ndarray, str]:
    page = pypdfium2.PdfDocument(document)[0]
    assert [round(size / 72 * 25.4) for size in page.get_size()] == [WIDTH, HEIGHT]
    return page.render(scale=4).to_numpy(), page.get_textpage().get_text_bounded()


@pytest.mark.parametrize("turned", [0, 1, 2, 3])
def test_the_qr_on_the_printed_page_leads_to_the_child(turned: int) -> None:
    picture, _ = _page(pdf(_drawn(), "Sticker"))  # type: ignore[arg-type]
    (code,) = zxingcpp.read_barcodes(np.ascontiguousarray(np.rot90(picture, turned)))
    assert code.text == f"{ORIGIN}/voorbeeldstad"


def test_a_scratched_sticker_still_works() -> None:
    picture, _ = _page(pdf(_drawn(), "Sticker"))  # type: ignore[arg-type]
    height, width = picture.shape[:2]
    scratched = picture.copy()
    scratched[int(height * 0.4) : int(height * 0.42), int(width * 0.25) : int(width * 0.75)] = 255
    (code,) = zxingcpp.read_barcodes(scratched)
    assert code.text == f"{ORIGIN}/voorbeeldstad"


def test_everything_that_must_be_readable_is_there_in_letters() -> None:
    _, text = _page(pdf(_drawn(), "Sticker"))  # type: ignore[arg-type]
    for words in ("praat.voorbeeldstad.example/voorbeeldstad", "Kindertelefoon 0800-0432 (gratis)"):
        assert words in text
    assert "of neem contact op met de burgemeester" in text
    assert "Gevaar? Bel 112" in text


def test_the_svg_has_the_same_shapes_and_words() -> None:
    drawn = _drawn()
    image = svg(drawn)  # type: ignore[arg-type]
    assert image.count("<rect") == sum(isinstance(shape, Rect) for shape in drawn)
    assert "Kindertelefoon 0800-0432 (gratis)" in image
    assert re.search(r"<svg [^>]*viewBox=\"0 0 105.0 148.0\"", image)


def test_a_name_with_markup_stays_text() -> None:
    image = svg(_drawn(_city(short_address="https://a.example/<b>")))  # type: ignore[arg-type]
    assert "<b>" not in image


def test_a_long_address_is_printed_smaller_and_a_hopeless_one_refused() -> None:
    long = "https://praat.gemeente-met-een-lange-naam.example/" + "x" * 20
    picture, text = _page(pdf(_drawn(_city(short_address=long)), "Sticker"))  # type: ignore[arg-type]
    assert in_letters(long) in text
    assert zxingcpp.read_barcodes(picture)[0].text == long
    with pytest.raises(ValueError, match="short_address"):
        _drawn(_city(short_address="https://a.example/" + "x" * 120))
