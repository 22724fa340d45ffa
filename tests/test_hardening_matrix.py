"""What browsers are told, on every route of both servers, for every method, whatever the answer is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from starlette.routing import Mount, Route

from handoff.asgi.headers import NEVER_USED
from handoff.console.app import console_app
from tests.bot.web import Site, new_token
from tests.handoff.desk import OURS, desk, new_child
from tests.make import CITY, House

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS")

BOTH = {
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "origin-agent-cluster": "?1",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cache-control": "no-store",
}
CHILD = BOTH | {"referrer-policy": "no-referrer"}
CONSOLE = BOTH | {"referrer-policy": "same-origin", "x-robots-tag": "noindex, nofollow"}

CHILD_PAGE = {
    "default-src 'none'", "script-src 'sha256-…'", "style-src 'sha256-…'", "connect-src 'self'", "form-action 'self'",
    "img-src data:", "base-uri 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'",
}  # fmt: skip
CHILD_REST = {"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"}
CONSOLE_ALL = {
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'", "form-action 'self'",
    "frame-ancestors 'none'", "base-uri 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'",
}  # fmt: skip

STRANGE = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}


def paths(app: Any) -> Iterator[str]:
    """Every path that an app serves, filled in, and some that it does not."""
    while not hasattr(app, "routes"):  # the middleware around the console
        app = app._app if hasattr(app, "_app") else app.app
    for route in app.routes:
        if isinstance(route, Mount):
            yield f"{route.path}/console.css"
        elif isinstance(route, Route):
            yield route.path.replace("{slug}", CITY).replace("{handoff_id}", "x")
    yield from ("/nergens/niets", "/favicon.ico", "/%00", "/..%2f", "//evil.example", "/.well-known/change-password")


def policy(answer: httpx.Response) -> set[str]:
    """The parts of the content security policy, without the hashes."""
    return set(re.sub(r"sha256-[\w+/]+=*", "sha256-…", answer.headers["content-security-policy"]).split("; "))


def demand(answer: httpx.Response, wanted: dict[str, str], where: str) -> None:
    """Say all headers that are not as they must be."""
    kept = {"cache-control": "no-cache"} if where.partition(" ")[2].startswith("/static/") else {}
    assert {name: answer.headers.get(name) for name in wanted} == wanted | kept, where
    assert set(answer.headers["permissions-policy"].split(", ")) == {f"{name}=()" for name in NEVER_USED}, where
    assert "server" not in answer.headers, where
    assert "unsafe" not in answer.headers["content-security-policy"], where
    for name, value in answer.headers.multi_items():
        assert name in ("set-cookie", "vary") or answer.headers.get_list(name) == [value], f"{where}: {name} twice"


@pytest.mark.parametrize("method", METHODS)
def test_every_answer_to_a_child(sqlite_house: House, method: str) -> None:
    site = Site(sqlite_house)
    for path in sorted(set(paths(site.app))):
        for headers in ({}, STRANGE, {"Authorization": "Bearer x"}):
            answer = site.ask(method, path, headers=headers)
            where = f"{method} {path}"
            demand(answer, CHILD, where)
            page = answer.headers.get("content-type", "").startswith("text/html")
            assert policy(answer) == (CHILD_PAGE if page else CHILD_REST), where
            assert "set-cookie" not in answer.headers, where
            assert "access-control-allow-origin" not in answer.headers, where


def test_a_childs_own_answers_too(sqlite_house: House) -> None:
    site, token = Site(sqlite_house), new_token()
    answers = [site.send(token, "hoi"), site.look(token), site.form(token=token, text="hoi", id="a-1")]
    answers.append(site.form(token=token, action="erase"))
    answers.append(site.ask("POST", f"/{CITY}", files={"text": ("a.png", b"x")}))
    answers.append(site.ask("POST", f"/{CITY}", content=b"x" * 200_000))
    for number, answer in enumerate(answers):
        demand(answer, CHILD, f"answer {number}")


@pytest.mark.parametrize("method", METHODS)
def test_every_answer_of_the_console(sqlite_house: House, method: str) -> None:
    sqlite_house.confidant("sanne")
    app = console_app(sqlite_house.runtime, origin="http://localhost:8001")
    with desk(sqlite_house, "sanne") as sanne:
        for path in sorted(set(paths(app)) - {"/stroom"}):  # a stream that is let in does not end; refused it is asked below
            for headers in ({}, STRANGE, OURS):
                if method == "POST" and path == "/uitloggen" and headers is OURS:
                    continue
                answer = sanne.request(method, path, headers=headers)
                demand(answer, CONSOLE, f"{method} {path}")
                assert policy(answer) == CONSOLE_ALL
        demand(sanne.request(method, "/stroom", headers=STRANGE), CONSOLE, f"{method} /stroom")


def test_a_chat_and_signing_out(sqlite_house: House) -> None:
    sqlite_house.confidant("sanne")
    handoff_id = new_child(sqlite_house).handoff_id
    with desk(sqlite_house, "sanne") as sanne:
        sanne.post(f"/wachtrij/{handoff_id}/overnemen")
        demand(sanne.get(f"/gesprek/{handoff_id}"), CONSOLE, "GET chat")
        out = sanne.post("/uitloggen")
        demand(out, CONSOLE, "POST /uitloggen")
        assert out.headers["clear-site-data"] == '"cache"'


def test_leaving_forgets_what_the_browser_kept(sqlite_house: House) -> None:
    site = Site(sqlite_house)
    for path in ("/weg", f"/weg/{CITY}"):
        assert site.ask("GET", path).headers["clear-site-data"] == '"cache", "storage", "cookies"'


@pytest.mark.parametrize(("origin", "wanted"), [("https://praat.example", "max-age=31536000"), ("http://localhost:8000", None)])
def test_https_is_kept_where_there_is_https(sqlite_house: House, origin: str, wanted: str | None) -> None:
    child = Site(sqlite_house, options={"origin": origin})
    with desk(sqlite_house, origin=origin) as nobody:
        for answer in (child.ask("GET", "/nergens/niets"), child.ask("GET", f"/{CITY}"), nobody.get("/nergens"), nobody.get("/")):
            assert answer.headers.get("strict-transport-security") == wanted


def test_where_to_report_a_weak_spot(sqlite_house: House) -> None:
    contact, origin = "mailto:security@voorbeeldstad.nl", "https://praat.example"
    site = Site(sqlite_house, options={"origin": origin, "security_contact": contact})
    answer = site.ask("GET", "/.well-known/security.txt")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    lines = dict(line.split(": ", 1) for line in answer.text.splitlines())
    assert (lines["Contact"], lines["Canonical"]) == (contact, f"{origin}/.well-known/security.txt")
    ahead = datetime.fromisoformat(lines["Expires"]) - sqlite_house.clock()
    assert timedelta(days=80) < ahead < timedelta(days=365)
    demand(answer, CHILD, "GET security.txt")


def test_without_a_contact_there_is_no_such_file(sqlite_house: House) -> None:
    assert Site(sqlite_house).ask("GET", "/.well-known/security.txt").status_code == 404
