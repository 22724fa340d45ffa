"""A state machine over members, teams, chats, grants, rotations and erased days, with a rule for every attack on the database.

Two promises hold after every step: exactly the members of a team (and the child) read its chats, word for word; and whatever an
attacker writes, the reader refuses rather than shows something else. Attacks are tried in a transaction that is rolled back.
Objects are named by their order, never by their random ids, so that hypothesis can replay.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import Connection

from handoff import crypto, keys
from handoff.accounts import credentials, sessions
from handoff.accounts.sessions import Unlocked
from handoff.crypto import X25519, XWING
from handoff.keys import conversation as conversation_keys
from handoff.keys import team as team_keys
from handoff.models import (
    conversation,
    conversation_key,
    key_wrap,
    membership,
    message,
    person,
    session,
    team,
    team_key,
    team_wrap,
)
from tests.handoff.rig import NOW, Talk, denied, sqlite_rig
from tests.proof import proof, size

WHERE = st.sampled_from("ue")
ANY = st.integers(0, 1000)
WORDS = st.text(st.characters(), max_size=300)


@dataclass
class Room:
    """A chat as it should be."""

    talk: Talk
    where: str
    web: bool
    day: str
    log: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    lost: int = 0


class Keys(RuleBasedStateMachine):
    """The model: who belongs to which team, and what was said in which chat."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.rooms: list[Room] = []
        self.erased: list[Room] = []
        self.cookies: dict[str, bytes] = {}
        self.team: dict[str, list[str]] = {"u": [], "e": []}
        self.waiting: dict[str, list[str]] = {"u": [], "e": []}
        self.dead_cookies: list[bytes] = []
        self.printed: set[str] = set()
        self.thieves: list[tuple[Unlocked, str, list[bytes]]] = []

    @initialize(suite=st.sampled_from([X25519, XWING]), printed=st.booleans())
    def found(self, suite: bytes, printed: bool) -> None:
        self.rig = sqlite_rig(self.folder, suite=suite)
        for where in "ue":
            first = self.rig.founder(where, printed=printed)
            self.printed |= {first} if printed else set()
            self.team[where].append(first)
            self.cookies[first] = self.rig.sign_in(first)
            self.begin(where, web=True, day="2026-12-22")
            self.say(-1, "hoi", "child", "greet")
            self.refer(-1)
            self.say(-1, "ik lees mee", "confidant", None)

    def teardown(self) -> None:
        if hasattr(self, "rig"):
            self.rig.engine.dispose()
        shutil.rmtree(self.folder)

    def who(self, person_id: str) -> Unlocked:
        return self.rig.who(self.cookies[person_id])

    # what people do

    @rule(where=WHERE, web=st.booleans(), day=st.sampled_from(["2026-12-22", "2026-12-23"]))
    def begin(self, where: str, web: bool, day: str) -> None:
        self.rooms.append(Room(self.rig.talk(where, web=web, expires_on=day), where, web, day))

    @precondition(lambda self: self.rooms)
    @rule(at=ANY, text=WORDS, role=st.sampled_from(["child", "confidant"]), reading=st.none() | st.text(max_size=9))
    def say(self, at: int, text: str, role: str, reading: str | None) -> None:
        room = self.rooms[at % len(self.rooms)]
        assert self.rig.say(room.talk.id, text, role=role, reading=reading) == len(room.log) + 1
        room.log.append((role, text, reading))

    @precondition(lambda self: self.rooms)
    @rule(at=ANY)
    def refer(self, at: int) -> None:
        room = self.rooms[at % len(self.rooms)]
        self.rig.refer(room.talk.id, (7, 0))
        room.log.append(("bot", None, None))

    @precondition(lambda self: self.rooms)
    @rule(at=ANY, text=WORDS, answers=st.integers(0, 3))
    def turn(self, at: int, text: str, answers: int) -> None:
        room = self.rooms[at % len(self.rooms)]
        said = [(len(room.log), number) for number in range(answers)]
        assert self.rig.turn(room.talk.id, text, "greet", *said) == len(room.log) + 1
        room.log += [("child", text, "greet"), *[("bot", None, None)] * answers]

    @precondition(lambda self: len(self.cookies) < 6)
    @rule(where=WHERE, printed=st.booleans())
    def join(self, where: str, printed: bool) -> None:
        new = self.rig.person(where, printed=printed)
        self.printed |= {new} if printed else set()
        self.waiting[where].append(new)
        self.cookies[new] = self.rig.sign_in(new)

    @rule(where=WHERE, at=ANY)
    def grant(self, where: str, at: int) -> None:
        """Only between two who have keys of their own: whoever printed a passphrase holds the other kind as well."""
        if not self.waiting[where]:
            return
        new = self.waiting[where][at % len(self.waiting[where])]
        by = self.team[where][at % len(self.team[where])]
        if self.printed & {new, by}:
            assert denied(self.rig.grant, self.who(by), new)
            return
        self.rig.grant(self.who(by), new)
        self.waiting[where].remove(new)
        self.team[where].append(new)

    @rule(where=WHERE, at=ANY, leaves=st.booleans(), rewraps=st.integers(0, 9))
    def rotate(self, where: str, at: int, leaves: bool, rewraps: int) -> None:
        """A rotation that may stop anywhere."""
        team = self.team[where]
        by = self.who(team[at % len(team)])
        gone = team[(at + 1) % len(team)] if leaves and len(team) > 1 else None
        with self.rig.engine.begin() as tx:
            keys.rotate(tx, self.rig.vault, by=by, team_id=where, remove=gone)
        if gone:
            team.remove(gone)
            self.dead_cookies.append(self.cookies[gone])
            self.cookies[gone] = self.rig.sign_in(gone)
            self.waiting[where].append(gone)
            self.invite_again(where, gone)
        self.rewrap(where, by, rewraps)

    def invite_again(self, where: str, gone: str) -> None:
        with self.rig.engine.begin() as tx:
            tx.execute(membership.insert().values(team_id=where, person_id=gone))

    def rewrap(self, where: str, by: Unlocked, most: int) -> None:
        erased = {room.talk.id for room in self.erased}
        with self.rig.engine.begin() as tx:
            behind = [talk_id for talk_id in keys.to_rewrap(tx, where) if talk_id not in erased]
        for talk_id in behind[:most]:
            with self.rig.engine.begin() as tx:
                keys.rewrap(tx, self.rig.vault, by=by, conversation_id=talk_id)
        with self.rig.engine.begin() as tx:
            left = keys.to_rewrap(tx, where)
            assert keys.finish_rotation(tx, where) == (not left)

    @rule(where=WHERE, at=ANY)
    def renew_passphrase(self, where: str, at: int) -> None:
        everyone = self.team[where] + self.waiting[where]
        member = everyone[at % len(everyone)]
        if member in self.printed:
            self.take_own_key(where, member)
            return
        old = self.rig.phrases[member]
        fresh = f"nieuwe zin nummer {len(old)}{at}"
        locked = credentials.lock_key(self.rig.vault, member, self.who(member).private_key, fresh)
        elsewhere = self.rig.sign_in(member)
        with self.rig.engine.begin() as tx:
            here = sessions.resume(tx, self.rig.vault, self.cookies[member], now=NOW)
            sessions.renew_passphrase(tx, here, locked)
        self.rig.phrases[member] = fresh
        self.dead_cookies.append(elsewhere)
        assert fresh == old or denied(self.rig.sign_in, member, old)

    def take_own_key(self, where: str, member: str) -> None:
        """From here on whoever printed the passphrase reads nothing new, with every key that it opened until now."""
        old, stolen = self.who(member), list[bytes]()
        with self.rig.engine.begin() as tx:
            if member in self.team[where]:
                stolen = list(team_keys.team_private_keys(tx, self.rig.vault, old, where).values())
        elsewhere = self.rig.sign_in(member)
        self.rig.take_own_key(self.cookies[member], f"eigen zin nummer {len(self.thieves)}")
        self.printed.discard(member)
        self.dead_cookies.append(elsewhere)
        self.thieves.append((old, where, stolen))

    @rule(where=WHERE, at=ANY)
    def forget_passphrase(self, where: str, at: int) -> None:
        """The last one of a team loses what was written before, for the team; nobody else loses anything."""
        if len(self.team[where]) == 1 and any(room.where == where for room in self.erased):
            return  # a new chat may have made that day's key file anew, which never happens to a day that is over
        member = self.team[where][at % len(self.team[where])]
        self.dead_cookies.append(self.cookies[member])
        self.rig.forget(member)
        self.cookies[member] = self.rig.sign_in(member)
        self.printed.add(member)
        if len(self.team[where]) > 1:
            self.team[where].remove(member)
            self.waiting[where].append(member)
            return
        for room in self.rooms:
            if room.where == where:
                room.lost = len(room.log)

    @precondition(lambda self: self.rooms)
    @rule(at=ANY, retention=st.booleans())
    def erase_day(self, at: int, retention: bool) -> None:
        day = self.rooms[at % len(self.rooms)].day
        self.rig.vault.destroy_bucket(day)
        self.erased += [room for room in self.rooms if room.day == day]
        self.rooms = [room for room in self.rooms if room.day != day]
        if retention:
            with self.rig.engine.begin() as tx:
                tx.execute(conversation.delete().where(conversation.c.expires_on == day))

    # what attackers do

    def refused(self, tx: Connection, room: Room) -> None:
        """Every opener refuses the chat as it stands in this transaction."""
        openers: list[Any] = [self.who_in(tx, self.team[room.where][0])]
        if room.web:
            openers.append(self.rig.vault.child_key(room.talk.token))
        for opener in openers:
            assert denied(keys.open_conversation, tx, self.rig.vault, room.talk.id, opener)

    def who_in(self, tx: Connection, person_id: str) -> Unlocked:
        return sessions.resume(tx, self.rig.vault, self.cookies[person_id], now=NOW)

    def said(self, at: int, least: int = 1) -> Room | None:
        rooms = [room for room in self.rooms if len(room.log) >= least]
        return rooms[at % len(rooms)] if rooms else None

    @rule(at=ANY, one=ANY, other=ANY)
    def attack_swap_messages(self, at: int, one: int, other: int) -> None:
        room = self.said(at, 2)
        if room is None:
            return
        a, b = one % len(room.log) + 1, other % len(room.log) + 1
        with self.rig.undone() as tx:
            rows = {seq: tx.execute(_message(room, seq)).one()._asdict() for seq in (a, b)}
            if a != b:
                for seq, source in ((a, b), (b, a)):
                    _write(tx, room, seq, {**rows[source], "seq": seq})
                self.refused(tx, room)

    @rule(at=ANY, other=ANY)
    def attack_replay_from_another_chat(self, at: int, other: int) -> None:
        room, source = self.said(at), self.said(other)
        if room is None or source is None or room is source:
            return
        seq = min(len(room.log), len(source.log))
        with self.rig.undone() as tx:
            row = tx.execute(_message(source, seq)).one()._asdict()
            _write(tx, room, seq, {**row, "conversation_id": room.talk.id})
            self.refused(tx, room)

    @rule(at=ANY, one=ANY, byte=ANY, bit=st.integers(0, 7), column=st.sampled_from(["sealed", "sealed_reading", "mac"]))
    def attack_flip_a_bit(self, at: int, one: int, byte: int, bit: int, column: str) -> None:
        room = self.said(at)
        if room is None:
            return
        seq = one % len(room.log) + 1
        with self.rig.undone() as tx:
            value = tx.execute(_message(room, seq)).one()._asdict()[column]
            if value is not None:
                flipped = bytearray(value)
                flipped[byte % len(value)] ^= 1 << bit
                tx.execute(message.update().where(*_at(room, seq)).values({column: bytes(flipped)}))
                self.refused(tx, room)

    @rule(at=ANY, one=ANY)
    def attack_change_who_said_it(self, at: int, one: int) -> None:
        room = self.said(at)
        if room is None:
            return
        seq = one % len(room.log) + 1
        role = {"child": "confidant", "confidant": "child"}.get(room.log[seq - 1][0])
        with self.rig.undone() as tx:
            if role:
                tx.execute(message.update().where(*_at(room, seq)).values(role=role))
                self.refused(tx, room)

    @rule(at=ANY, one=ANY)
    def attack_drop_what_was_understood(self, at: int, one: int) -> None:
        room = self.said(at)
        seqs = [n for n, said in enumerate(room.log, 1) if said[2] is not None] if room else []
        if room and seqs:
            with self.rig.undone() as tx:
                tx.execute(message.update().where(*_at(room, seqs[one % len(seqs)])).values(sealed_reading=None))
                self.refused(tx, room)

    @rule(at=ANY, one=ANY)
    def attack_forge_words(self, at: int, one: int) -> None:
        """Sealed as the product seals: the public key stands in the database. Only the mac cannot be made."""
        room = self.said(at)
        seqs = [n for n, said in enumerate(room.log, 1) if said[0] != "bot"] if room else []
        if room and seqs:
            with self.rig.undone() as tx:
                row = tx.execute(_message(room, seqs[one % len(seqs)])).one()
                here = (conversation_key.c.conversation_id == room.talk.id, conversation_key.c.no == row.key_no)
                public = tx.execute(sa.select(conversation_key.c.public_key).where(*here)).scalar_one()
                forged = crypto.seal(public, crypto.pad(b"laat maar"), "words", room.talk.id, row.seq, row.key_no, row.role)
                tx.execute(message.update().where(*_at(room, row.seq)).values(sealed=forged))
                self.refused(tx, room)

    @rule(at=ANY, one=ANY)
    def attack_drop_a_message(self, at: int, one: int) -> None:
        room = self.said(at)
        if room is None:
            return
        with self.rig.undone() as tx:
            tx.execute(message.delete().where(*_at(room, one % len(room.log) + 1)))
            self.refused(tx, room)

    @rule(at=ANY, one=ANY)
    def attack_drop_a_message_and_close_the_gap(self, at: int, one: int) -> None:
        room = self.said(at, 2)
        if room is None:
            return
        gone = one % (len(room.log) - 1) + 1
        here = message.c.conversation_id == room.talk.id
        with self.rig.undone() as tx:
            tx.execute(message.delete().where(here, message.c.seq == gone))
            for seq in range(gone + 1, len(room.log) + 1):
                tx.execute(message.update().where(here, message.c.seq == seq).values(seq=seq - 1))
            tx.execute(conversation.update().where(conversation.c.id == room.talk.id).values(last_seq=len(room.log) - 1))
            self.refused(tx, room)

    @rule(at=ANY, one=ANY, step=st.integers(1, 9), with_mac=st.booleans())
    def attack_make_the_bot_say_something_else(self, at: int, one: int, step: int, with_mac: bool) -> None:
        """What it said elsewhere in this chat, in its place."""
        room = self.said(at)
        seqs = [n for n, said in enumerate(room.log, 1) if said[0] == "bot"] if room else []
        if room and len(seqs) > 1:
            here, there = seqs[one % len(seqs)], seqs[(one + step) % len(seqs)]
            if here == there:
                return
            with self.rig.undone() as tx:
                other = tx.execute(_message(room, there)).one()._asdict()
                change = {name: other[name] for name in ("sealed", "key_no", *(["mac"] if with_mac else []))}
                tx.execute(message.update().where(*_at(room, here)).values(**change))
                self.refused(tx, room)

    @precondition(lambda self: len(self.rooms) > 1)
    @rule(at=ANY, step=st.integers(1, 9))
    def attack_swap_wraps_between_chats(self, at: int, step: int) -> None:
        room, other = self.rooms[at % len(self.rooms)], self.rooms[(at + step) % len(self.rooms)]
        if room is other:
            return
        with self.rig.undone() as tx:
            for table, column in ((key_wrap, "sealed"), (conversation_key, "child_wrap")):
                for theirs in tx.execute(table.select().where(table.c.conversation_id == other.talk.id)).all():
                    here = table.c.conversation_id == room.talk.id
                    tx.execute(table.update().where(here).values({column: theirs._mapping[column]}))
            if room.web == other.web:
                self.refused(tx, room)

    @precondition(lambda self: self.rooms)
    @rule(at=ANY, knows_configuration=st.booleans())
    def attack_swap_the_conversation_key(self, at: int, knows_configuration: bool) -> None:
        """With the configuration the forger gets the mac right and new words are theirs, until the next reader notices."""
        room = self.rooms[at % len(self.rooms)]
        forged = crypto.public_key(self.rig.vault.new_private_key())
        with self.rig.undone() as tx:
            columns = (*keys.SCOPE, conversation.c.key_no)
            row = tx.execute(sa.select(*columns).where(conversation.c.id == room.talk.id)).one()
            mac = conversation_keys.key_mac(self.rig.vault, keys.scope_of(row), row.team_id, row.key_no, forged)
            if not knows_configuration:
                mac = tx.execute(sa.select(conversation_key.c.mac)).scalars().first() or bytes(32)
            here = (conversation_key.c.conversation_id == room.talk.id, conversation_key.c.no == row.key_no)
            tx.execute(conversation_key.update().where(*here).values(public_key=forged, mac=mac))
            here_now = {"conversation_id": room.talk.id, "role": "child", "text": "x"}
            refused = denied(lambda: keys.seal_words(tx, self.rig.vault, seq=99, **here_now))
            assert refused != knows_configuration
            self.refused(tx, room)

    @precondition(lambda self: any(room.web for room in self.rooms))
    @rule(at=ANY)
    def attack_swap_the_childs_key(self, at: int) -> None:
        """It would get the next conversation key at a rotation: nothing is sealed for it."""
        rooms = [room for room in self.rooms if room.web]
        room = rooms[at % len(rooms)]
        by = self.who(self.team[room.where][0])
        forged = crypto.public_key(self.rig.vault.new_private_key())
        with self.rig.undone() as tx:
            here = conversation.c.id == room.talk.id
            tx.execute(conversation.update().where(here).values(child_public_key=forged))
            keys.rotate(tx, self.rig.vault, by=by, team_id=room.where)
            assert denied(lambda: keys.rewrap(tx, self.rig.vault, by=by, conversation_id=room.talk.id))

    @precondition(lambda self: self.rooms)
    @rule(at=ANY)
    def attack_move_the_chat_to_another_gemeente(self, at: int) -> None:
        room = self.rooms[at % len(self.rooms)]
        other = "e" if room.where == "u" else "u"
        with self.rig.undone() as tx:
            here = conversation.c.id == room.talk.id
            tx.execute(conversation.update().where(here).values(team_id=other, municipality_id=other))
            self.refused(tx, room)
            stranger = self.who_in(tx, self.team[other][0])
            assert denied(keys.open_conversation, tx, self.rig.vault, room.talk.id, stranger)

    @rule(where=WHERE, knows_configuration=st.booleans())
    def attack_swap_the_team_key(self, where: str, knows_configuration: bool) -> None:
        member = self.team[where][0]
        forged = crypto.public_key(self.rig.vault.new_private_key())
        with self.rig.undone() as tx:
            epoch = tx.execute(sa.select(team.c.epoch).where(team.c.id == where)).scalar_one()
            mac = self.rig.vault.row_mac("team-key", where, epoch, forged) if knows_configuration else bytes(32)
            here = (team_key.c.team_id == where, team_key.c.epoch == epoch)
            tx.execute(team_key.update().where(*here).values(public_key=forged, mac=mac))
            for room in self.rooms:
                if room.where == where:
                    who = self.who_in(tx, member)
                    assert denied(keys.open_conversation, tx, self.rig.vault, room.talk.id, who)
            by = self.who_in(tx, member)
            assert denied(lambda: keys.rotate(tx, self.rig.vault, by=by, team_id=where))
            if not knows_configuration:
                assert denied(lambda: team_keys.current_public_keys(tx, self.rig.vault, [where]))

    @rule(where=WHERE)
    def attack_put_in_a_new_team_epoch(self, where: str) -> None:
        """Even with the configuration: the members do not hold it, so the next one who looks notices."""
        private = self.rig.vault.new_private_key()
        with self.rig.undone() as tx:
            epoch = tx.execute(sa.select(team.c.epoch).where(team.c.id == where)).scalar_one() + 1
            public = crypto.public_key(private)
            mac = self.rig.vault.row_mac("team-key", where, epoch, public)
            tx.execute(team_key.insert().values(team_id=where, epoch=epoch, public_key=public, mac=mac))
            tx.execute(team.update().where(team.c.id == where).values(epoch=epoch))
            for room in self.rooms:
                if room.where == where:
                    self.refused_by(tx, room, self.team[where][0])

    def refused_by(self, tx: Connection, room: Room, person_id: str) -> None:
        assert denied(keys.open_conversation, tx, self.rig.vault, room.talk.id, self.who_in(tx, person_id))

    @rule(where=WHERE)
    def attack_slip_in_a_member(self, where: str) -> None:
        """An admin with the database and the configuration copies a wrap to their own account, and waits for a rotation."""
        member = self.team[where][0]
        if not self.waiting[where]:
            return
        spy = self.waiting[where][0]
        with self.rig.undone() as tx:
            for row in tx.execute(team_wrap.select().where(team_wrap.c.team_id == where, team_wrap.c.person_id == member)).all():
                tx.execute(team_wrap.insert().values(**{**row._asdict(), "person_id": spy}))
            for room in self.rooms:
                if room.where == where:
                    self.refused_by(tx, room, spy)
            by = self.who_in(tx, member)
            assert denied(lambda: keys.rotate(tx, self.rig.vault, by=by, team_id=where))

    @rule(where=WHERE, at=ANY)
    def attack_swap_a_members_key(self, where: str, at: int) -> None:
        victim = self.team[where][at % len(self.team[where])]
        others = [member for member in self.team[where] if member != victim]
        with self.rig.undone() as tx:
            by = self.who_in(tx, others[0]) if others else None
            forged = crypto.public_key(self.rig.vault.new_private_key())
            tx.execute(person.update().where(person.c.id == victim).values(public_key=forged))
            assert denied(self.who_in, tx, victim)
            if by is not None:
                assert denied(lambda: keys.rotate(tx, self.rig.vault, by=by, team_id=where))

    @rule(where=WHERE)
    def attack_move_a_session(self, where: str) -> None:
        member, cookie = self.team[where][0], self.cookies[self.team["e" if where == "u" else "u"][0]]
        with self.rig.undone() as tx:
            theirs = sessions.resume(tx, self.rig.vault, cookie, now=NOW)
            tx.execute(session.update().where(session.c.id == theirs.session_id).values(person_id=member))
            assert denied(lambda: sessions.resume(tx, self.rig.vault, cookie, now=NOW))

    # what always holds

    @invariant()
    def exactly_the_team_and_the_child_read(self) -> None:
        if not hasattr(self, "rig"):
            return
        with self.rig.engine.begin() as tx:
            people = {person_id: self.who_in(tx, person_id) for person_id in self.cookies}
            for room in [*self.rooms, *self.erased]:
                for person_id, who in people.items():
                    reads = person_id in self.team[room.where] and room not in self.erased
                    self.check_reader(tx, room, who, reads=reads)
                child = self.rig.vault.child_key(room.talk.token)
                if room.web and room not in self.erased:
                    log = [(m.role, m.text) for m in keys.open_conversation(tx, self.rig.vault, room.talk.id, child)]
                    assert log == [(role, text) for role, text, _ in room.log]
                else:
                    assert denied(keys.open_conversation, tx, self.rig.vault, room.talk.id, child)

    def check_reader(self, tx: Connection, room: Room, who: Unlocked, *, reads: bool) -> None:
        if not reads:
            assert denied(keys.open_conversation, tx, self.rig.vault, room.talk.id, who)
            return
        opened = keys.open_conversation(tx, self.rig.vault, room.talk.id, who)
        seen = [
            (role, None, None) if at < room.lost else (role, text, reading) for at, (role, text, reading) in enumerate(room.log)
        ]
        assert [(m.role, m.text, m.reading) for m in opened] == seen
        assert all(m.lost == (m.seq <= room.lost) for m in opened)

    @invariant()
    def who_printed_a_passphrase_opens_nothing_that_comes(self) -> None:
        """Their member key is void, and none of the team keys it ever opened fits the key that words are sealed to now."""
        if not self.thieves:
            return
        with self.rig.engine.begin() as tx:
            for old, where, stolen in self.thieves:
                for room in self.rooms:
                    assert denied(keys.open_conversation, tx, self.rig.vault, room.talk.id, old)
                    if room.where == where:
                        self.check_closed(tx, room, stolen)

    def check_closed(self, tx: Connection, room: Room, stolen: list[bytes]) -> None:
        no = tx.execute(sa.select(conversation.c.key_no).where(conversation.c.id == room.talk.id)).scalar_one()
        here = (key_wrap.c.conversation_id == room.talk.id, key_wrap.c.no == no)
        wraps = tx.execute(sa.select(key_wrap).where(*here)).all()
        assert wraps
        for wrap in wraps:
            place = conversation_keys.binding_of(wrap)
            sealed = crypto.unlock(self.rig.vault.bucket(room.day), wrap.sealed, "bucket", *place)
            assert all(denied(crypto.unseal, private, sealed, "conversation", *place) for private in stolen)

    @invariant()
    def dead_cookies_stay_dead(self) -> None:
        assert all(denied(self.rig.who, cookie) for cookie in self.dead_cookies)


def _at(room: Room, seq: int) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return message.c.conversation_id == room.talk.id, message.c.seq == seq


def _message(room: Room, seq: int) -> sa.Select[Any]:
    return message.select().where(*_at(room, seq))


def _write(tx: Connection, room: Room, seq: int, values: dict[str, Any]) -> None:
    """Replace a row wholly, as somebody with the database in their hands can."""
    tx.execute(message.delete().where(*_at(room, seq)))
    tx.execute(message.insert().values(**values))


@proof
def test_only_team_and_child_read_whatever_happens() -> None:
    run_state_machine_as_test(
        Keys,
        settings=settings(
            max_examples=size(15, 500),
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        ),
    )
