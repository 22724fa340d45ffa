"""What the child's server says in JSON: chats, states, refusals. A refusal holds the numbers to call, never what was sent."""

from __future__ import annotations

import json
from collections.abc import Mapping

from starlette.responses import Response

from bot.channels.web.chats import View
from bot.channels.web.labels import LABELS, state_label
from handoff.transcript import Line
from handoff.wording import Wording

REASONS = {
    400: "bad_request", 404: "not_found", 405: "not_allowed", 408: "too_slow", 413: "too_large", 422: "too_long",
    429: "crowded", 500: "trouble", 503: "unavailable",
}  # fmt: skip


def dump(value: object) -> str:
    """One line of JSON in plain ASCII: also a lone surrogate of a child's text comes back exactly as it was."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


def json_response(value: object, status: int = 200) -> Response:
    """An answer with a JSON body."""
    return Response(dump(value), status, media_type="application/json")


def line_json(line: Line, own_ids: Mapping[int, str]) -> dict[str, object]:
    """A message, as the page draws it; `id` is the page's own id of what it sent. The intent and the urgency stay here."""
    shape: dict[str, object] = {
        "seq": line.seq, "role": line.role, "text": line.text, "lang": line.language, "at": line.at.isoformat(),
        "name": line.name, "buttons": [button.title for button in line.buttons],
    }  # fmt: skip
    return shape | ({"id": own_ids[line.seq]} if line.seq in own_ids else {})


def state_json(state: str, confidant: str | None, *, on_duty: bool, live: Mapping[str, object]) -> dict[str, object]:
    """How the chat stands, in words that are true now; `live` are the page's texts of this hour."""
    return {"state": state, "confidant": confidant, "line": state_label(state, confidant, on_duty=on_duty), **live}


def view_json(view: View, words: Wording) -> dict[str, object]:
    """The new messages and how the chat stands."""
    chat = view.chat
    state = state_json(chat.state, chat.confidant, on_duty=chat.on_duty, live=words.live())
    return {"messages": [line_json(line, view.own_ids) for line in chat.lines], **state}


def refusal(status: int, words: Wording, ended: str = "") -> Response:
    """Why something was not done, with who can be called. `ended` is what the page says of a chat whose time was over."""
    text = {
        413: LABELS["too_large"], 422: words.say("utter_too_long"), 500: words.say("utter_trouble"),
        503: words.say("utter_trouble"),
    }.get(status, words.say("utter_page_numbers"))  # fmt: skip
    numbers = [{"name": h.name, "number": h.number, "tel": h.tel} for h in words.lines()]
    said = {"error": REASONS.get(status, "bad_request"), "text": ended or text, "numbers": numbers}
    return json_response({**said, "ended": True} if ended else said, status)
