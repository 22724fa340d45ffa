"""One turn, one transaction: what the child wrote (sealed), the handoff (opened or raised), the bot's answer, the outbox.

What the turn needs is read once and passed on, and everything that it adds is stored together (decision 0021). The understanding is
made before, outside the transaction, and can only raise: nothing in here depends on it for the handoff.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from bot.message import Incoming
from bot.policy import State, decide, next_due
from config.intents import URGENCY_OF
from config.schema import Script
from handoff.chats import conversation, messages, retention
from handoff.chats.conversation import Chat, Door
from handoff.chats.messages import ChildWords, Reference
from handoff.chats.state import NOTHING_SAID, ChatState
from handoff.database.prepared import sent_together
from handoff.errors import NotFound
from handoff.queue import arrival, handoffs, rerouting
from handoff.queue.arrival import Arrival
from handoff.queue.handoffs import Handoff
from handoff.runtime import Runtime
from handoff.wording import Moment, Sentence, Wording, wording_at
from nlu.understanding import Understanding


@dataclass(frozen=True, slots=True)
class TurnResult:
    """What a turn left."""

    chat: Chat
    """The chat as it stands now."""
    handoff: Handoff
    """The handoff that is open, or the newest one for a repeated message."""
    before: int
    """The last sequence number before this turn: the child's message has the next one, and the bot's follow."""
    sentences: tuple[Sentence, ...]
    """What the bot said, in order."""
    wording: Wording
    """By which it was chosen."""
    on_duty: bool
    """Whether a human of the chat's team is there."""
    confidant: str | None
    """The first name of who reads the chat."""
    repeated: bool = False
    """This very message was stored before, and nothing was done."""
    utterances: tuple[str, ...] = ()
    """What was decided to say; what is not true at this moment stayed unsaid."""

    @property
    def said(self) -> tuple[int, ...]:
        """The sequence numbers of the bot's messages."""
        return tuple(range(self.before + 2, self.before + 2 + len(self.sentences)))


def pressed(understanding: Understanding, script: Script, text: str) -> Understanding:
    """Read a quick reply as exactly what it means; what the words themselves raised stays raised."""
    intent = script.quick_reply_intent(text)
    if intent is None:
        return understanding
    urgency = max(understanding.urgency, URGENCY_OF[intent])
    return Understanding(intent=intent, confidence=1.0, urgency=urgency, language="nl")


def take_turn(tx: Connection, runtime: Runtime, incoming: Incoming, understanding: Understanding, now: datetime) -> TurnResult:
    """Store one message and answer it. Locks the chat's row.

    Raises `NotFound` for an unknown gemeente, an erased chat, and a page of another gemeente than the chat's.
    """
    runtime.municipality(incoming.municipality_id)
    door = Door(incoming.channel, incoming.token, incoming.address)
    found = arrival.find(tx, runtime.vault, door, now, lock=True)
    turn = _Turn(tx, runtime, incoming, understanding, now)
    if found is None:
        return turn.begin(door)
    if not found.chat.pushed and found.chat.municipality_id != incoming.municipality_id:
        raise NotFound("no such conversation")
    moved = _move(tx, runtime, incoming, found, now)
    if moved:
        found = arrival.find(tx, runtime.vault, door, now) or found
    return turn.go_on(found, door, moved=moved)


