"""What a confidant can do with a waiting child: see who waits, claim, read, write, give back, transfer, close.

Each function is one use case in one transaction: access, the queue, the bot's announcement to the child and the audit line
commit together. The caller (console, tests) owns the transaction. All raise `NotFound` for what is not this person's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from config.channels import ChannelSpec
from handoff import audit, transcript
from handoff.accounts.sessions import Unlocked
from handoff.chats import conversation, messages, outbox, retention
from handoff.chats.conversation import Chat
from handoff.errors import Conflict, HandoffError, NotFound
from handoff.queue import handoffs, roster
from handoff.queue.handoffs import Handoff, Outcome, QueueCount
from handoff.queue.roster import OnDuty
from handoff.runtime import Runtime
from handoff.speak import say
from handoff.team import access
from handoff.transcript import Line


@dataclass(frozen=True, slots=True)
class Board:
    """The queue page of one team: everything in it is free of words."""

    team: access.MyTeam
    """Whose queue it is."""
    count: QueueCount
    """How many wait, also those who are not in `waiting`."""
    waiting: list[Handoff]
    """Who waits, by rank; a part of them when a part was asked for."""
    held: list[Handoff]
    """Who is with a confidant."""
    on_duty: list[OnDuty]
    """Who is there now."""
    my_shift: bool
    """Whether this person said that they are on duty."""
    endings: dict[str, datetime]
    """When an open chat goes if nobody writes, by its handoff: those whose time is nearly over."""


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a queue that is shown: `first` children at most, after the `skip` that stand highest."""

    first: int
    """Children at most."""
    skip: int = 0
    """Children with a higher rank that are left out."""


@dataclass(frozen=True, slots=True)
class OpenChat:
    """A claimed chat, opened. `states` says of every outgoing message: waiting, delivered, failed or unsaid."""

    handoff: Handoff
    lines: list[Line]
    states: dict[int, str]
    child_seen_at: datetime | None
    channel: ChannelSpec
    """How the child writes."""
    language: str
    place: str | None
    """Where the sticker hangs that the child came by, as the gemeente calls it; None when that is not known."""
    gone: bool
    """Nothing arrives there any more: the child blocked the bot, or its chat is gone."""
    ends: datetime | None = None
    """When it goes if nobody writes; only of a whole chat whose time is nearly over."""
    earlier: int = 0
    """Older lines that are not shown."""


def boards(tx: Connection, who: Unlocked, now: datetime, part: Callable[[str], Part | None] = lambda _team: None) -> list[Board]:
    """One board for each of this person's teams. `part` says of a team which part of its queue is wanted; None is all."""
    return [_board(tx, who, team, now, part(team.id)) for team in access.teams_of(tx, who)]


def _board(tx: Connection, who: Unlocked, team: access.MyTeam, now: datetime, part: Part | None) -> Board:
    first, skip = (part.first, part.skip) if part else (None, 0)
    return Board(
        team=team,
        count=handoffs.count_waiting(tx, team.id),
        waiting=handoffs.waiting(tx, team.id, first=first, skip=skip),
        held=handoffs.held(tx, team.id),
        on_duty=roster.on_duty(tx, team.id, now),
        my_shift=roster.has_shift(tx, team_id=team.id, person_id=who.person_id),
        endings={} if first == 0 else retention.endings(tx, team.id, now),
    )


def mine(tx: Connection, who: Unlocked) -> list[Handoff]:
    """The chats that this person holds."""
    held = [item for team in access.teams_of(tx, who) for item in handoffs.held(tx, team.id)]
    return [item for item in held if item.claimed_by == who.person_id]


def engaged(tx: Connection, who: Unlocked) -> bool:
    """Whether this person is on duty or with a child: such a person is not signed out for sitting still."""
    teams = access.teams_of(tx, who)
    return any(roster.has_shift(tx, team_id=team.id, person_id=who.person_id) for team in teams) or bool(mine(tx, who))


def leave(tx: Connection, runtime: Runtime, who: Unlocked, now: datetime) -> None:
    """Nobody is there any more: children go back to the queue now, not when a lease runs out; the shift ends (promise 5)."""
    for item in mine(tx, who):
        release(tx, runtime, who, item.id, now)
    for team in access.teams_of(tx, who):
        if roster.has_shift(tx, team_id=team.id, person_id=who.person_id):
            set_duty(tx, runtime, who, team.id, now, present=False)


def alive(tx: Connection, who: Unlocked, now: datetime) -> None:
    """The console of this person is open: keeps their shift and every claim that they hold. Sent every 25 seconds."""
    for team in access.teams_of(tx, who):
        roster.beat(tx, team_id=team.id, person_id=who.person_id, now=now)
        for item in handoffs.held(tx, team.id):
            if item.claimed_by == who.person_id:
                handoffs.keep(tx, handoff_id=item.id, person_id=who.person_id, now=now)


def set_duty(tx: Connection, runtime: Runtime, who: Unlocked, team_id: str, now: datetime, *, present: bool) -> None:
    """'Ik heb dienst' on or off."""
    if team_id not in {t.id for t in access.teams_of(tx, who)}:
        raise NotFound("no such team")
    (roster.start if present else roster.end)(tx, team_id=team_id, person_id=who.person_id, now=now)
    _note(tx, runtime, who, now, "duty_on" if present else "duty_off", team_id)


