"""What an update of Telegram's Bot API means for us. Pure; takes any JSON and never raises.

Only what is needed is taken: the chat's id, the message's number, the words. Names, user names, photos, language codes and
places on a map are never looked at. What no rule knows means nothing, also kinds that do not exist yet.
Source of the fields: https://core.telegram.org/bots/api#update (Bot API 9).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

ALLOWED = ("message", "edited_message", "callback_query", "my_chat_member")
"""The kinds of update that we ask Telegram for. Every other kind means nothing here."""

Kind = Literal["words", "start", "help", "erase", "media", "voice", "share"]

_LARGEST = 2**53
"""Telegram's ids have at most 52 bits."""

_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@\w+)?[.!]*(?:\s+(.*))?\Z", re.DOTALL)
_CODE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ERASE = frozenset({"wis", "wis alles", "alles wissen"})
_BEGIN = frozenset({"begin", "beginnen", "start"})

NOTES: Mapping[str, tuple[Kind, str]] = {
    "photo": ("media", "foto"), "video": ("media", "video"), "animation": ("media", "bewegend plaatje"),
    "sticker": ("media", "sticker"), "paid_media": ("media", "foto of video"), "story": ("media", "verhaal"),
    "voice": ("voice", "spraakbericht"), "audio": ("voice", "geluid"), "video_note": ("voice", "videobericht"),
    "document": ("share", "bestand"), "contact": ("share", "contact"), "location": ("share", "plek op de kaart"),
    "venue": ("share", "plek op de kaart"), "poll": ("share", "vraag met keuzes"), "dice": ("share", "dobbelsteen"),
    "game": ("share", "spel"), "checklist": ("share", "lijst"), "invoice": ("share", "betaling"),
}  # fmt: skip
"""Content that we do not keep: which sentence answers it, and what the confidant reads in its place."""

_UNKNOWN: tuple[Kind, str] = ("share", "iets anders dan woorden")

_ENVELOPE = frozenset(
    "message_id message_thread_id direct_messages_topic from sender_chat sender_boost_count sender_business_bot date "
    "business_connection_id chat forward_origin is_topic_message is_automatic_forward reply_to_message external_reply quote "
    "reply_to_story reply_to_checklist_task_id via_bot edit_date has_protected_content is_from_offline is_paid_post "
    "media_group_id author_signature paid_star_count entities link_preview_options suggested_post_info effect_id "
    "caption_entities show_caption_above_media has_media_spoiler reply_markup sender_tag guest_query_id "
    "guest_bot_caller_user guest_bot_caller_chat".split()
)
_SERVICE = frozenset(
    "new_chat_members left_chat_member chat_owner_left chat_owner_changed new_chat_title new_chat_photo delete_chat_photo "
    "group_chat_created supergroup_chat_created channel_chat_created message_auto_delete_timer_changed migrate_to_chat_id "
    "migrate_from_chat_id pinned_message successful_payment refunded_payment users_shared chat_shared gift unique_gift "
    "gift_upgrade_sent connected_website write_access_allowed passport_data proximity_alert_triggered boost_added "
    "chat_background_set checklist_tasks_done checklist_tasks_added direct_message_price_changed forum_topic_created "
    "forum_topic_edited forum_topic_closed forum_topic_reopened general_forum_topic_hidden general_forum_topic_unhidden "
    "giveaway_created giveaway giveaway_winners giveaway_completed paid_message_price_changed suggested_post_approved "
    "suggested_post_approval_failed suggested_post_declined suggested_post_paid suggested_post_refunded "
    "video_chat_scheduled video_chat_started video_chat_ended video_chat_participants_invited web_app_data "
    "managed_bot_created".split()
)
"""Things that Telegram itself notes in a chat: nothing that a child says."""


@dataclass(frozen=True, slots=True)
class Post:
    """Something a child sent in its own chat. `text` is exactly what it typed (of /start what stands behind it); a picture's
    note stands in `note`. `edit` is the number of the update that brings an edited text."""

    chat_id: int = field(repr=False)
    message_id: int
    kind: Kind
    text: str = field(default="", repr=False)
    note: str = ""
    code: str | None = None
    edit: int | None = None


