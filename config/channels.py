"""What a channel tells of itself: what it can do, and what it needs a script to hold. Plain values, stated in the channel's folder.

The rest of the program asks what a channel can do, never which one it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a channel can do."""

    pushed: bool
    """Messages are sent to an address. Else the child's own page collects them, with the token that opens the chat."""
    own_screen: bool
    """The child reads on a screen of ours: it has "Snel weg" and "Wis alles" beside the chat, and nobody else keeps a copy."""
    buttons: bool
    """It can show quick replies. Where it cannot, they are left out: a child may type anything."""
    sign_of_life: bool
    """It tells when the child has the chat open."""
    keeps_address: bool
    """A child that erased everything comes back through the same door; its messages carry a growing number (`Incoming.order`)."""
    longest: int | None = None
    """UTF-16 units in one message; a longer text goes out in pieces. None: whatever we send fits."""
    deletes_for: timedelta | None = None
    """How long after it was sent a message can be deleted there. None: the channel deletes nothing."""
    deletes_at_once: int = 1
    """Messages that one request may delete."""


NO_CAPABILITIES = Capabilities(pushed=True, own_screen=False, buttons=False, sign_of_life=False, keeps_address=False)
"""Of a channel that the program does not have (any more): its chats can still be read."""


@dataclass(frozen=True, slots=True)
class ScriptNeeds:
    """Utterances that must be in every script, and what holds for some of them (names of utterances)."""

    prefix: str = ""
    """How the names of the utterances begin that are said on this channel and on no other."""
    utterances: tuple[str, ...] = ()
    """All that may be asked for."""
    names_both_lines: frozenset[str] = frozenset()
    """Every variant names 112 and the Kindertelefoon with its number (promise 1)."""
    says_computer: frozenset[str] = frozenset()
    """Every variant says that it is a computer."""
    blind: frozenset[str] = frozenset()
    """Said when nobody can look who is on duty: they may not depend on it."""
    without_municipality: frozenset[str] = frozenset()
    """Said when it is not known which gemeente it is: they may not name it."""
    with_page: frozenset[str] = frozenset()
    """May name the address of the gemeente's own `{page}`."""
    waiting_only: frozenset[str] = frozenset()
    """True for a child that waits and for no other: left unsaid from the claim on (promise 4)."""
    asks: str | None = None
    """Asks a child for its gemeente; those that can receive are shown under it to be pressed, when they are few."""
    farewell: tuple[str, ...] = ()
    """Said one after the other to a child that erased everything, where the channel has to be told."""


@dataclass(frozen=True, slots=True)
class ChannelSpec:
    """One channel, as the rest of the program knows it."""

    name: str
    """What stands in `conversation.channel`; never changed, or open chats lose their channel."""
    title: str
    """How people call it."""
    capabilities: Capabilities
    needs: ScriptNeeds = field(default_factory=ScriptNeeds)
    """What it needs of a script besides what every channel needs."""
    paths: frozenset[str] = frozenset()
    """First parts of addresses of the child's server that it answers: no gemeente may have one of these as its id."""