def _move(tx: Connection, runtime: Runtime, incoming: Incoming, found: Arrival, now: datetime) -> bool:
    """Move a chat that only began to the gemeente that this message names. Returns whether it did."""
    if incoming.known_texts is None or found.chat.municipality_id == incoming.municipality_id:
        return False
    municipality = runtime.municipality(incoming.municipality_id)
    return rerouting.move(
        tx, runtime.vault, found.chat, municipality_id=municipality.id, team_id=municipality.receiving_team.id,
        place=incoming.place, route=runtime.route(municipality.id), texts=incoming.known_texts, now=now,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Turn:
    """One message on its way in."""

    tx: Connection
    runtime: Runtime
    incoming: Incoming
    understanding: Understanding
    now: datetime

    def begin(self, door: Door) -> TurnResult:
        """Open a chat with this message and its answer in it."""
        municipality = self.runtime.municipality(self.incoming.municipality_id)
        team_id, vault = municipality.receiving_team.id, self.runtime.vault
        found = arrival.welcome(self.tx, vault, door, team_id, self.now, self.incoming.order)
        chat = conversation.new_chat(door, municipality.id, team_id, self.now, self.incoming.place)
        wording = self._wording(chat, None, on_duty=found.on_duty)
        decided, sentences = self._answer(chat, NOTHING_SAID, None, wording, moved=False)
        references = self._references(sentences)
        with sent_together(self.tx):
            key = conversation.insert(
                self.tx, vault, door, chat, [found.team], last_seq=1 + len(sentences), now=self.now,
                expires_on=conversation.expiry_day(self.now, municipality.retention_days), language=self.understanding.language,
                seen_at=self.now, said=_after(NOTHING_SAID, chat, references),
            )  # fmt: skip
            messages.store_turn(self.tx, vault, chat, key, self._words(), references, self.now)
            item = self._hand_off(chat, None, sentences)
        return self._result(chat, item, sentences, decided, wording, on_duty=found.on_duty, confidant=None)

    def go_on(self, found: Arrival, door: Door, *, moved: bool) -> TurnResult:
        """Add this message and its answer to a chat."""
        chat, current = found.chat, found.handoff
        if messages.known(self.tx, chat, "child", self.incoming.external_id):
            item = current or handoffs.last_of(self.tx, chat.id)
            wording = self._wording(chat, current, on_duty=found.on_duty)
            return TurnResult(chat, item, chat.last_seq, (), wording, found.on_duty, found.confidant, repeated=True)
        vault = self.runtime.vault
        lock = conversation.key_of_turns(vault, chat, self.incoming.token)
        if lock.is_destroyed:
            return self._anew(chat, door)
        before, wording = lock.open(chat.state), self._wording(chat, current, on_duty=found.on_duty)
        decided, sentences = self._answer(chat, before, current, wording, moved=moved)
        references = self._references(sentences)
        state = lock.lock(_after(before, chat, references), chat.state)
        messages.add_turn(self.tx, vault, chat, found.key, self._words(), references, self.now, state=state)
        item = self._hand_off(chat, current, sentences)
        return self._result(chat, item, sentences, decided, wording, on_duty=found.on_duty, confidant=found.confidant)

    def _anew(self, chat: Chat, door: Door) -> TurnResult:
        """The key of the chat's day was destroyed, and its rows are still there: nobody could ever read what is added to it."""
        retention.end_at_once(self.tx, self.runtime.vault, chat.id, self.now)
        return self.begin(door)

    def _wording(self, chat: Chat, current: Handoff | None, *, on_duty: bool) -> Wording:
        claimed = current is not None and current.state == "claimed"
        capabilities = self.runtime.channel(chat.channel).capabilities
        return wording_at(self.runtime, Moment(self.now, capabilities, chat.municipality_id, on_duty, claimed))

    def _answer(
        self, chat: Chat, before: ChatState, current: Handoff | None, wording: Wording, *, moved: bool
    ) -> tuple[tuple[str, ...], tuple[Sentence, ...]]:
        """What to say, and the part of it that is true at this moment, each in the variant that is."""
        incoming, extra = self.incoming, self.incoming.utterances
        state = State(
            before=before,
            claimed=wording.moment.claimed,
            handed_off=current is not None and not moved,
            moved=moved,
            empty=not incoming.text.strip(),
            channel=extra.arrived() if chat.municipality_id == incoming.municipality_id else extra,
        )
        decided = decide(state, self.understanding)
        chosen = [wording.choose(utterance, before.times(utterance)) for utterance in decided]
        return decided, tuple(sentence for sentence in chosen if sentence is not None)

    def _words(self) -> ChildWords:
        understood = self.understanding
        return ChildWords(
            self.incoming.external_id, self.incoming.text, understood.intent, int(understood.urgency), understood.language
        )

    def _references(self, sentences: Iterable[Sentence]) -> list[Reference]:
        extra = self.incoming.utterances
        choices = {extra.fallback: extra.choices}
        return [
            Reference(one.utterance.id, one.pointer, one.script_version, choices=choices.get(one.utterance.id, ()))
            for one in sentences
        ]

    def _hand_off(self, chat: Chat, current: Handoff | None, sentences: Sequence[Sentence]) -> Handoff:
        """Open the handoff or raise it, whatever was understood (promise 2)."""
        route = self.runtime.route(chat.municipality_id)
        told = [one.says_on_duty for one in sentences if one.says_on_duty is not None]
        return handoffs.enqueue(
            self.tx, chat, current, urgency=int(self.understanding.urgency), told_on_duty=told[-1] if told else None,
            route=route.id, step=route.step_at(0).to, now=self.now,
            due_at=next_due(route, waiting_since=self.now, told_from=self.now, told_minutes=0, now=self.now),
        )  # fmt: skip

    def _result(
        self,
        chat: Chat,
        item: Handoff,
        sentences: tuple[Sentence, ...],
        decided: tuple[str, ...],
        wording: Wording,
        *,
        on_duty: bool,
        confidant: str | None,
    ) -> TurnResult:
        now = self.now
        left = replace(
            chat, last_seq=chat.last_seq + 1 + len(sentences), language=self.understanding.language, last_child_at=now, seen_at=now,
            gone_at=None,
        )  # fmt: skip
        return TurnResult(left, item, chat.last_seq, sentences, wording, on_duty, confidant, utterances=decided)


def _after(before: ChatState, chat: Chat, references: Sequence[Reference]) -> ChatState:
    """What was said, with this turn."""
    after = before.turn().saying([one.utterance for one in references])
    return after.referring([one.pointer for one in references]) if chat.pushed else after
