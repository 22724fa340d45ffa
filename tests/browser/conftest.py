"""One Chromium for every browser test of a process; each test opens contexts (private windows) of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.chromium import ARGUMENTS, find


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A headless Chromium. Without one the tests fail with a sentence; they are never skipped in silence."""
    path = find()
    if path is None:
        pytest.fail("No Chromium found: run `python -m tests.browser.chromium`, or set PRAAT_CHROMIUM to its path.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()
