"""Confidants in a real browser: the console served by uvicorn in a thread, one private window for each person."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page

from handoff.console.app import console_app
from tests.make import House

ROOT = Path(__file__).parent.parent.parent
PHONE = {"width": 360, "height": 640}
DESK = {"width": 1280, "height": 800}
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"


@dataclass
class Served:
    """A console that listens on `origin`."""

    house: House
    origin: str
    browser: Browser

    @contextmanager
    def window(self, login: str | None = None, **options: Any) -> Iterator[Page]:
        """A private window; with `login`, signed in and looking at the queue. Errors of the page's script fail the test."""
        context = self.browser.new_context(**{"viewport": DESK, "locale": "nl-NL", **options})
        page = context.new_page()
        faults = watch(page)
        try:
            if login:
                self.sign_in(page, login)
            yield page
            assert not faults, faults
        finally:
            context.close()

    def sign_in(self, page: Page, login: str) -> None:
        """Through the form, as a person does."""
        page.goto(f"{self.origin}/inloggen")
        page.get_by_label("Inlognaam").fill(login)
        page.get_by_label("Wachtzin", exact=True).fill(self.house.phrases[login])
        page.get_by_role("button", name="Inloggen").click()
        page.wait_for_url(f"{self.origin}/")


def watch(page: Page) -> list[str]:
    """Everything the browser complains about: script errors, dialogs, and what the content policy refused."""
    faults: list[str] = []

    def read(line: ConsoleMessage) -> None:
        if "Content Security Policy" in line.text or "Trusted" in line.text:
            faults.append(f"console: {line.text}")

    def opened(dialog: Dialog) -> None:
        if dialog.type != "beforeunload":
            faults.append(f"dialog: {dialog.type}")
        dialog.accept()

    page.on("pageerror", lambda error: faults.append(f"script: {error}"))
    page.on("console", read)
    page.on("dialog", opened)
    return faults


@contextmanager
def served(house: House, browser: Browser) -> Iterator[Served]:
    """The console of this house, with the real clock's pace: the house's clock follows a test's turns only."""
    listener = socket.create_server(("127.0.0.1", 0))
    origin = f"http://localhost:{listener.getsockname()[1]}"
    app = console_app(house.runtime, origin=origin)
    config = uvicorn.Config(
        app, http="httptools", ws="none", lifespan="off", log_level="warning", access_log=False, timeout_graceful_shutdown=3
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield Served(house, origin, browser)
    finally:
        house.runtime.store.hub.close()
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive(), "the console did not stop: a stream held it"


def faults_of(page: Page) -> list[str]:
    """What axe finds against WCAG 2.2 A and AA, and its best practices; each with the elements it means."""
    assert AXE.is_file(), "axe-core is not there: run npm ci --ignore-scripts"
    page.evaluate("scrollTo({top: 0, behavior: 'instant'})")  # axe measures one thing after another: nothing may move meanwhile
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.evaluate(AXE.read_text("utf-8") + "\n;0")
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = page.evaluate(f"axe.run(document, {{runOnly: {json.dumps(tags)}}})")
    return [f"{v['id']}: {v['help']}: {[n['target'] for n in v['nodes']]}" for v in found["violations"]]
