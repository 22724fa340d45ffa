"""A child in a real browser: the child's server in a thread, private windows, and no way out to the network."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Dialog, Page, Route, expect

from handoff.models import message
from tests.bot.web import Site
from tests.make import CITY, House, configuration, rows
from tests.serving import serving

PHONE = {"width": 360, "height": 640}
DESK = {"width": 1280, "height": 800}
NEUTRAL = "<title>Weer</title><h1>Morgen zon</h1>"
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"


@dataclass
class Child:
    """A served site and the windows on it."""

    site: Site
    origin: str
    browser: Browser
    referers: list[str | None] = field(default_factory=list)

    @property
    def exit(self) -> str:
        """The neutral site."""
        return configuration().municipalities[CITY].exit_url

    @contextmanager
    def context(self, **options: Any) -> Iterator[BrowserContext]:
        """A private browser in which only this server and the neutral site exist."""
        made = self.browser.new_context(**{"viewport": PHONE, "locale": "nl-NL", "timezone_id": "Europe/Amsterdam", **options})
        made.set_default_timeout(10_000)
        made.route("**/*", self._network)
        try:
            yield made
        finally:
            made.close()

    def _network(self, route: Route) -> None:
        if route.request.url.startswith(self.origin):
            route.continue_()
        elif route.request.url == self.exit:
            self.referers.append(route.request.headers.get("referer"))
            route.fulfill(body=NEUTRAL, content_type="text/html")
        else:
            route.abort()

    def leave(self, page: Page) -> None:
        """Press the exit where no script takes it over: the server sends the browser on, which playwright lets pass unseen."""
        session = page.context.new_cdp_session(page)

        def answer(paused: dict[str, Any]) -> None:
            self.referers.append(paused["request"]["headers"].get("Referer"))
            html = {"name": "Content-Type", "value": "text/html"}
            body = base64.b64encode(NEUTRAL.encode()).decode()
            fulfilled = {"requestId": paused["requestId"], "responseCode": 200, "responseHeaders": [html], "body": body}
            session.send("Fetch.fulfillRequest", fulfilled)

        session.on("Fetch.requestPaused", answer)
        session.send("Fetch.enable", {"patterns": [{"urlPattern": self.exit}]})
        page.locator("#exit").click()
        expect(page).to_have_title("Weer")

    @contextmanager
    def window(self, path: str = f"/{CITY}", **options: Any) -> Iterator[Page]:
        """One page; what the browser complains about fails the test."""
        with self.context(**options) as context:
            page = context.new_page()
            faults = watch(page)
            page.goto(self.origin + path)
            yield page
            assert not faults, faults

    def said_by_child(self) -> int:
        """How many messages of a child are stored."""
        return sum(row.role == "child" for row in rows(self.site.house, message))


def watch(page: Page) -> list[str]:
    """Script errors, dialogs, and whatever the content policy refused."""
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(f"script: {error}"))

    def refuse(dialog: Dialog) -> None:
        faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    page.on("dialog", refuse)
    page.on("console", lambda line: faults.append(line.text) if "Security Policy" in line.text or "Trusted" in line.text else None)
    return faults


@contextmanager
def served(house: House, browser: Browser, site: Site | None = None) -> Iterator[Child]:
    """The child's server of this house."""
    made = site or Site(house)
    with serving(made.app, made.stop) as address:
        yield Child(made, address.geturl(), browser)


def send(page: Page, text: str) -> None:
    """Type and press the button; returns when it is stored and the last word is there."""
    stored = page.locator(".me:not(.waits)").count()
    page.get_by_label("Typ hier").fill(text)
    page.get_by_role("button", name="Stuur").click()
    expect(page.locator(".me:not(.waits)")).to_have_count(stored + 1)


def without_script(route: Route) -> None:
    """As on a phone so old that it does not know modules: a script of an unknown type is skipped."""
    answer = route.fetch()
    assert answer.text().count('<script type="module">') == 1
    route.fulfill(response=answer, body=answer.text().replace('<script type="module">', '<script type="not-known">'))


def words(page: Page) -> list[str]:
    """Every message on the page."""
    return page.locator("#log .words").all_inner_texts()


def faults_of_axe(page: Page) -> list[str]:
    """What axe finds, also where only a person could decide; run in a world of its own, past the content policy."""
    session = page.context.new_cdp_session(page)
    tree = session.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
    world = session.send("Page.createIsolatedWorld", {"frameId": tree})["executionContextId"]
    session.send("Runtime.evaluate", {"expression": AXE.read_text("utf-8"), "contextId": world})
    tags = json.dumps(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
    run = (
        f"axe.run(document, {{runOnly: {tags}}}).then(r => JSON.stringify(r.violations.map(v => [v.id, v.nodes.map(n => n.html)])))"
    )
    found = session.send("Runtime.evaluate", {"expression": run, "contextId": world, "awaitPromise": True, "returnByValue": True})
    return [f"{name}: {nodes}" for name, nodes in json.loads(found["result"]["value"])]