def claim(tx: Connection, runtime: Runtime, who: Unlocked, handoff_id: str, now: datetime) -> Handoff:
    """Take a waiting child; the child is told who reads now. Raises `Conflict` when somebody was first."""
    wanted = access.handoff_of(tx, who, handoff_id)
    chat = _locked(tx, wanted)
    taken = handoffs.claim(tx, handoff_id=handoff_id, person_id=who.person_id, now=now)
    before = conversation.last_named(tx, chat.id)
    words = "utter_taken_over" if before in (None, who.person_id) else "utter_transferred"
    say(tx, runtime, chat, words, now=now, claimed=True, person_id=who.person_id)
    _note(tx, runtime, who, now, "claim", handoff_id)
    return taken


LOOK = timedelta(minutes=15)
"""One audit line stands for a person, a chat and at most so long a look at it: what comes in meanwhile is no opening of its own."""


class NotNoted(HandoffError):
    """Nobody wrote down yet that this person opens this chat: `look` first, and commit it."""

    permanent = False


def look(tx: Connection, runtime: Runtime, who: Unlocked, handoff_id: str, now: datetime) -> None:
    """Write down that this person opens the words of a chat that they hold.

    Commit it before `read`: a line too many, never one too few.
    """
    access.held_by(tx, who, handoff_id)
    if not _is_looking(tx, who, handoff_id, now):
        _note(tx, runtime, who, now, "open", handoff_id)


def _is_looking(tx: Connection, who: Unlocked, handoff_id: str, now: datetime) -> bool:
    return audit.has_line(tx, person_id=who.person_id, action="open", object_id=handoff_id, now=now, within=LOOK)


def read(
    tx: Connection,
    runtime: Runtime,
    who: Unlocked,
    handoff_id: str,
    now: datetime,
    *,
    after: int = 0,
    newest: int | None = None,
) -> OpenChat:
    """Open the words of a chat that this person holds: the one place where words are opened for a person.

    With `newest`, only the last so many lines. Raises `NotNoted` when there is no line of it in the audit, before any key is
    touched, and `Denied` on tampering.
    """
    mine = access.held_by(tx, who, handoff_id)
    if not _is_looking(tx, who, handoff_id, now):
        raise NotNoted
    chat = conversation.get(tx, mine.conversation_id)
    start = after if newest is None else max(0, chat.last_seq - newest)
    lines = transcript.lines(tx, runtime, chat, who, after=start)
    place = runtime.municipality(chat.municipality_id).places.get(chat.place or "")
    return OpenChat(
        mine,
        lines,
        outbox.states(tx, chat.id),
        chat.seen_at,
        runtime.channel(chat.channel),
        chat.language,
        place,
        chat.gone_at is not None,
        retention.endings(tx, mine.team_id, now).get(handoff_id) if after == 0 else None,
        start if after == 0 else 0,
    )


def write(tx: Connection, runtime: Runtime, who: Unlocked, handoff_id: str, *, external_id: str, text: str, now: datetime) -> None:
    """Send words to the child. The same `external_id` twice is one message. Also renews the claim.

    Raises `NotFound` for a chat whose time is over, though its rows are still there: nobody could ever read what is added to it.
    """
    chat = _locked(tx, access.held_by(tx, who, handoff_id))
    if conversation.key_of_turns(runtime.vault, chat).is_destroyed:
        raise NotFound("the time of this chat is over")
    if not handoffs.keep(tx, handoff_id=handoff_id, person_id=who.person_id, now=now):
        raise Conflict("this chat is not yours any more")
    if messages.known(tx, chat, "confidant", external_id):
        return
    messages.add_confidant_words(tx, runtime.vault, chat, external_id=external_id, text=text, person_id=who.person_id, now=now)


def release(tx: Connection, runtime: Runtime, who: Unlocked, handoff_id: str, now: datetime) -> None:
    """Give the child back to the queue and tell the child the truth about it."""
    chat = _locked(tx, access.held_by(tx, who, handoff_id))
    handoffs.release(tx, handoff_id=handoff_id, person_id=who.person_id, now=now)
    say(tx, runtime, chat, "utter_given_back", now=now)
    _note(tx, runtime, who, now, "release", handoff_id)


def transfer(tx: Connection, runtime: Runtime, who: Unlocked, handoff_id: str, to_person_id: str, now: datetime) -> None:
    """Offer the child to a colleague of the same team. Until somebody takes it, the child waits, and hears so."""
    mine = access.held_by(tx, who, handoff_id)
    if to_person_id not in {c.id for c in access.colleagues_of(tx, who, mine.team_id)}:
        raise NotFound("no such colleague")
    chat = _locked(tx, mine)
    handoffs.transfer(tx, handoff_id=handoff_id, person_id=who.person_id, to_person_id=to_person_id, now=now)
    say(tx, runtime, chat, "utter_given_back", now=now)
    _note(tx, runtime, who, now, "transfer", handoff_id)


def close(tx: Connection, runtime: Runtime, who: Unlocked, handoff_id: str, outcome: Outcome, now: datetime) -> None:
    """End the conversation with an outcome from the closed list."""
    chat = _locked(tx, access.held_by(tx, who, handoff_id))
    handoffs.close(tx, handoff_id=handoff_id, person_id=who.person_id, outcome=outcome, now=now)
    say(tx, runtime, chat, "utter_closed", now=now)
    _note(tx, runtime, who, now, "close", handoff_id)


def _locked(tx: Connection, item: Handoff) -> Chat:
    """The chat's row first, then the handoff's: a turn takes them in the same order, so the two never block each other."""
    return conversation.get(tx, item.conversation_id, lock=True)


def _note(tx: Connection, runtime: Runtime, who: Unlocked, now: datetime, action: str, object_id: str) -> None:
    gemeente = who.municipality_id
    audit.note(tx, runtime.vault, now=now, municipality_id=gemeente, person_id=who.person_id, action=action, object_id=object_id)
