"""What a child's message on Telegram becomes: a turn, like on the web page, in one transaction."""

from __future__ import annotations

import re
from collections.abc import Container
from datetime import datetime

from sqlalchemy import Connection

from bot.channels.telegram.parse import Post
from bot.channels.telegram.recent import RecentMessages
from bot.channels.telegram.routing import NAME_ID, START, START_ID, Choice, choice_of, named
from bot.channels.telegram.spec import CHOOSE, CHOSEN, HELP, MEDIA, NAME, NEAR, NOTED, OPENER, SHARE, VOICE
from bot.message import ChannelUtterances, Incoming
from bot.turn import take_turn
from handoff.chats import conversation, messages
from handoff.chats.conversation import Chat, Door
from handoff.runtime import Runtime
from nlu.understanding import Understanding

_ANSWERS = {
    "help": HELP,
    "media": MEDIA,
    "voice": VOICE,
    "share": SHARE,
}
_CAPTIONED = frozenset({"media", "voice", "share"})


def address_of(chat_id: int) -> bytes:
    """Where to send to: the chat's id, in digits."""
    return str(chat_id).encode()


def door_of(chat_id: int, bot: str) -> Door:
    """The door of a chat: its id, with the bot's, because another bot on the same database counts its messages anew."""
    return Door(NAME, f"{bot}:{chat_id}".encode(), address_of(chat_id))


def words_of(post: Post) -> str:
    """What the confidant reads: the child's words exactly, a mark before edited ones, and a note in place of what was not kept."""
    if post.kind == "start":
        return START
    note = f"[{post.note}: niet bewaard]" if post.note else ""
    text = post.text if post.edit is None else f"[aangepast] {post.text}"
    return f"{text}\n{note}" if text and note else text or note


def external_id_of(post: Post, name: str | None) -> str:
    """Telegram's number of the message, with what it is. An edit has the number of its update: two in one second are two."""
    if post.edit is not None:
        return f"e{post.message_id}.{post.edit}"
    if name is not None:
        return f"{NAME_ID}{post.message_id}.{name}"
    return f"{START_ID if post.kind == 'start' else 'm'}{post.message_id}"


def message_id_of(external_id: str) -> int:
    """The reverse: Telegram's number of the message, the first that stands there."""
    found = re.search(r"[0-9]+", external_id)
    return int(found.group()) if found else 0


def take(
    tx: Connection,
    runtime: Runtime,
    post: Post,
    understanding: Understanding,
    now: datetime,
    *,
    bot: str,
    fallback: str,
    recent: RecentMessages,
) -> None:
    """Take a turn. What was erased before stays away: a late repeat changes nothing."""
    door = door_of(post.chat_id, bot)
    chat = conversation.find(tx, runtime.vault, door, lock=True)
    name = named(runtime.configuration, post)
    if conversation.was_erased(tx, runtime.vault, door, post.message_id) or (chat and _known(tx, chat, post, name)):
        return
    choice = choice_of(tx, runtime, post, chat, fallback=fallback, remembered=recent.texts(post.chat_id))
    incoming = _incoming(runtime, post, chat, choice, door, fallback)
    done = take_turn(tx, runtime, incoming, understanding, now)
    looks_like_a_name = NEAR in done.utterances  # only then are names offered for it
    if choice.texts is not None and (choice.named or looks_like_a_name):
        recent.keep(post.chat_id, incoming.external_id, incoming.text)
    elif post.kind != "start":
        recent.forget(post.chat_id)


def _known(tx: Connection, chat: Chat, post: Post, name: str | None) -> bool:
    """Whether this message came before: asked before it can move a chat. Also when it meant something else then, because the
    configuration changed meanwhile."""
    ids = {external_id_of(post, name)}
    if post.edit is None:
        ids |= {f"{START_ID}{post.message_id}", f"m{post.message_id}"}
    return any(messages.known(tx, chat, "child", own_id) for own_id in ids)


def _incoming(runtime: Runtime, post: Post, chat: Chat | None, choice: Choice, door: Door, fallback: str) -> Incoming:
    municipality_id = choice.chosen or (chat.municipality_id if chat else fallback)
    return Incoming(
        channel=NAME,
        municipality_id=municipality_id,
        token=door.token,
        address=door.address,
        external_id=external_id_of(post, choice.named),
        text=words_of(post),
        order=post.message_id,
        place=post.code if choice.by_code else None,
        known_texts=choice.texts if choice.chosen else None,
        utterances=_utterances(runtime.script_for(municipality_id).utterances, post, choice),
    )


def _utterances(script: Container[str], post: Post, choice: Choice) -> ChannelUtterances:
    """What Telegram adds, as far as it is in the script: an older one has none of it."""

    def known(utterance: str | None, *, when: object = True) -> str | None:
        return utterance if when and utterance in script else None

    captioned = post.kind in _CAPTIONED and post.text
    return ChannelUtterances(
        before=(OPENER,) if known(OPENER) else (),
        after=(CHOOSE,) if known(CHOOSE, when=choice.ask) else (),
        answer=known(_ANSWERS.get(post.kind), when=not captioned),
        opens_only=post.kind == "start",
        on_arrival=known(CHOSEN, when=choice.chosen and choice.named),
        fallback=known(NOTED if choice.named else NEAR, when=choice.named or choice.near),
        choices=choice.near,
    )
