"""Make the README's pictures from the running product: `.venv/bin/python bench/screenshots.py`. Writes docs/images/*.png."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.browser.chromium import ARGUMENTS, find  # noqa: E402
from tests.journey.server import Server  # noqa: E402
from tests.make import CITY  # noqa: E402

IMAGES = ROOT / "docs" / "images"
DUTCH = {"locale": "nl-NL", "timezone_id": "Europe/Amsterdam"}


def sign_in(page: Page, server: Server, login: str) -> None:
    """With the one-time passphrase, then with the new one that the console shows; then on duty."""
    page.goto(f"{server.console_url}/inloggen")
    page.fill("[name=naam]", login)
    page.fill("[name=wachtzin]", server.logins[login])
    page.keyboard.press("Enter")
    fresh = page.locator("[name=nieuw]")
    fresh.wait_for(state="attached")
    page.fill("[name=wachtzin]", fresh.get_attribute("value") or "")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Ik heb dienst").click()
    expect(page.get_by_role("button", name="Mijn dienst stopt")).to_be_visible()


def play(browser: Browser, server: Server) -> None:
    """A child writes, a confidant reads and answers; a picture of each side."""
    console = browser.new_context(viewport={"width": 1000, "height": 760}, device_scale_factor=2, **DUTCH).new_page()  # type: ignore[arg-type]
    sign_in(console, server, "sanne")
    child = browser.new_context(viewport={"width": 360, "height": 640}, device_scale_factor=2, **DUTCH).new_page()  # type: ignore[arg-type]
    child.goto(f"{server.child_url}/{CITY}")
    child.wait_for_timeout(500)
    child.screenshot(path=IMAGES / "child-first.png")
    child.get_by_role("textbox").fill("ik durf niet naar huis")
    child.get_by_role("button", name="Stuur").click()
    expect(child.get_by_text("Je wacht op een mens")).to_be_visible()
    console.get_by_role("button", name="Overnemen").first.click()
    expect(console.get_by_text("ik durf niet naar huis")).to_be_visible()
    console.locator("textarea").fill("Hoi, ik ben Sanne. Ik lees met je mee.")
    console.keyboard.press("Control+Enter")
    expect(console.get_by_text("aangekomen")).to_be_visible()
    expect(child.get_by_text("Hoi, ik ben Sanne")).to_be_visible()
    child.wait_for_timeout(500)
    child.screenshot(path=IMAGES / "child-chat.png")
    console.screenshot(path=IMAGES / "console-chat.png")


def main() -> None:
    """Start a server on an empty folder and play."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = Server(Path(folder)).start()
        try:
            browser = playwright.chromium.launch(executable_path=find(), args=list(ARGUMENTS))
            play(browser, server)
            browser.close()
        finally:
            server.kill()


if __name__ == "__main__":
    main()
