"""Which gemeente a child on Telegram means: by a start link's code, by a name typed alone, or by one that looks like it.

A name is often an ordinary word too (Best, Echt, Buren). So it is a choice only while the chat holds nothing but "Start" and
names; until then a wrong choice can be put right. Nothing can be kept for a gemeente whose team has no key: it is never chosen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from bot.channels.telegram.parse import Post
from bot.channels.telegram.spec import CHOSEN
from config.schema import Configuration
from config.search import names, plain, search
from handoff.chats import conversation
from handoff.chats.conversation import Chat
from handoff.places import municipalities
from handoff.runtime import Runtime

START = "/start"
"""The text that stands for the press of Telegram's own button: no word of a child."""

START_ID, NAME_ID = "start", "name"
"""How our id of such a press, and of a name typed alone, begins."""

_NEAR = 4
_LONGEST, _MOST_WORDS = 40, 3
"""Characters and words of a text that may be a misspelt name."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a message says about the gemeente. `chosen`: it may have the chat. `named`: its name is all that was typed.

    `near` are gemeenten whose names look like it; `ask`: this child has to be asked; `texts`: what the server still knows of
    everything that was said, by our own id of it, when that is all of it and the chat may move; else None.
    """

    chosen: str | None = None
    named: str | None = None
    near: tuple[str, ...] = ()
    ask: bool = False
    texts: Mapping[str, str] | None = field(default=None, repr=False)
    by_code: bool = False


def own_words(configuration: Configuration, post: Post) -> Post:
    """Return the post as words where what stands behind /start is none of the codes that we gave out."""
    ours = post.kind != "start" or not post.text or _is_code(configuration, post.code)
    return post if ours else replace(post, kind="words", code=None)


def _is_code(configuration: Configuration, code: str | None) -> bool:
    """Also one of a gemeente whose file is gone: its stickers still hang."""
    return any(code == m.id or code in m.places for m in configuration.municipalities.values())


def place_of(configuration: Configuration, code: str | None) -> str | None:
    """The gemeente of a start link's code: a sticker's spot, or the gemeente's own id."""
    return next((m.id for m in configuration.listed if code == m.id or code in m.places), None)


def named(configuration: Configuration, post: Post) -> str | None:
    """The gemeente whose name is all that this message says. "Echt?" is a question."""
    fits = post.kind == "words" and post.edit is None and len(post.text) <= 60 and not post.text.rstrip().endswith("?")
    wanted = plain(post.text) if fits else ""
    return next((m.id for m in configuration.listed if wanted and wanted in names(m)), None)


def choice_of(
    tx: Connection, runtime: Runtime, post: Post, chat: Chat | None, *, fallback: str, remembered: Mapping[str, str]
) -> Choice:
    """What this message says about the gemeente. The caller holds the chat's row. `remembered`: see `RecentMessages.texts`."""
    configuration = runtime.configuration
    texts = known_texts(tx, configuration, chat, remembered)
    unrouted = chat is None or (chat.place is None and chat.municipality_id == fallback and not _welcomed(runtime, chat))
    code = place_of(configuration, post.code) if post.kind == "start" else None
    name = named(configuration, post)
    asked = code or name
    may = asked is not None and (texts is not None or (unrouted and asked == fallback)) and municipalities.can_seal(tx, asked)
    looks = texts is not None and asked is None and post.kind == "words" and post.edit is None
    return Choice(
        chosen=asked if may else None,
        named=name,
        near=_near(tx, configuration, post.text) if looks else (),
        ask=unrouted and not may and len(configuration.listed) > 1,
        texts=texts,
        by_code=may and code is not None,
    )


def known_texts(
    tx: Connection, configuration: Configuration, chat: Chat | None, remembered: Mapping[str, str]
) -> dict[str, str] | None:
    """Everything that was said in a chat that came by no sticker; None when there is more than the server still knows."""
    if chat is None:
        return {}
    if chat.place is not None:
        return None
    found: dict[str, str] = {}
    for own_id in conversation.own_ids(tx, chat.id):
        name = configuration.municipalities.get(own_id.partition(".")[2]) if own_id.startswith(NAME_ID) else None
        text = START if own_id.startswith(START_ID) else remembered.get(own_id) or (name.name if name else None)
        if text is None:
            return None
        found[own_id] = text
    return found


def _welcomed(runtime: Runtime, chat: Chat) -> bool:
    return conversation.key_of_turns(runtime.vault, chat).open(chat.state).said(CHOSEN)


def _near(tx: Connection, configuration: Configuration, text: str) -> tuple[str, ...]:
    wanted = plain(text) if len(text) <= _LONGEST else ""
    if len(wanted) < 3 or wanted.count(" ") >= _MOST_WORDS or len(configuration.listed) < 2:
        return ()
    receiving = municipalities.receiving(tx)
    return tuple(m.id for m in search((m for m in configuration.listed if m.id in receiving), text, limit=_NEAR))
