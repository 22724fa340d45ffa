"""Setting up a phone and coming in with it, as a confidant does: by keyboard, on a phone, and without JavaScript."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from handoff import crypto
from tests.browser.console_desk import DESK, PHONE, Served, faults_of, served
from tests.make import House

pytestmark = pytest.mark.browser


@pytest.fixture
def site(sqlite_house: House, chromium: Browser) -> Iterator[Served]:
    """A console with one confidant."""
    sqlite_house.confidant("sanne")
    with served(sqlite_house, chromium) as made:
        yield made


def _scanned(page: Page) -> str:
    """What a phone reads from the screen."""
    picture = Image.open(io.BytesIO(page.locator("svg.pe-qr").screenshot())).convert("L")
    (code,) = zxingcpp.read_barcodes(np.asarray(picture))
    return str(code.text)


def _looks_right(page: Page, name: str) -> None:
    assert faults_of(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    if folder := os.environ.get("PRAAT_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


@pytest.mark.parametrize(
    "look",
    [{"viewport": PHONE}, {"viewport": DESK, "color_scheme": "dark"}],
    ids=["phone", "dark desk"],
)
def test_a_phone_is_set_up_and_asked_for(site: Served, look: dict[str, Any]) -> None:
    house = site.house
    with site.window("sanne", **look) as page:
        page.get_by_role("link", name="Team").click()
        page.get_by_role("link", name="Tweede stap instellen").click()
        address = _scanned(page)
        assert address.startswith("otpauth://totp/")
        secret = base64.b32decode(page.locator(".pe-secret").inner_text().replace(" ", ""))
        assert f"secret={crypto.totp_text(secret)}" in address
        _looks_right(page, "instellen")
        page.get_by_label("Code", exact=True).fill("000000")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("klopt niet")
        page.get_by_label("Code", exact=True).fill(crypto.totp_code(secret, house.clock().timestamp()))
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Uw herstelcodes")).to_be_visible()
        _looks_right(page, "herstelcodes")
        page.get_by_role("link", name="Ik heb ze bewaard").click()
        expect(page.get_by_role("heading", name="Wachtrij")).to_be_visible()
        page.get_by_role("button", name="Uitloggen").click()
        house.clock.turn(seconds=30)
        page.get_by_label("Inlognaam").fill("sanne")
        page.get_by_label("Wachtzin", exact=True).fill(house.phrases["sanne"])
        page.get_by_role("button", name="Inloggen").click()
        expect(page.get_by_role("heading", name="Code van uw telefoon")).to_be_visible()
        expect(page.get_by_label("Code", exact=True)).to_be_focused()
        expect(page.get_by_role("link", name="Wachtrij")).to_have_count(0)
        _looks_right(page, "code")
        page.keyboard.type(crypto.totp_code(secret, house.clock().timestamp()))
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Wachtrij")).to_be_visible()
