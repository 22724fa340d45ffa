"""What any channel gives and takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from config.schema import QuickReply


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message of a child. `external_id` is the sender's own id for it: the same one twice is one message.

    `token` is the secret that only this child holds. Neither it nor the words appear in a repr.
    """

    channel: str
    municipality_id: str
    token: bytes = field(repr=False)
    external_id: str
    text: str = field(repr=False)
    order: int | None = None
    """The channel's growing number of the message, where a chat keeps its address after it was erased."""
    place: str | None = None
    """The code of the sticker's spot."""
    address: bytes | None = field(default=None, repr=False)
    """Where to send, when that is not the token itself."""
    texts: Mapping[str, str] | None = field(default=None, repr=False)
    """What was said before, by the sender's own id: with it a chat that only began moves to `municipality_id`."""
    opening: tuple[str, ...] = ()
    """What this channel has to tell every child once."""
    closing: tuple[str, ...] = ()
    """What this channel has to tell once at the end of a turn: the buttons of the last message are the ones that stay."""
    answer: str | None = None
    """The utterance that answers this (a picture, a command) instead of what was understood; empty: the numbers alone."""
    welcome: str | None = None
    """The utterance that answers when the chat is with the gemeente that this very message named."""
    instead: str | None = None
    """What is said, last, where the bot did not understand but the channel knows better."""
    choices: tuple[str, ...] = ()
    """Ids of the gemeenten that come under `instead`."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message for a child, ready to show. `language` is an ISO 639 code and decides the direction of the text."""

    text: str = field(repr=False)
    language: str = "nl"
    buttons: tuple[QuickReply, ...] = ()
    choices: tuple[str, ...] = ()
    """Names of gemeenten that may be pressed instead of typed."""
    from_human: bool = False
    last: bool = False
    """Nothing follows: buttons that still stand go."""
