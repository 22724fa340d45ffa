"""What any channel gives and takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from config.schema import QuickReply


@dataclass(frozen=True, slots=True)
class ChannelUtterances:
    """Utterances that a channel adds to the answer to one message, by id. In danger none of them is said."""

    before: tuple[str, ...] = ()
    """Told once in a chat, before the answer."""
    after: tuple[str, ...] = ()
    """Told once in a chat, at the end of a turn: of several messages with buttons those of the last one stay."""
    answer: str | None = None
    """Answers this message (a picture, a command) instead of what was understood."""
    opens_only: bool = False
    """The message only opens the chat (a press of Start): the numbers and the handoff are the whole answer."""
    on_arrival: str | None = None
    """Answers when the chat is with the gemeente that this very message named."""
    fallback: str | None = None
    """Said last where the bot did not understand, but the channel knows better what was meant."""
    choices: tuple[str, ...] = ()
    """Ids of the gemeenten that can be pressed under `fallback`, the nearest first."""

    def arrived(self) -> ChannelUtterances:
        """Return these, answering with `on_arrival` if there is one."""
        return replace(self, answer=self.on_arrival, opens_only=False) if self.on_arrival else self


NO_UTTERANCES = ChannelUtterances()
"""A channel that adds nothing."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message of a child. Neither the secrets nor the words appear in its repr."""

    channel: str
    """The channel's name, as in its `ChannelSpec`."""
    municipality_id: str
    """The gemeente that the child writes to: by the page's address, a sticker's code, or where its chat is."""
    token: bytes = field(repr=False)
    """The secret that only this child holds; finds its chat."""
    external_id: str
    """The sender's own id of the message: the same one twice is one message."""
    text: str = field(repr=False)
    """What the child wrote, exactly."""
    address: bytes | None = field(default=None, repr=False)
    """Where answers are sent to. None: the child's own page collects them, and the token opens the chat."""
    place: str | None = None
    """The code of the sticker's spot, if the child came by one."""
    order: int | None = None
    """The channel's growing number of the message, where a chat keeps its address after it was erased."""
    known_texts: Mapping[str, str] | None = field(default=None, repr=False)
    """Everything that was said before, by the sender's own id, while the server still knows it: then a chat that only began
    moves to `municipality_id`. None: it stays where it is."""
    utterances: ChannelUtterances = NO_UTTERANCES
    """What the channel adds to the answer."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message for a child, ready to show."""

    text: str = field(repr=False)
    """The words, no longer than the channel takes."""
    language: str = "nl"
    """ISO 639 code; decides the direction of the text."""
    buttons: tuple[QuickReply, ...] = ()
    """Quick replies under it; none where the channel shows none."""
    choices: tuple[str, ...] = ()
    """Names of gemeenten that may be pressed instead of typed."""
    from_human: bool = False
    """A confidant's words, not the bot's: buttons that still stand go."""
    last: bool = False
    """Nothing follows: buttons that still stand go."""
