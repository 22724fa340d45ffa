"""A thief has the database, its log and the configuration, and tries every 32 bytes of the loot as every kind of key.

Nothing opens. That the search itself works is shown by planting each kind of key in the loot: every one is found.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.channels.telegram.spec import SPEC
from handoff import crypto
from handoff.accounts import credentials, sessions
from handoff.chats import conversation as conversations
from handoff.chats import deletions, messages
from handoff.chats.conversation import Door
from handoff.crypto import X25519, Vault
from handoff.keys.conversation import binding_of
from handoff.models import (
    conversation,
    conversation_key,
    deletion,
    key_wrap,
    message,
    outbox,
    person,
    session,
    team_key,
    team_wrap,
)
from tests.handoff.rig import DAY, NOW, SECRET, TOY, Rig, Talk, denied, sqlite_rig

CHAT, ERASED = b"4512345678901", b"4698765432109"

DISTINCT = 13
"""A window with fewer different bytes is padding or page structure, not 32 random bytes (chance of a miss: below 1e-9)."""


@dataclass(frozen=True)
class Stolen:
    """Rows as the thief reads them."""

    publics: dict[bytes, str]
    locked: list[tuple[str, bytes, tuple[str | int | bytes, ...]]]
    sessions: dict[bytes, str]
    children: dict[bytes, str]


@dataclass(frozen=True)
class Scene:
    """The house, and the secrets that were never written down."""

    rig: Rig
    folder: Path
    talk: Talk
    cookie: bytes
    member_key: bytes
    passphrase_key: bytes
    team_key: bytes
    words_key: bytes


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A lively house: two members, sessions open and ended, chats, a rotation, a renewed passphrase."""
    folder = tmp_path_factory.mktemp("house")
    rig = sqlite_rig(folder, suite=X25519)
    anna, bram = rig.founder("u"), rig.person("u")
    who = rig.signed_in(anna)
    rig.grant(who, bram)
    talk = rig.talk("u")
    rig.say(talk.id, "mijn oom slaat mij", reading="disclose_physical_abuse")
    rig.refer(talk.id, (7, 0))
    rig.rotate(who, "u")
    rig.say(talk.id, "ben je er nog")
    ended = rig.signed_in(bram)
    with rig.engine.begin() as tx:
        sessions.end_session(tx, ended.session_id)
    _on_telegram(rig, anna)
    yield _scene(rig, folder, talk, anna)
    rig.engine.dispose()


def _on_telegram(rig: Rig, anna: str) -> None:
    """A chat whose answer still waits in the outbox, and one that was erased here and has still to be deleted there."""
    days = (date.fromisoformat(DAY) - NOW.date()).days
    with rig.engine.begin() as tx:
        chat = conversations.begin(
            tx, rig.vault, Door("telegram", CHAT, CHAT), municipality_id="u", team_id="u", retention_days=days, now=NOW, order=7
        )
        messages.add_confidant_words(tx, rig.vault, chat, external_id="c1", text="ik ben er", person_id=anna, now=NOW)
        auth = rig.vault.child_auth("telegram", ERASED)
        deletions.put(tx, rig.vault, channel=SPEC, auth=auth, address=ERASED, numbers=[101, 102], wish=102, now=NOW)


def _scene(rig: Rig, folder: Path, talk: Talk, anna: str) -> Scene:
    cookie = rig.sign_in(anna)
    who = rig.who(cookie)
    with rig.engine.begin() as tx:
        row = credentials.look_up(tx, rig.login_of(anna))
        wrap = tx.execute(sa.select(team_wrap).where(team_wrap.c.person_id == anna)).one()
        lock = tx.execute(sa.select(key_wrap).where(key_wrap.c.epoch == wrap.epoch, key_wrap.c.no == 2)).one()
    team_private = crypto.unseal(who.private_key, wrap.sealed, "team", "u", wrap.epoch, anna)
    sealed = crypto.unlock(rig.vault.bucket(DAY), lock.sealed, "bucket", *binding_of(lock))
    return Scene(
        rig, folder, talk, cookie, who.private_key[1:], rig.vault.stretch(rig.phrases[anna], row.salt, TOY), team_private[1:],
        crypto.unseal(team_private, sealed, "conversation", *binding_of(lock))[1:],
    )  # fmt: skip


