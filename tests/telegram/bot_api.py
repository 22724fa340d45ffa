"""A Bot API server for tests: what https://core.telegram.org/bots/api publishes of the methods that we use, over real HTTP.

It is as strict as Telegram: unknown chats, blocked bots, empty or long texts, bad keyboards and unknown parameters are refused
with Telegram's own words. `faults` makes it fail: as Telegram does, and as networks do.
"""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

import anyio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from tests.serving import serving

TOKEN = "7712345678:AAHkanarie-geheim_token0123456789abcd"
BOT = TOKEN.partition(":")[0]
"""The bot's id, as its token gives it away."""

FUTURE = 10
"""Telegram's own server answers an offset that is further ahead than this from the head, and forgets nothing."""

Json = dict[str, Any]


class Refused(Exception):
    """Telegram says no, in its own words."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code, self.description, self.parameters = code, description, parameters


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one request. `lost_answer`: it was done, but the connection broke before the answer. `hang`: nothing
    was done and no answer comes, until the other side gives up."""

    kind: Literal["429", "500", "502", "dropped", "lost_answer", "hang"]
    retry_after: int = 1


class _Broken(Response):
    """Half an answer, and then nothing: what a dropped connection looks like from the other side."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
        await send({"type": "http.response.body", "body": b'{"ok"', "more_body": True})
        raise ConnectionResetError


@dataclass
class Sent:
    """A message that arrived on a phone."""

    chat_id: int
    message_id: int
    text: str
    keyboard: list[list[str]]
    asked: Json = field(repr=False)


@dataclass(repr=False)
class BotApi:
    """The server's state. Every public field may be looked at and set by a test; `lock` guards it."""

    clock: Callable[[], float] = time.time
    chance: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311 - a test's dice
    chats: set[int] = field(default_factory=set)
    blocked: set[int] = field(default_factory=set)
    groups: set[int] = field(default_factory=set)
    sent: list[Sent] = field(default_factory=list)
    deleted: list[tuple[int, int]] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    profile: Json = field(default_factory=dict)
    webhook: Json = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    faults: list[tuple[str, Fault]] = field(default_factory=list)
    fault_rate: float = 0.0
    repeat_rate: float = 0.0
    late_rate: float = 0.0
    lost: list[tuple[int, int]] = field(default_factory=list)
    down: bool = False
    confirmed: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock)
    _allowed: tuple[str, ...] | None = None
    _poller: int = 0
    _dates: dict[int, float] = field(default_factory=dict)
    _dice: set[int] = field(default_factory=set)
    _late: list[Json] = field(default_factory=list)
    _waiting: list[Json] = field(default_factory=list)
    _past: list[Json] = field(default_factory=list)
    _message_id: int = 100
    _update_id: int = 500_000

    # what people do on their phones ------------------------------------------------------------------------------------------
    def message_id(self) -> int:
        """The next number of a message: Telegram counts them per bot."""
        with self.lock:
            self._message_id += 1
            self._dates[self._message_id] = self.clock()
            return self._message_id

    def put(self, **content: Any) -> Json:
        """Let an update wait; returns it. A kind that the bot did not ask for never waits."""
        with self.lock:
            self._update_id += 1
            update = {"update_id": self._update_id, **content}
            if not self._allowed or all(kind in self._allowed for kind in content):
                self._waiting.append(update)
            for late in self._late:
                self._update_id += 1
                self._waiting.append({"update_id": self._update_id, **late})
            self._late.clear()
            return update

    def count_anew(self, update_id: int) -> None:
        """A week without updates: the next number is chosen at random, so it may be lower."""
        with self.lock:
            self._update_id = update_id

    def writes(self, chat_id: int, text: str | None = None, **content: Any) -> Json:
        """A child sends a message in its private chat, as Telegram describes it."""
        self.chats.add(chat_id)
        words = {} if text is None else {"text": text}
        if text and text.startswith("/"):
            words["entities"] = [{"offset": 0, "length": len(text.split()[0]), "type": "bot_command"}]  # type: ignore[assignment]
        message = self.message(chat_id, **words, **content)
        if self.chance.random() < self.late_rate:
            return self.late(message=message)
        return self.put(message=message)

    def late(self, **content: Any) -> Json:
        """An update that reaches the bot only after the next one: older message, newer update. Its number is not known yet."""
        with self.lock:
            self._late.append(content)
            return content

    def message(self, chat_id: int, **content: Any) -> Json:
        """A message of a private chat, with everything that Telegram tells about a person."""
        who: Json = {"id": chat_id, "first_name": "Kanariepiet", "last_name": "Zangzaad", "username": "kanariezanger"}
        sender = {**who, "is_bot": False, "language_code": "nl"}
        base: Json = {
            "message_id": self.message_id(),
            "from": sender,
            "chat": {**who, "type": "private"},
            "date": int(self.clock()),
        }
        if "dice" in content:
            self._dice.add(base["message_id"])
        return {**base, **content}

    def texts(self, chat_id: int) -> list[str]:
        """What arrived on this phone, in order, also what was deleted later."""
        with self.lock:
            return [m.text for m in self.sent if m.chat_id == chat_id]

    def keyboards(self, chat_id: int) -> list[list[str]]:
        """The buttons under each message that brought some, row after row."""
        with self.lock:
            return [[title for row in m.keyboard for title in row] for m in self.sent if m.chat_id == chat_id and m.keyboard]

    def fail(self, method: str, *faults: Fault) -> None:
        """Let the next calls of a method fail, one after the other."""
        self.faults += [(method.casefold(), fault) for fault in faults]

    # the server --------------------------------------------------------------------------------------------------------------
    async def call(self, request: Request) -> Response:
        """One call of one method."""
        if request.path_params["token"] != TOKEN:
            return _no(Refused(401, "Unauthorized"))
        method = request.path_params["method"].casefold()
        fault = self._fault(method)
        if fault and fault.kind == "hang":
            await _abandoned(request)
        if fault and fault.kind != "lost_answer":
            return _failing(fault)
        handle: Callable[[Json], Any] | None = getattr(self, f"_{method}") if method in _METHODS else None
        if handle is None:
            return _no(Refused(404, "Not Found"))
        try:
            given = await _parameters(request)
            with self.lock:
                self.calls.append(method)
            _known(method, given)
            result: Any = await self._updates(given, request) if method == "getupdates" else handle(given)
        except Refused as refusal:
            return _no(refusal)
        if fault and method == "sendmessage":
            self.lost.append((int(given["chat_id"]), result["message_id"]))
        return _Broken() if fault else JSONResponse({"ok": True, "result": result})

    def _fault(self, method: str) -> Fault | None:
        with self.lock:
            if self.down:
                return Fault("dropped")
            for i, (name, fault) in enumerate(self.faults):
                if name == method:
                    del self.faults[i]
                    return fault
            if self.chance.random() < self.fault_rate:
                return Fault(self.chance.choice(("500", "502", "dropped", "429", "lost_answer")))
        return None

    async def _updates(self, given: Json, request: Request) -> list[Json]:
        deadline = time.monotonic() + min(int(given.get("timeout", 0)), 50)
        with self.lock:
            self._poller += 1
            mine = self._poller
        while not (found := self._getupdates(given)) and time.monotonic() < deadline:
            if await request.is_disconnected():
                break
            await anyio.sleep(0.01)  # this is the server's own long poll
            if mine != self._poller:  # Telegram serves the newest and turns the older one away
                told = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
                raise Refused(409, told)
        return found

    def _getupdates(self, given: Json) -> list[Json]:
        if self.webhook.get("url"):
            raise Refused(
                409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
            )
        self._allow(given)
        limit, offset = int(given.get("limit", 100)), int(given.get("offset", 0))
        if not 1 <= limit <= 100:
            limit = 100
        with self.lock:
            if offset > self._update_id + 1 + FUTURE:
                offset = 0
            if offset > 0:
                done = [u for u in self._waiting if u["update_id"] < offset]
                self._past += done
                self.confirmed = max(self.confirmed, offset - 1)
                self._waiting = self._waiting[len(done) :]
            found = self._waiting[:limit]
            if self._past and self.chance.random() < self.repeat_rate:
                found = [self.chance.choice(self._past), *found]
            return found

    def _allow(self, given: Json) -> None:
        """Telegram remembers the last list; updates that wait already stay."""
        if "allowed_updates" in given:
            self._allowed = tuple(given["allowed_updates"])

    def _getme(self, _given: Json) -> Json:
        return {"id": int(TOKEN.partition(":")[0]), "is_bot": True, "first_name": "Praat", "username": "praat_test_bot"}

    def _sendmessage(self, given: Json) -> Json:
        chat_id = self._chat(given)
        text = str(given.get("text", "")).strip()
        if not text.strip("\u200b\u2060 "):  # Telegram counts what cannot be seen as nothing
            raise Refused(400, "Bad Request: message text is empty")
        if len(text.encode("utf-16-le")) // 2 > 4096:
            raise Refused(400, "Bad Request: message is too long")
        with self.lock:
            keyboard = _keyboard(given.get("reply_markup"))
            message = Sent(chat_id, self.message_id(), text, keyboard, given)
            self.sent.append(message)
        chat = {"id": chat_id, "type": "private", "first_name": "Kanariepiet"}
        return {"message_id": message.message_id, "date": int(self.clock()), "chat": chat, "text": text}

    def _editmessagetext(self, given: Json) -> Json:
        chat_id, number = self._chat(given), int(given.get("message_id", 0))
        found = next((m for m in self.sent if (m.chat_id, m.message_id) == (chat_id, number)), None)
        if found is None:
            raise Refused(400, "Bad Request: message to edit not found")
        if found.text == given.get("text"):
            raise Refused(
                400, "Bad Request: message is not modified: specified new message content and reply markup are exactly the same"
            )
        found.text = str(given["text"])
        chat = {"id": chat_id, "type": "private", "first_name": "Kanariepiet"}
        return {"message_id": number, "date": int(self.clock()), "chat": chat, "text": found.text}

    def _deletemessages(self, given: Json) -> bool:
        chat_id, ids = self._chat(given), given.get("message_ids")
        if not isinstance(ids, list) or not 1 <= len(ids) <= 100 or not all(isinstance(i, int) for i in ids):
            raise Refused(400, "Bad Request: expected an Array of Integer as message_ids")
        if any(self._undeletable(i) for i in ids):
            raise Refused(400, "Bad Request: message can't be deleted for everyone")
        self.deleted += [(chat_id, i) for i in ids]
        return True

    def _undeletable(self, number: int) -> bool:
        """Older than 48 hours, or a die younger than 24. What cannot be found is passed over."""
        if number not in self._dates:
            return False
        age = self.clock() - self._dates[number]
        return age >= 48 * 3600 or (number in self._dice and age < 24 * 3600)

    def _answercallbackquery(self, given: Json) -> bool:
        if given.get("callback_query_id") == "too-old":
            raise Refused(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
        self.answered.append(str(given["callback_query_id"]))
        return True

    def _leavechat(self, given: Json) -> bool:
        chat_id = self._chat(given)
        if chat_id > 0:
            raise Refused(400, "Bad Request: chat member status can't be changed in private chats")
        self.groups.discard(chat_id)
        self.left.append(chat_id)
        return True

    def _setwebhook(self, given: Json) -> bool:
        secret, url = given.get("secret_token", ""), urlsplit(given.get("url", ""))
        if given.get("url") and url.scheme != "https":
            raise Refused(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
        if given.get("url") and (url.port or 443) not in (443, 80, 88, 8443):
            raise Refused(400, "Bad Request: bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")
        if len(secret) > 256:
            raise Refused(400, "Bad Request: secret token is too long")
        if not all(c.isascii() and (c.isalnum() or c in "_-") for c in secret):
            raise Refused(400, "Bad Request: secret token contains unallowed characters")
        self._allow(given)
        self.webhook = given if given.get("url") else {}
        return True

    def _getwebhookinfo(self, _given: Json) -> Json:
        told: Json = {name: self.webhook[name] for name in ("max_connections", "allowed_updates") if name in self.webhook}
        url = self.webhook.get("url", "")
        return {"url": url, "has_custom_certificate": False, "pending_update_count": len(self._waiting), **told}

    def _deletewebhook(self, given: Json) -> bool:
        if given.get("drop_pending_updates"):
            self._waiting.clear()
        self.webhook = {}
        return True

    def _setmyname(self, given: Json) -> bool:
        return self._text_of("name", given, 64)

    def _setmydescription(self, given: Json) -> bool:
        return self._text_of("description", given, 512)

    def _setmyshortdescription(self, given: Json) -> bool:
        return self._text_of("short_description", given, 120)

    def _setmycommands(self, given: Json) -> bool:
        for command in given["commands"]:
            if not (
                1 <= len(command["command"]) <= 32
                and command["command"].replace("_", "").isalnum()
                and command["command"].islower()
            ):
                raise Refused(400, "Bad Request: BOT_COMMAND_INVALID")
            if not 1 <= len(command["description"]) <= 256:
                raise Refused(400, "Bad Request: BOT_COMMAND_DESCRIPTION_INVALID")
        self.profile["commands"] = {c["command"]: c["description"] for c in given["commands"]}
        return True

    def _text_of(self, name: str, given: Json, longest: int) -> bool:
        if len(str(given.get(name, ""))) > longest:
            raise Refused(400, f"Bad Request: {name} is too long")
        self.profile[name] = given.get(name, "")
        return True

    def _chat(self, given: Json) -> int:
        if "chat_id" not in given:
            raise Refused(400, "Bad Request: chat_id is empty")
        chat_id = int(given["chat_id"])
        if chat_id in self.blocked:
            raise Refused(403, "Forbidden: bot was blocked by the user")
        if chat_id not in self.chats | self.groups:
            raise Refused(400, "Bad Request: chat not found")
        return chat_id


_METHODS: dict[str, frozenset[str]] = {
    "getme": frozenset(),
    "getupdates": frozenset("offset limit timeout allowed_updates".split()),
    "setwebhook": frozenset("url certificate ip_address max_connections allowed_updates drop_pending_updates secret_token".split()),
    "deletewebhook": frozenset({"drop_pending_updates"}),
    "getwebhookinfo": frozenset(),
    "sendmessage": frozenset(
        "business_connection_id chat_id message_thread_id text parse_mode entities link_preview_options disable_notification "
        "protect_content allow_paid_broadcast message_effect_id suggested_post_parameters reply_parameters reply_markup "
        "direct_messages_topic_id".split()
    ),
    "editmessagetext": frozenset(
        "business_connection_id chat_id message_id inline_message_id text parse_mode entities link_preview_options "
        "reply_markup".split()
    ),
    "deletemessages": frozenset({"chat_id", "message_ids"}),
    "answercallbackquery": frozenset("callback_query_id text show_alert url cache_time".split()),
    "leavechat": frozenset({"chat_id"}),
    "setmyname": frozenset({"name", "language_code"}),
    "setmydescription": frozenset({"description", "language_code"}),
    "setmyshortdescription": frozenset({"short_description", "language_code"}),
    "setmycommands": frozenset({"commands", "scope", "language_code"}),
}


def _known(method: str, given: Json) -> None:
    """Telegram passes unknown parameters over; here they are a fault of ours."""
    if strange := given.keys() - _METHODS[method]:
        raise Refused(400, f"Bad Request: unknown parameters {sorted(strange)}")


async def _parameters(request: Request) -> Json:
    if request.headers.get("content-type", "").startswith("application/json"):
        found: Json = await request.json()
        return found
    form = {name: str(value) for name, value in (await request.form()).items()} | dict(request.query_params)
    return {name: _parsed(name, value) for name, value in form.items()}


_PLAIN = frozenset({"text", "name", "description", "short_description", "url", "secret_token", "callback_query_id"})


def _parsed(name: str, value: str) -> Any:
    if name in _PLAIN:
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise Refused(400, f"Bad Request: can't parse {name}") from None


def _keyboard(markup: Json | None) -> list[list[str]]:
    if not markup or markup.get("remove_keyboard") is True:
        return []
    rows = markup.get("keyboard")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, list) and row for row in rows):
        raise Refused(400, "Bad Request: object expected as reply markup")
    titles = [[button["text"] if isinstance(button, dict) else button for button in row] for row in rows]
    if any(not title.strip() for row in titles for title in row):
        raise Refused(400, "Bad Request: keyboard button text must not be empty")
    return titles


