"""The first sign-in: whoever printed the passphrase, and kept it with every row and the configuration, is out from then on.

The thief here has everything but a passphrase of somebody's own: the printed one, the configuration, the key directory, and all
rows from before and after. They try every key that they find on every seal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa

from handoff import crypto, keys
from handoff.accounts import credentials, sessions
from handoff.accounts.credentials import LoginRow
from handoff.crypto import X25519
from handoff.errors import Conflict, Denied, NotFound
from handoff.keys import first_sign_in
from handoff.keys.conversation import binding_of
from handoff.keys.opening import open_words
from handoff.models import conversation_key, key_wrap, metadata, session, team
from handoff.team import people, teamwork
from tests.handoff.rig import NOW, Rig, denied, sqlite_rig
from tests.make import key_code

T = TypeVar("T")


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """A house of keys on SQLite; the older suite, because the thief makes thousands of attempts."""
    made = sqlite_rig(tmp_path, suite=X25519)
    yield made
    made.engine.dispose()


class Thief:
    """Whoever printed the passphrases. `copy` keeps all rows as they are at that moment."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.rows: dict[str, set[Any]] = {}

    def copy(self) -> None:
        with self.rig.engine.connect() as tx:
            for table in metadata.sorted_tables:
                self.rows.setdefault(table.name, set()).update(tx.execute(sa.select(table)).all())

    def reads(self, phrase: str) -> set[str]:
        """Every word that opens, beginning with nothing but a printed passphrase."""
        vault = self.rig.vault
        mine = _all(lambda row: credentials.unlock(vault, _login(row), phrase), [(row,) for row in self.rows["person"]])
        team = _all(
            lambda key, w: crypto.unseal(key, w.sealed, "team", w.team_id, w.epoch, w.person_id),
            _pairs(mine, self.rows["team_wrap"]),
        )
        chats = _all(self._chat_key, _pairs(team, self.rows["key_wrap"]))
        said = [row for row in self.rows["message"] if row.sealed]
        return {words.decode() for words in _all(_words, _pairs(chats, said))}

    def _chat_key(self, team_key: bytes, wrap: Any) -> bytes:
        place = binding_of(wrap)
        day = next(row.expires_on for row in self.rows["conversation"] if row.id == wrap.conversation_id)
        sealed = crypto.unlock(self.rig.vault.bucket(day), wrap.sealed, "bucket", *place)
        return crypto.unseal(team_key, sealed, "conversation", *place)


def _words(chat_key: bytes, m: Any) -> bytes:
    return open_words(chat_key, m.sealed, None, m.conversation_id, m.seq, m.key_no, m.role)[0].encode()


def _login(row: Any) -> LoginRow:
    names = LoginRow.__dataclass_fields__
    return LoginRow(person_id=row.id, **{name: getattr(row, name) for name in names if name != "person_id"})


def _pairs(found: set[bytes], rows: Any) -> list[tuple[bytes, Any]]:
    return [(key, row) for key in found for row in rows]


def _all(opens: Callable[..., bytes], attempts: list[tuple[Any, ...]]) -> set[bytes]:
    found = set()
    for attempt in attempts:
        try:
            found.add(opens(*attempt))
        except Denied:
            continue
    return found


def _changes(thief: Thief, rig: Rig, person_id: str) -> bytes:
    """The thief copies all, the person signs in for the first time and takes a key of their own."""
    thief.copy()
    cookie = rig.sign_in(person_id)
    thief.copy()
    rig.take_own_key(cookie)
    return cookie


def test_who_printed_a_founders_passphrase_reads_nothing_written_after_the_first_sign_in(rig: Rig) -> None:
    thief, anna = Thief(rig), rig.founder("u", printed=True)
    printed = rig.phrases[anna]
    old, idle = rig.talk("u"), rig.talk("u", web=False)
    rig.say(old.id, "ervoor")
    cookie = _changes(thief, rig, anna)
    rig.say(old.id, "erna in hetzelfde gesprek")
    rig.say(idle.id, "erna in een leeg gesprek")
    rig.say(rig.talk("u").id, "erna in een nieuw gesprek")
    thief.copy()
    assert thief.reads(printed) == {"ervoor"}, "what was written before is in reach; that also shows that the search works"
    assert rig.texts(rig.who(cookie), old.id) == ["ervoor", "erna in hetzelfde gesprek"]
    assert rig.texts(rig.vault.child_key(old.token), old.id) == ["ervoor", "erna in hetzelfde gesprek"]
    assert denied(rig.sign_in, anna, printed)


