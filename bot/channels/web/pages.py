"""Whole pages for the child: what a template needs, put together. Every page has the numbers, whatever else is missing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from bot.channels.web.assets import Assets
from bot.channels.web.chats import View, new_token
from bot.channels.web.labels import FOR_SCRIPT, LABELS, state_label
from bot.channels.web.spec import CAPABILITIES
from bot.channels.web.text import direction, parts
from config.schema import AMSTERDAM, Municipality
from config.search import search
from handoff.chats.conversation import new_id
from handoff.display import shown
from handoff.runtime import Runtime
from handoff.transcript import Line
from handoff.wording import NEIGHBOUR, Moment, Wording, dialled, wording_at

NEUTRAL_EXIT = "https://www.buienradar.nl/"
"""Where the exit leads on a page that belongs to no gemeente."""

FIRST = "utter_first_contact"
"""The utterance whose quick replies a new page offers."""

UNKNOWN = "utter_page_unknown_municipality"
"""Says by itself who can be called."""

_TEXTS = ("identity", "duty", "secrecy", "no_name", "no_files", "exit", "erase")


@dataclass(frozen=True, slots=True)
class Page:
    """A rendered page and the policy under which it may run. `secret`: it holds a lasting token, and is never compressed
    (a length that depends on both a secret and foreign words can be measured: BREACH)."""

    html: str
    policy: str
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """What a form page gives back: its token, the text that could not be sent, and the id under which it may be sent again."""

    token: str
    text: str = ""
    message_id: str = ""


class Pages:
    """Makes the pages. `text_limit` is in characters, `box_limit` what a form can carry, in UTF-16 units."""

    def __init__(self, runtime: Runtime, assets: Assets, *, text_limit: int, box_limit: int) -> None:
        self._runtime = runtime
        self._assets = assets
        self._text_limit = text_limit
        self._box_limit = box_limit

    def words(self, municipality: Municipality | None, on_duty: bool | None) -> Wording:  # noqa: FBT001 (it is a fact)
        """The texts that are true now."""
        return wording_at(
            self._runtime, Moment(self._runtime.clock(), CAPABILITIES, municipality.id if municipality else None, on_duty)
        )

    def chat(
        self,
        municipality: Municipality,
        *,
        on_duty: bool | None,
        draft: Draft | None = None,
        view: View | None = None,
        notice: str = "",
    ) -> Page:
        """The child's page: new (a fresh token for use without JavaScript), or the answer to its form."""
        words = self.words(municipality, on_duty)
        broken = on_duty is None and draft is None
        notice = notice or (words.say("utter_trouble") if broken else "")
        values = self._common(words, municipality, notice=notice)
        values |= {"text": {name: words.say(f"utter_page_{name}") for name in _TEXTS}, "broken": broken}
        values |= {"slug": municipality.id, "known": view is not None, **self._history(view)}
        values["box_limit"] = self._box_limit
        values["buttons"] = _newest_buttons(view) if view else words.buttons(FIRST)
        values["data"] = self._chat_data(municipality, words, known=view is not None)
        shape = draft or Draft(new_token())
        values |= {"token": shape.token, "draft": shown(shape.text), "message_id": shape.message_id or new_id()}
        return self._page("page.html", values, secret=draft is not None)

    def _history(self, view: View | None) -> dict[str, object]:
        if view is None:
            return {"history": [], "state": "", "state_kind": ""}
        newest = max((line.seq for line in view.chat.lines if line.role == "child"), default=0)  # where the page opens
        return {
            "history": [self._bubble(line, newest=line.seq == newest) for line in view.chat.lines],
            "state": state_label(view.chat.state, view.chat.confidant, on_duty=view.chat.on_duty),
            "state_kind": view.chat.state,
        }

    def _chat_data(self, municipality: Municipality, words: Wording, *, known: bool) -> str:
        return self._data(
            municipality,
            slug=municipality.id,
            known=known,
            limit=self._text_limit,
            offline=words.say("utter_page_offline"),
            too_long=words.say("utter_too_long"),
            trouble=words.say("utter_trouble"),
            not_erased=words.say("utter_page_not_erased"),
            stopped=words.say("utter_stopped"),
            buttons=[button.title for button in words.buttons(FIRST)],
        )

    def start(self, query: str | None = None) -> Page:
        """The front page: choose a gemeente; with a query, those that fit."""
        everyone = self._runtime.configuration.listed
        return self._finder("utter_page_start", search(everyone, query) if query else everyone, query or "")

    def unknown(self, slug: str, kept: str = "") -> Page:
        """An address that does not exist: the numbers, the search, and what it looks like. The address is not repeated.

        `kept` is what a child sent there, to be copied.
        """
        return self._finder(UNKNOWN, search(self._runtime.configuration.listed, slug), "", kept)

    def trouble(self, notice: str = "", *, back: str = "/") -> Page:
        """Something went wrong: who can be called."""
        words = self.words(None, None)
        values = self._common(words, None, notice=notice or words.say("utter_trouble"))
        return self._page("trouble.html", values | {"back": back, "title": words.say("utter_page_identity")})

    def _finder(self, opening: str, found: Iterable[Municipality], query: str, kept: str = "") -> Page:
        words = self.words(None, None)
        values = self._common(words, None, opening=words.say(opening))
        values |= {
            "municipalities": list(found),
            "query": shown(query),
            "kept": shown(kept),
            "searched": bool(query),
            "searched_address": opening == UNKNOWN,
        }
        return self._page("start.html", values, secret=bool(kept))

    def _common(self, words: Wording, municipality: Municipality | None, **sentences: str) -> dict[str, object]:
        numbers = dialled(self._runtime)
        lines = words.lines()
        sentences["numbers"] = words.say("utter_page_numbers")
        return {
            "name": municipality.name if municipality else LABELS["choose_name"],
            "label": LABELS,
            "lines": lines,
            "neighbour": self._runtime.configuration.helplines.get(NEIGHBOUR),
            "extra": any(line.id == NEIGHBOUR for line in lines),
            "exit_href": f"/weg/{municipality.id}" if municipality else "/weg",
            "pieces": {name: parts(text, numbers) for name, text in sentences.items()},
            "data": self._data(municipality),
        }

    def _data(self, municipality: Municipality | None, **more: object) -> str:
        """What the page's script needs, as JSON in an attribute."""
        known = {
            "exit": municipality.exit_url if municipality else NEUTRAL_EXIT,
            "label": {name: LABELS[name] for name in FOR_SCRIPT},
            "numbers": dialled(self._runtime),
        }
        return json.dumps(known | more, ensure_ascii=False, separators=(",", ":"))

    def _bubble(self, line: Line, *, newest: bool) -> dict[str, object]:
        kind = {"bot": "bot", "child": "me"}.get(line.role, "human")
        who = {"bot": LABELS["bot"], "me": LABELS["me"]}.get(kind) or line.name or LABELS["human"]
        text = shown(line.text) if line.text.strip() else LABELS["empty"]
        return {
            "newest": newest,
            "kind": kind, "who": who, "dir": direction(line.role, line.language),
            "lang": line.language if kind == "bot" else "",
            "pieces": parts(text, dialled(self._runtime) if kind == "bot" else ()),
            "meta": f"{line.at.astimezone(AMSTERDAM):%H:%M}" + (f" ✓ {LABELS['stored']}" if kind == "me" else ""),
        }  # fmt: skip

    def _page(self, name: str, values: dict[str, object], *, secret: bool = False) -> Page:
        return Page(self._assets.render(name, **values), self._assets.policies[name], secret)


def erased_text(words: Wording, *, was_read: bool | None) -> str:
    """What a child reads after 'Wis alles': that all is gone, and what was read or not. `was_read` is None when it is not known."""
    said = [words.say("utter_stopped")]
    if was_read is not None:
        said.append(words.say("utter_page_erased_read" if was_read else "utter_page_erased_unread"))
    return " ".join(said)


def ended_text(words: Wording, days: int) -> str:
    """What a child reads when the time of its chat was over: that all is gone, how old it was, and that it may begin anew."""
    return f"{words.say('utter_stopped')} {words.say_of_days('utter_page_ended', days)}"


def _newest_buttons(view: View) -> tuple[object, ...]:
    """The quick replies of the newest bubble; none while a human reads."""
    lines = view.chat.lines
    return () if view.chat.state == "claimed" or not lines else lines[-1].buttons
