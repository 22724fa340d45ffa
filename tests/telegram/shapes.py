"""Updates of every kind that Telegram documents, and of kinds that it does not, as hypothesis strategies.

Made from the field lists of https://core.telegram.org/bots/api#update and #message.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

UPDATES = (
    "message edited_message channel_post edited_channel_post business_connection business_message edited_business_message "
    "deleted_business_messages message_reaction message_reaction_count inline_query chosen_inline_result callback_query "
    "shipping_query pre_checkout_query purchased_paid_media poll poll_answer my_chat_member chat_member chat_join_request "
    "chat_boost removed_chat_boost managed_bot something_of_2031"
).split()

CONTENT = (
    "animation audio document paid_media photo sticker story video video_note voice caption checklist contact dice game poll "
    "venue location new_chat_members left_chat_member new_chat_title new_chat_photo delete_chat_photo group_chat_created "
    "supergroup_chat_created channel_chat_created message_auto_delete_timer_changed migrate_to_chat_id migrate_from_chat_id "
    "pinned_message invoice successful_payment refunded_payment users_shared chat_shared gift unique_gift connected_website "
    "write_access_allowed passport_data proximity_alert_triggered boost_added chat_background_set checklist_tasks_done "
    "checklist_tasks_added direct_message_price_changed forum_topic_created forum_topic_edited forum_topic_closed "
    "forum_topic_reopened general_forum_topic_hidden general_forum_topic_unhidden giveaway_created giveaway giveaway_winners "
    "giveaway_completed paid_message_price_changed suggested_post_approved suggested_post_declined video_chat_scheduled "
    "video_chat_started video_chat_ended video_chat_participants_invited web_app_data reply_to_message external_reply quote "
    "via_bot forward_origin entities reply_markup effect_id hologram"
).split()

CHATS = [71, 72, 4_512_345_678, 2**52 - 1]
GROUPS = [-5, -1_001_234_567_890]

_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=8), inner, max_size=2),
    max_leaves=4,
)
_ANY_TEXT = st.text(st.characters(codec=None), max_size=40)
_TEXTS = st.one_of(
    st.sampled_from(
        ["/start", "/start voorbeeldstad", "/start x y", "/stop", "/help", "/wis", "wis alles", "/", "//", "/start@x", "Elders"]
    ),
    _ANY_TEXT,
)
_IDS = st.integers(1, 2**31)


def _private(chat_id: int) -> dict[str, Any]:
    return {"id": chat_id, "type": "private", "first_name": "Kanariepiet", "username": "kanariezanger"}


_PRIVATE = st.sampled_from(CHATS).map(_private)
_CROWD = st.builds(
    lambda chat_id, kind: {"id": chat_id, "type": kind, "title": "klas 6b"},
    st.sampled_from(GROUPS), st.sampled_from(["group", "supergroup", "channel", "planet"]),
)  # fmt: skip


def _messages(chat: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    envelope = st.fixed_dictionaries(
        {"message_id": _IDS, "chat": chat, "date": st.integers(0, 2**31)},
        optional={"from": st.fixed_dictionaries({"id": _IDS, "is_bot": st.booleans(), "first_name": st.text(max_size=5)})},
    )
    said = st.fixed_dictionaries({"text": _TEXTS})
    shown = st.dictionaries(st.sampled_from(CONTENT), _JSON, min_size=1, max_size=3)
    edit = st.fixed_dictionaries({}, optional={"edit_date": st.integers(0, 2**31)})
    return st.builds(lambda *parts: {k: v for part in parts for k, v in part.items()}, envelope, st.one_of(said, said, shown), edit)


_MEMBER = st.builds(
    lambda chat, status: {"chat": chat, "new_chat_member": {"status": status}},
    _PRIVATE | _CROWD, st.sampled_from(["member", "administrator", "kicked", "left", "restricted", "creator", "x"]),
)  # fmt: skip
_QUERY = st.builds(lambda name, rest: {"id": name, **rest}, st.text(max_size=70) | _JSON, st.dictionaries(st.just("data"), _JSON))


def _update(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    good: st.SearchStrategy[Any] = _messages(_PRIVATE | _CROWD)
    if kind in ("my_chat_member", "chat_member"):
        good = _MEMBER
    elif kind == "callback_query":
        good = _QUERY
    number = st.integers(1, 2**40)
    return st.builds(lambda n, inside: {"update_id": n, kind: inside}, number, st.one_of(good, good, good, _JSON))


_said = st.builds(
    lambda n, number, chat, text: {"update_id": n, "message": {"message_id": number, "chat": chat, "date": 1, "text": text}},
    st.integers(1, 2**40), st.integers(2**10, 2**50), st.integers(10**6, 2**50).map(_private) | _PRIVATE, _TEXTS,
)  # fmt: skip

updates: st.SearchStrategy[Any] = st.one_of(
    _said,
    _said,
    st.builds(lambda n, m: {"update_id": n, "message": m}, st.integers(1, 2**40), _messages(_PRIVATE)),
    st.sampled_from(UPDATES).flatmap(_update),
    st.sampled_from(UPDATES).flatmap(_update),
    _JSON,
)
"""One update: a private message, any kind with a good or a broken inside, or no update at all."""