@pytest.mark.parametrize("first", [0, 1])
def test_two_printed_colleagues_as_in_the_demo_both_get_out_of_reach(rig: Rig, first: int) -> None:
    thief = Thief(rig)
    mehmet = rig.person("u", printed=True, invited=False)
    people = [rig.founder("u", printed=True, beside=[mehmet]), mehmet]
    printed = [rig.phrases[person_id] for person_id in people]
    talk = rig.talk("u")
    rig.say(talk.id, "niemand is er nog")
    one, other = people[first], people[1 - first]
    cookies = [_changes(thief, rig, one)]
    rig.say(talk.id, "er is er één")
    thief.copy()
    assert thief.reads(printed[first]) == {"niemand is er nog"}
    assert thief.reads(printed[1 - first]) == {"niemand is er nog", "er is er één"}
    cookies.append(_changes(thief, rig, other))
    rig.say(talk.id, "ze zijn er allebei")
    thief.copy()
    for phrase in printed:
        assert "ze zijn er allebei" not in thief.reads(phrase)
    for cookie in cookies:
        assert len(rig.texts(rig.who(cookie), talk.id)) == 3
    assert rig.who(cookies[0]).person_id == one


def test_who_printed_the_passphrase_of_an_invited_colleague_never_reads_a_word(rig: Rig) -> None:
    thief, anna, bram = Thief(rig), rig.founder("u"), rig.person("u", printed=True)
    printed, talk = rig.phrases[bram], rig.talk("u")
    rig.say(talk.id, "ervoor")
    cookie = _changes(thief, rig, bram)
    assert denied(rig.read, rig.who(cookie), talk.id)
    rig.grant(rig.signed_in(anna), bram)
    rig.say(talk.id, "erna")
    thief.copy()
    assert thief.reads(printed) == set()
    assert rig.texts(rig.who(cookie), talk.id) == ["ervoor", "erna"]
    assert _epoch(rig) == 1, "nothing was sealed to the printed key, so the team's key may stay"


def _epoch(rig: Rig) -> int:
    with rig.engine.connect() as tx:
        return int(tx.execute(sa.select(team.c.epoch).where(team.c.id == "u")).scalar_one())


def test_the_key_code_changes_so_a_colleague_must_wait_for_the_first_sign_in(rig: Rig) -> None:
    rig.founder("u")
    bram = rig.person("u", printed=True)
    with rig.engine.begin() as tx:
        before = key_code(tx, bram)
    rig.take_own_key(rig.sign_in(bram))
    with rig.engine.begin() as tx:
        assert key_code(tx, bram) != before


def test_this_session_goes_on_and_every_other_ends(rig: Rig) -> None:
    anna = rig.founder("u", printed=True)
    here, elsewhere = rig.sign_in(anna), rig.sign_in(anna)
    assert rig.who(here).must_renew
    rig.take_own_key(here)
    assert denied(rig.who, elsewhere)
    assert not rig.who(here).must_renew
    assert rig.who(rig.sign_in(anna)).private_key == rig.who(here).private_key
    with rig.engine.begin() as tx:
        assert tx.execute(sa.select(sa.func.count()).select_from(session)).scalar_one() == 2


def test_colleagues_who_were_there_keep_reading_everything(rig: Rig) -> None:
    """A printed member among settled ones: one of those who founded the team, as in the demo."""
    bram, cato = rig.person("u", printed=True, invited=False), rig.person("u")
    anna = rig.founder("u", beside=[bram])
    who = rig.signed_in(anna)
    rig.grant(who, cato)
    talks = [rig.talk("u") for _ in range(first_sign_in.FEW + 3)]
    for talk in talks:
        rig.say(talk.id, "hoi")
    with rig.engine.begin() as tx:
        keys.rotate(tx, rig.vault, by=who, team_id="u")  # and a rotation that nobody finished
    cookie = rig.sign_in(bram)
    private, here = rig.vault.new_private_key(), rig.who(cookie)
    key = credentials.lock_key(rig.vault, bram, private, "zes woorden van hem zelf")
    with rig.engine.begin() as tx:
        behind = first_sign_in.take_own_key(tx, rig.vault, who=here, cookie=cookie, private_key=private, key=key, now=NOW)
        assert behind == ["u"]
        assert len(keys.to_rewrap(tx, "u")) == 3
    for person_id in (anna, cato):
        assert [rig.texts(rig.signed_in(person_id), talk.id) for talk in talks] == [["hoi"]] * len(talks)
    assert [rig.texts(rig.who(cookie), talk.id) for talk in talks] == [["hoi"]] * len(talks)
    rig.rotate(rig.who(cookie), "u")


