"""The keys of teams and conversations, and what is sealed with them. Import from here: `from handoff import keys`."""

from handoff.crypto import ChildKey
from handoff.keys.conversation import SCOPE, ConversationKey, KeyScope, add_key, begin, scope_of, sealing_key
from handoff.keys.messages import SealedWords, key_in_force, key_numbered, seal_turn, seal_with, seal_words
from handoff.keys.opening import Head, OpenedMessage, open_conversation, open_messages
from handoff.keys.references import SealedReference, seal_reference
from handoff.keys.rotation import finish_rotation, held_by_another, replace_lost_key, rewrap, rotate, to_rewrap
from handoff.keys.team import TeamKey, checked, code_of, current_public_keys, found_team, grant, is_put_back, own_code

__all__ = [
    "SCOPE",
    "ChildKey",
    "ConversationKey",
    "Head",
    "KeyScope",
    "OpenedMessage",
    "SealedReference",
    "SealedWords",
    "TeamKey",
    "add_key",
    "begin",
    "checked",
    "code_of",
    "current_public_keys",
    "finish_rotation",
    "found_team",
    "grant",
    "held_by_another",
    "is_put_back",
    "key_in_force",
    "key_numbered",
    "open_conversation",
    "open_messages",
    "own_code",
    "replace_lost_key",
    "rewrap",
    "rotate",
    "scope_of",
    "seal_reference",
    "seal_turn",
    "seal_with",
    "seal_words",
    "sealing_key",
    "to_rewrap",
]  # fmt: skip
