"""What a child's message on Telegram becomes: a turn, like on the web page, in one transaction."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from bot.channels.telegram_update import Post
from bot.channels.web_search import names, plain
from bot.delivery import CHOOSE
from bot.message import Incoming
from bot.turn import take_turn
from config.schema import Configuration
from handoff import conversation
from handoff.conversation import Chat, Door
from handoff.rerouting import START, START_ID
from handoff.runtime import Runtime
from nlu.understanding import Understanding

NAME = "telegram"
"""What stands in `conversation.channel`."""

OPENER = "utter_telegram_opener"
CHOSEN = "utter_telegram_chosen"

_ANSWERS = {
    "start": "",
    "help": "utter_telegram_help",
    "media": "utter_telegram_media",
    "voice": "utter_telegram_voice",
    "share": "utter_telegram_share",
}


def door_of(chat_id: int) -> Door:
    """The door of a chat: its id is the secret that finds it, and the address to send to."""
    return Door(NAME, str(chat_id).encode())


def words_of(post: Post) -> str:
    """What the confidant reads: the child's words exactly, and a note in place of what was not kept."""
    if post.kind == "start":
        return START
    note = f"[{post.note}: niet bewaard]" if post.note else ""
    return f"{post.text}\n{note}" if post.text and note else post.text or note


def external_id_of(post: Post) -> str:
    """Telegram's number of the message, with what it is: an edited message is said anew."""
    if post.edited_at is not None:
        return f"e{post.message_id}.{post.edited_at}"
    return f"{START_ID if post.kind == 'start' else 'm'}{post.message_id}"


def message_id_of(external_id: str) -> int:
    """The reverse: Telegram's number of the message."""
    return int(external_id.removeprefix(START_ID).lstrip("me").partition(".")[0])


def place_of(configuration: Configuration, code: str | None) -> str | None:
    """The gemeente of a start link's code: a sticker's spot, or the gemeente's own id."""
    return next((m.id for m in configuration.listed if code == m.id or code in m.places), None)


def named(configuration: Configuration, text: str) -> str | None:
    """The gemeente whose name is all that this text says."""
    wanted = plain(text) if len(text) <= 60 else ""
    return next((m.id for m in configuration.listed if wanted and wanted in names(m)), None)


def take(tx: Connection, runtime: Runtime, post: Post, understanding: Understanding, fallback: str, now: datetime) -> None:
    """Take a turn. What was erased before stays away: a late repeat changes nothing."""
    door = door_of(post.chat_id)
    chat = conversation.find(tx, runtime.vault, door, lock=True)
    if not conversation.was_erased(tx, runtime.vault, door, post.message_id):
        take_turn(tx, runtime, _incoming(runtime, post, chat, fallback), understanding, now)


def _incoming(runtime: Runtime, post: Post, chat: Chat | None, fallback: str) -> Incoming:
    configuration, script = runtime.configuration, runtime.script.utterances
    unrouted = chat is None or (chat.municipality_id == fallback and chat.place is None)
    by_code = place_of(configuration, post.code) if post.kind == "start" else None
    by_name = named(configuration, post.text) if post.kind == "words" and unrouted else None
    chosen = by_code or by_name
    ask = unrouted and not chosen and len(configuration.listed) > 1
    return Incoming(
        channel=NAME,
        municipality_id=chosen or (chat.municipality_id if chat else fallback),
        token=door_of(post.chat_id).token,
        external_id=external_id_of(post),
        text=words_of(post),
        order=post.message_id,
        place=post.code if by_code else None,
        leaves=fallback if chosen and unrouted else None,
        opening=(OPENER,) if OPENER in script else (),  # an older script has none of these
        closing=(CHOOSE,) if ask and CHOOSE in script else (),
        answer=answer if (answer := _ANSWERS.get(post.kind)) == "" or answer in script else None,
        welcome=CHOSEN if by_name and CHOSEN in script else None,
    )