def test_a_chat_whose_day_is_gone_does_not_stop_the_first_sign_in(rig: Rig) -> None:
    anna = rig.founder("u", printed=True)
    gone, talk = rig.talk("u", expires_on="2026-12-01"), rig.talk("u")
    rig.say(talk.id, "hoi")
    rig.vault.destroy_bucket("2026-12-01")
    cookie = rig.sign_in(anna)
    rig.take_own_key(cookie)
    assert rig.texts(rig.who(cookie), talk.id) == ["hoi"]
    assert denied(rig.read, rig.who(cookie), gone.id)


def test_what_may_not_be_stored_is_refused_and_changes_nothing(rig: Rig) -> None:
    anna, bram = rig.founder("u", printed=True), rig.person("u", printed=True)
    cookie, theirs = rig.sign_in(anna), rig.sign_in(bram)
    who, private = rig.who(cookie), rig.vault.new_private_key()
    key = credentials.lock_key(rig.vault, anna, private, "zes woorden van haar zelf")
    kept = credentials.lock_key(rig.vault, anna, who.private_key, "zes woorden van haar zelf")
    for_bram = credentials.lock_key(rig.vault, bram, private, "zes woorden van haar zelf")
    with rig.undone() as tx:
        assert denied(sessions.renew_passphrase, tx, who, kept), "the printed key is never kept"
        wrong = [
            {"who": who, "cookie": cookie, "private_key": who.private_key, "key": kept},
            {"who": who, "cookie": cookie, "private_key": rig.vault.new_private_key(), "key": key},
            {"who": who, "cookie": cookie, "private_key": private, "key": for_bram},
        ]
        for values in wrong:
            assert denied(lambda values=values: first_sign_in.take_own_key(tx, rig.vault, **values, now=NOW))
    with rig.undone() as tx:
        assert denied(
            lambda: first_sign_in.take_own_key(tx, rig.vault, who=who, cookie=theirs, private_key=private, key=key, now=NOW)
        )
    rig.take_own_key(cookie)
    settled = rig.who(cookie)
    with rig.undone() as tx:
        assert denied(
            lambda: first_sign_in.take_own_key(tx, rig.vault, who=settled, cookie=cookie, private_key=private, key=key, now=NOW)
        )


def test_a_swapped_team_key_stops_the_first_sign_in(rig: Rig) -> None:
    anna = rig.founder("u", printed=True)
    cookie = rig.sign_in(anna)
    with rig.engine.begin() as tx:
        forged = crypto.public_key(rig.vault.new_private_key())
        epoch = rig.vault.row_mac("team-key", "u", 1, forged)
        tx.execute(metadata.tables["team_key"].update().values(public_key=forged, mac=epoch))
    assert denied(rig.take_own_key, cookie)
    assert rig.who(cookie).must_renew


# a forgotten passphrase


def test_a_printed_key_that_was_replaced_by_another_printed_one_is_out_of_reach_too(rig: Rig) -> None:
    """Printed for a founder, forgotten before the first sign-in, printed again: the first phrase opened the team's key."""
    thief, bram = Thief(rig), rig.person("u", printed=True, invited=False)
    anna = rig.founder("u", beside=[bram])
    printed = rig.phrases[bram]
    thief.copy()
    talk = rig.talk("u")
    rig.forget(bram)
    cookie = rig.sign_in(bram)
    rig.take_own_key(cookie)
    who = rig.signed_in(anna)
    with rig.engine.begin() as tx:
        code = key_code(tx, bram)
        assert teamwork.let_in(tx, rig.vault, who, bram, code, NOW) == ["u"]
    with rig.engine.begin() as tx:
        teamwork.rewrap(tx, rig.vault, who, talk.id)
    rig.say(talk.id, "erna")
    thief.copy()
    assert thief.reads(printed) == set()
    assert rig.texts(rig.who(cookie), talk.id) == ["erna"]