@dataclass(frozen=True, slots=True)
class ButtonPress:
    """A button under a message was pressed. We send none; the answer only ends the waiting sign on the phone."""

    query_id: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Group:
    """A group or channel: a place with more people than the child. `added`: the bot was put there just now."""

    chat_id: int = field(repr=False)
    added: bool


Meaning = Post | ButtonPress | Group | None


def number_of(update: object) -> int | None:
    """The `update_id`, or None when this is no update."""
    return _number(update.get("update_id")) if isinstance(update, dict) else None


def parse_update(update: object) -> Meaning:
    """Return what this update means; None when it means nothing, and 200 is the answer."""
    if not isinstance(update, dict):
        return None
    for name in ("message", "edited_message"):
        if isinstance(update.get(name), dict):
            return _message(update[name], number_of(update), edited=name == "edited_message")
    if isinstance(update.get("channel_post"), dict):
        return _group(update["channel_post"], added=False)
    if isinstance(update.get("my_chat_member"), dict):
        return _membership(update["my_chat_member"])
    query = update.get("callback_query")
    if isinstance(query, dict) and isinstance(query.get("id"), str) and 0 < len(query["id"]) <= 64:
        return ButtonPress(query["id"])
    return None


def _number(value: object) -> int | None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and isinstance(value, int) and -_LARGEST < value < _LARGEST else None


def _chat(part: Mapping[str, Any]) -> tuple[int | None, object]:
    chat = part.get("chat")
    return (_number(chat.get("id")), chat.get("type")) if isinstance(chat, dict) else (None, None)


def _group(part: Mapping[str, Any], *, added: bool) -> Group | None:
    chat_id, kind = _chat(part)
    return Group(chat_id, added) if chat_id is not None and kind in ("group", "supergroup", "channel") else None


def _membership(part: Mapping[str, Any]) -> Group | None:
    now = part.get("new_chat_member")
    status = now.get("status") if isinstance(now, dict) else None
    return _group(part, added=True) if status in ("member", "administrator", "restricted") else None


def _message(message: Mapping[str, Any], update: int | None, *, edited: bool) -> Meaning:
    chat_id, kind = _chat(message)
    message_id = _number(message.get("message_id"))
    if kind != "private":
        return None if message.get("left_chat_member") else _group(message, added=False)
    if chat_id is None or chat_id <= 0 or message_id is None or message_id <= 0 or _from_bot(message):
        return None
    edited_at = _number(message.get("edit_date")) if edited else None
    text = message.get("text")
    if edited and (edited_at is None or not isinstance(text, str)):
        return None  # a shared place that moves, or a new caption: nothing was said
    if isinstance(text, str):
        return _words(chat_id, message_id, text, edited_at if edited_at is None or update is None else update)
    return _content(chat_id, message_id, message)


def _from_bot(message: Mapping[str, Any]) -> bool:
    sender = message.get("from")
    return isinstance(sender, dict) and sender.get("is_bot") is True


def _words(chat_id: int, message_id: int, text: str, edit: int | None) -> Post:
    bare = " ".join(text.casefold().split()).rstrip(".! ")
    command = _COMMAND.match(text)
    name, rest = (command.group(1).casefold(), (command.group(2) or "").strip()) if command else ("", "")
    if bare in _ERASE or (name == "wis" and len(rest.split()) < 2):
        return Post(chat_id, message_id, "erase", text, edit=edit)
    if edit is not None:
        return Post(chat_id, message_id, "words", text, edit=edit)
    if name == "start" or bare in _BEGIN:
        return Post(chat_id, message_id, "start", rest, code=rest if _CODE.fullmatch(rest) else None)
    return Post(chat_id, message_id, "help" if name == "help" and not rest else "words", text)


def _content(chat_id: int, message_id: int, message: Mapping[str, Any]) -> Post | None:
    names = [name for name, value in message.items() if value is not None and isinstance(name, str)]
    known = [name for name in NOTES if name in names]
    strange = [name for name in names if name not in _ENVELOPE | _SERVICE and name != "caption"]
    if not known and not strange:
        return None
    kind, note = NOTES[known[0]] if known else _UNKNOWN
    caption = message.get("caption")
    return Post(chat_id, message_id, kind, caption if isinstance(caption, str) else "", note)
