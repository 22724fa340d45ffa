"""The keys of teams and conversations, and what is sealed with them. Import from here: `from handoff import keys`."""

from handoff.crypto.vault import ChildKey
from handoff.keys.conversation import begin
from handoff.keys.messages import OpenedMessage, SealedWords, open_conversation, reference_mac, seal_words
from handoff.keys.rotation import finish_rotation, found_again, held_by_another, rewrap, rotate, to_rewrap
from handoff.keys.team import found_team, grant, key_code

__all__ = [
    "ChildKey", "OpenedMessage", "SealedWords", "begin", "finish_rotation", "found_again", "found_team", "grant",
    "held_by_another", "key_code", "open_conversation", "reference_mac", "rewrap", "rotate", "seal_words", "to_rewrap",
]  # fmt: skip
