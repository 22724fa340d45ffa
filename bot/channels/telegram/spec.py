"""Telegram, as the rest of the program knows it."""

from __future__ import annotations

from datetime import timedelta

from config.channels import Capabilities, ChannelSpec, ScriptNeeds

NAME = "telegram"
"""What stands in `conversation.channel`."""

DELETES_FOR = timedelta(hours=48)
"""A bot may delete a message of a private chat for so long after it was sent."""

CAPABILITIES = Capabilities(
    pushed=True,
    own_screen=False,
    buttons=True,
    sign_of_life=False,
    keeps_address=True,
    longest=4096,
    deletes_for=DELETES_FOR,
    deletes_at_once=100,
)
"""https://core.telegram.org/bots/api: sendMessage, deleteMessages."""

OPENER = "utter_telegram_opener"
CHOOSE = "utter_telegram_choose"
"""Said where a child has not named its gemeente."""

CHOSEN = "utter_telegram_chosen"
NOTED = "utter_telegram_noted"
NEAR = "utter_telegram_near"
"""Said to what looks like a name: the gemeenten that were meant perhaps come under it."""

HELP = "utter_telegram_help"
MEDIA = "utter_telegram_media"
VOICE = "utter_telegram_voice"
SHARE = "utter_telegram_share"
GROUP = "utter_telegram_group"
LEFTOVER = "utter_telegram_leftover"
ABOUT = "utter_telegram_about"
SHORT = "utter_telegram_short"

_NO_CHAT = frozenset({GROUP, LEFTOVER, ABOUT, SHORT})
"""Said outside any chat."""

NEEDS = ScriptNeeds(
    prefix="utter_telegram_",
    utterances=(OPENER, CHOOSE, CHOSEN, NOTED, NEAR, HELP, MEDIA, VOICE, SHARE, GROUP, LEFTOVER, ABOUT, SHORT),
    names_both_lines=frozenset({GROUP, ABOUT}),
    says_computer=frozenset({ABOUT}),
    blind=_NO_CHAT,
    without_municipality=_NO_CHAT,
    with_page=frozenset({OPENER}),
    waiting_only=frozenset({CHOOSE, NEAR, CHOSEN, NOTED}),
    asks=CHOOSE,
    farewell=("utter_stopped", LEFTOVER),
)

SPEC = ChannelSpec(NAME, "Telegram", CAPABILITIES, NEEDS, paths=frozenset({"telegram"}))