def test_a_colleague_lets_in_again_who_forgot_and_no_word_is_lost(rig: Rig) -> None:
    anna, bram = rig.founder("u"), rig.person("u")
    rig.grant(rig.signed_in(anna), bram)
    talk = rig.talk("u")
    rig.say(talk.id, "hoi")
    with rig.engine.begin() as tx:
        assert not people.stands_alone(tx, bram)
    rig.forget(bram)
    cookie = rig.sign_in(bram)
    rig.take_own_key(cookie)
    assert denied(rig.read, rig.who(cookie), talk.id)
    rig.grant(rig.signed_in(anna), bram)
    assert rig.texts(rig.who(cookie), talk.id) == ["hoi"]
    assert _epoch(rig) == 1


def test_the_last_one_who_forgot_starts_again_and_new_words_are_read(rig: Rig) -> None:
    anna, gone, invited = rig.founder("u"), rig.person("u"), rig.person("u")
    rig.grant(rig.signed_in(anna), gone)
    talk, untouched = rig.talk("u"), rig.talk("e") if rig.founder("e") else None
    rig.say(talk.id, "lang geleden", reading="vague_distress")
    rig.refer(talk.id, (7, 0))
    before = rig.sign_in(anna)
    with rig.engine.begin() as tx:
        people.disable(tx, rig.vault, login=rig.login_of(gone), now=NOW)
        assert people.stands_alone(tx, anna)
        fresh = credentials.new_key(rig.vault, "weer een gedrukte zin", person_id=anna)
        with pytest.raises(Conflict):
            people.renew(tx, rig.vault, fresh, lose_words=False, now=NOW)
    assert not denied(rig.who, before), "without a yes nothing has happened"
    thief = Thief(rig)
    rig.forget(anna)
    printed = rig.phrases[anna]
    rig.say(talk.id, "ben je er nog")
    cookie = _changes(thief, rig, anna)
    rig.say(talk.id, "hallo?", reading="ask_human")
    who = rig.who(cookie)
    opened = rig.read(who, talk.id)
    assert [(m.text, m.reading, m.lost) for m in opened] == [
        (None, None, True), (None, None, True), ("ben je er nog", None, False), ("hallo?", "ask_human", False),
    ]  # fmt: skip
    assert rig.texts(rig.vault.child_key(talk.token), talk.id) == ["lang geleden", None, "ben je er nog", "hallo?"]
    assert untouched is not None
    thief.copy()
    assert thief.reads(printed) == {"ben je er nog"}
    rig.grant(who, invited)
    assert [m.text for m in rig.read(rig.signed_in(invited), talk.id)] == [None, None, "ben je er nog", "hallo?"]
    rig.rotate(who, "u")
    assert [m.lost for m in rig.read(who, talk.id)] == [True, True, False, False]


def test_nobody_founds_a_team_again_while_a_colleague_holds_its_key(rig: Rig) -> None:
    anna, bram = rig.founder("u"), rig.person("u")
    rig.grant(rig.signed_in(anna), bram)
    with rig.undone() as tx, pytest.raises(Conflict):
        keys.replace_lost_key(tx, rig.vault, team_id="u", person_id=anna, now=NOW)


def test_only_the_oldest_words_can_be_lost_a_gap_in_the_middle_is_tampering(rig: Rig) -> None:
    anna = rig.founder("u")
    who, talk = rig.signed_in(anna), rig.talk("u")
    for text in ("een", "twee", "drie"):
        rig.say(talk.id, text)
        rig.rotate(who, "u")
    rig.say(talk.id, "vier")

    def drop(no: int) -> Callable[[sa.Connection], object]:
        return lambda tx: tx.execute(key_wrap.delete().where(key_wrap.c.no == no))

    assert rig.attacked(drop(2), who, talk.id)
    assert rig.attacked(drop(4), who, talk.id)
    with rig.undone() as tx:
        drop(1)(tx)
        assert [(m.text, m.lost) for m in keys.open_conversation(tx, rig.vault, talk.id, who)][:2] == [
            (None, True),
            ("twee", False),
        ]
        child = rig.vault.child_key(talk.token)
        tx.execute(conversation_key.update().where(conversation_key.c.no == 1).values(child_wrap=None))
        assert denied(keys.open_conversation, tx, rig.vault, talk.id, child)


def test_a_person_unknown_or_gone_is_not_found(rig: Rig) -> None:
    anna = rig.founder("u")
    with rig.engine.begin() as tx:
        assert people.find(tx, rig.vault, " P0 ").id == anna
        people.disable(tx, rig.vault, login="p0", now=NOW)
        for login in ("p0", "niemand", "\ud83d"):
            with pytest.raises(NotFound):
                people.find(tx, rig.vault, login)