def _stolen(rig: Rig, *, bucket: bool = True) -> Stolen:
    with rig.engine.connect() as tx:
        publics = {row.public_key: "member key" for row in tx.execute(sa.select(person.c.public_key))}
        publics |= {row.public_key: "team key" for row in tx.execute(sa.select(team_key.c.public_key))}
        publics |= {row.public_key: "conversation key" for row in tx.execute(sa.select(conversation_key.c.public_key))}
        publics |= {row.child_public_key: "child key" for row in tx.execute(sa.select(conversation.c.child_public_key))}
        locked: list[tuple[str, bytes, tuple[str | int | bytes, ...]]] = []
        locked += [("passphrase key", p.locked_key, ("member", p.id, p.kdf)) for p in tx.execute(sa.select(person))]
        locked += [
            ("session key", s.locked_key, ("session", s.person_id, s.id, s.expires_at.isoformat(timespec="microseconds")))
            for s in tx.execute(sa.select(session))
        ]
        if bucket:
            wraps = tx.execute(sa.select(key_wrap))
            locked += [("expiry key", w.sealed, ("bucket", *binding_of(w))) for w in wraps]
            held = [row for row in tx.execute(sa.select(conversation_key)) if row.child_wrap is not None]
            locked += [("expiry key", k.child_wrap, ("bucket", k.conversation_id, k.no, "child")) for k in held]
        sessions = {row.id: "cookie" for row in tx.execute(sa.select(session.c.id))}
        children = {row.child_auth: "child token" for row in tx.execute(sa.select(conversation.c.child_auth))}
    publics[rig.vault.key_files.read("delivery.pub")] = "delivery key"
    return Stolen(publics, locked, sessions, children)


def _windows(loot: bytes) -> set[bytes]:
    every = {loot[at : at + 32] for at in range(len(loot) - 31)}
    return {window for window in every if len(set(window)) >= DISTINCT}


def _opened_by(vault: Vault, stolen: Stolen, windows: set[bytes]) -> set[str]:
    """The kinds of key that are among these windows; `vault` is the thief's own, made from the stolen configuration."""
    found: set[str] = set()
    for window in windows:
        for private in (X25519 + window, vault.child_key(window).private(X25519)):
            found |= {stolen.publics.get(crypto.public_key(private), "")}
        found |= {stolen.sessions.get(vault.session_keys(window)[0], "")}
        found |= {stolen.children.get(vault.child_auth("webchat", window), "")}
        for key in (window, vault.session_keys(window)[1]):
            for kind, blob, context in stolen.locked:
                if not denied(crypto.unlock, key, blob, *context):
                    found.add(kind)
    return found - {""}


def _loot(scene: Scene) -> bytes:
    files = sorted(scene.folder.glob("house.db*"))
    assert [file.name for file in files] == ["house.db", "house.db-shm", "house.db-wal"]
    assert files[2].stat().st_size > 50_000
    return b"".join(file.read_bytes() for file in files) + SECRET


def test_database_log_and_configuration_open_nothing(scene: Scene, tmp_path: Path) -> None:
    thief = Vault.founded(SECRET, tmp_path / "thief", suite=X25519, cost=TOY)
    windows = _windows(_loot(scene))
    derived = {crypto.derive(SECRET, purpose) for purpose in ("row-mac", "pepper", "child-auth", "session", "member-lock")}
    assert len(windows) > 5000
    assert _opened_by(thief, _stolen(scene.rig), windows | derived) == set()