def _no(refusal: Refused) -> Response:
    body = {"ok": False, "error_code": refusal.code, "description": refusal.description}
    if refusal.parameters:
        body["parameters"] = refusal.parameters
    return JSONResponse(body, status_code=refusal.code)


def _failing(fault: Fault) -> Response:
    if fault.kind == "429":
        return _no(Refused(429, f"Too Many Requests: retry after {fault.retry_after}", retry_after=fault.retry_after))
    if fault.kind in ("dropped", "hang"):
        return _Broken()
    return Response("<html><h1>502 Bad Gateway</h1></html>" if fault.kind == "502" else "", status_code=int(fault.kind))


async def _abandoned(request: Request) -> None:
    """Return when the other side has given up; a test that waits for us longer than a minute is broken."""
    deadline = time.monotonic() + 60
    while not await request.is_disconnected() and time.monotonic() < deadline:  # noqa: ASYNC110 - what Starlette offers
        await anyio.sleep(0.01)  # this is the server's own silence


@contextmanager
def bot_api(api: BotApi) -> Iterator[str]:
    """Serve it; gives the address for `PRAAT_TELEGRAM_BASE_URL`."""
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # connections that break on purpose
    app = Starlette(routes=[Route("/bot{token}/{method}", api.call, methods=["GET", "POST"])])
    with serving(app, lambda: None) as address:
        yield f"http://{address.netloc}"