@pytest.mark.parametrize(
    ("secret", "kinds"),
    [
        ("cookie", {"cookie", "session key"}),
        ("member_key", {"member key"}),
        ("passphrase_key", {"passphrase key"}),
        ("team_key", {"team key"}),
        ("words_key", {"conversation key"}),
        ("token", {"child key", "child token"}),
        ("delivery", {"delivery key"}),
        ("bucket", {"expiry key"}),
    ],
)
def test_a_planted_key_of_each_kind_is_found(scene: Scene, tmp_path: Path, secret: str, kinds: set[str]) -> None:
    """Without this the test above could pass because the thief looks in the wrong way."""
    delivery = scene.rig.vault.key_files.read("delivery.key")[1:]
    hidden = {"token": scene.talk.token, "delivery": delivery, "bucket": scene.rig.vault.bucket(DAY)}
    planted = b"page" + (hidden[secret] if secret in hidden else getattr(scene, secret)) + b"page"
    thief = Vault.founded(SECRET, tmp_path / "thief", suite=X25519, cost=TOY)
    assert _opened_by(thief, _stolen(scene.rig), _windows(planted)) == kinds


def test_with_the_key_directory_too_only_its_own_lock_and_the_outbox_open(scene: Scene, tmp_path: Path) -> None:
    """The expiry keys take off the outer lock. Inside is a seal to the team and the child, and still nothing that opens it."""
    thief = Vault.founded(SECRET, tmp_path / "thief", suite=X25519, cost=TOY)
    files = {file.name: file.read_bytes() for file in (scene.folder / "keys").iterdir()}
    inner = b""
    with scene.rig.engine.connect() as tx:
        for w in tx.execute(sa.select(key_wrap)):
            inner += crypto.unlock(files[f"{DAY}.bucket"], w.sealed, "bucket", *binding_of(w))
        for k in tx.execute(sa.select(conversation_key).where(conversation_key.c.child_wrap.is_not(None))):
            inner += crypto.unlock(files[f"{DAY}.bucket"], k.child_wrap, "bucket", k.conversation_id, k.no, "child")
    windows = _windows(b"".join(files.values())) | _windows(inner)
    assert _opened_by(thief, _stolen(scene.rig, bucket=False), windows) == {"delivery key"}
    assert _opened_by(thief, _stolen(scene.rig), _windows(files[f"{DAY}.bucket"])) == {"expiry key"}


def test_no_words_tokens_or_passphrases_stand_in_the_files(scene: Scene) -> None:
    loot = _loot(scene) + b"".join(file.read_bytes() for file in (scene.folder / "keys").iterdir())
    hidden = [CHAT, ERASED, b"slaat", b"disclose", b"ben je er nog", b"ik ben er", scene.talk.token, scene.cookie, scene.member_key,
              scene.team_key, scene.words_key, scene.passphrase_key]  # fmt: skip
    hidden += [phrase.encode() for phrase in scene.rig.phrases.values()]
    for secret in hidden:
        for form in (secret, secret.hex().encode(), repr(secret)[2:-1].encode()):
            assert form not in loot
    assert b"telegram" in loot  # the search does find what stands there


def test_what_waits_for_telegram_opens_with_the_delivery_key_alone(scene: Scene, tmp_path: Path) -> None:
    """The address of a chat, a human's words that wait, and the address of what has still to be deleted."""
    with scene.rig.engine.connect() as tx:
        (chat,) = tx.execute(sa.select(conversation).where(conversation.c.channel == "telegram"))
        (waits,) = tx.execute(sa.select(outbox))
        (job,) = tx.execute(sa.select(deletion))
    auth = job.child_auth.hex()
    blobs = [
        (chat.address, ("address", chat.id), CHAT),
        (waits.sealed, ("words", chat.id, waits.seq), b"ik ben er"),
        (job.address, ("deletion", auth), ERASED),
    ]
    thief = Vault.founded(SECRET, tmp_path / "thief", suite=X25519, cost=TOY)
    thief.seal_for_delivery(b"", "a key of its own")
    for blob, context, told in blobs:
        assert denied(lambda b=blob, c=context: thief.open_for_delivery(b, *c)), context[0]
        assert scene.rig.vault.open_for_delivery(blob, *context) == told, "and that is what the delivery process needs"
    assert denied(lambda: scene.rig.vault.open_for_delivery(job.address, "deletion", chat.child_auth.hex())), "not another's"
    assert {chat.child_auth, job.child_auth}.isdisjoint({CHAT, ERASED})


def test_the_rows_hold_what_the_promise_says(scene: Scene) -> None:
    with scene.rig.engine.connect() as tx:
        for row in tx.execute(sa.select(message)):
            assert row.sealed is not None
