"""The vault alone: sealing, locking, padding, costs, known answers, and what it refuses to start with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from hypothesis import given
from hypothesis import strategies as st

from handoff import crypto
from handoff.crypto import X25519, XWING, Cost, Vault, hpke
from handoff.crypto.key_directory import Unfit
from handoff.crypto.known_answers import KNOWN, SEED, KnownAnswers
from handoff.errors import Denied
from tests.handoff.rig import SECRET, TOY, denied

PART = st.one_of(st.binary(max_size=8), st.text(st.characters(), max_size=4), st.integers(0, 99))
SUITES = pytest.mark.parametrize("suite", [X25519, XWING], ids=["x25519", "xwing"])


@SUITES
@given(data=st.binary(max_size=700), context=st.lists(PART, max_size=4))
def test_what_is_sealed_opens_with_its_key_and_context_only(suite: bytes, data: bytes, context: list[bytes | str | int]) -> None:
    private = crypto.new_private_key(suite)
    blob = crypto.seal(crypto.public_key(private), data, *context)
    assert blob[:1] == suite
    assert crypto.unseal(private, blob, *context) == data
    assert denied(crypto.unseal, private, blob, *context, 0)
    assert denied(crypto.unseal, crypto.new_private_key(suite), blob, *context)


@SUITES
def test_a_key_that_is_expanded_once_opens_what_the_key_opens_and_nothing_else(suite: bytes) -> None:
    private = crypto.new_private_key(suite)
    public, expanded = crypto.public_key(private), crypto.ExpandedKey(private)
    blobs = [crypto.seal(public, str(number).encode(), number) for number in range(3)]
    assert [crypto.unseal(expanded, blob, number) for number, blob in enumerate(blobs)] == [b"0", b"1", b"2"]
    assert expanded.parsed is expanded.parsed, "once"
    assert denied(crypto.unseal, expanded, blobs[0], 1)
    assert denied(crypto.unseal, crypto.ExpandedKey(crypto.new_private_key(suite)), blobs[0], 0)
    assert denied(crypto.unseal, crypto.ExpandedKey(private[:-1]), blobs[0], 0)
    together = crypto.seal_together(public, [b"a", b"b"], "here")
    assert crypto.unseal_together(expanded, together, "here") == [b"a", b"b"]


@SUITES
def test_every_changed_byte_is_noticed(suite: bytes) -> None:
    private = crypto.new_private_key(suite)
    blob = crypto.seal(crypto.public_key(private), b"hoi", "here")
    for place in range(0, len(blob), 7):
        changed = blob[:place] + bytes([blob[place] ^ 1]) + blob[place + 1 :]
        assert denied(crypto.unseal, private, changed, "here"), place
    for cut in (0, 1, 33, len(blob) - 1):
        assert denied(crypto.unseal, private, blob[:cut], "here")


@given(st.lists(PART, max_size=5), st.lists(PART, max_size=5))
def test_different_contexts_never_give_the_same_bytes(one: list[bytes | str | int], other: list[bytes | str | int]) -> None:
    same = [(type(x), x) for x in one] == [(type(x), x) for x in other]
    assert (crypto.bind(*one) == crypto.bind(*other)) == same


def test_half_a_character_is_a_context_of_its_own() -> None:
    assert len({crypto.bind("\ud83d"), crypto.bind("?"), crypto.bind("\ufffd"), crypto.bind("\ude00")}) == 4


def test_a_context_of_another_type_is_refused_without_a_word() -> None:
    with pytest.raises(Denied):
        crypto.bind(None)  # type: ignore[arg-type]


@given(st.binary(max_size=1100))
def test_padding_hides_the_length_and_comes_off_exactly(data: bytes) -> None:
    padded = crypto.pad(data)
    assert len(padded) % 256 == 0
    assert len(padded) - len(data) <= 256
    assert crypto.unpad(padded) == data


@pytest.mark.parametrize("bad", [b"", bytes(256), b"\x80" + bytes(254), b"a" * 256])
def test_padding_that_we_did_not_make_is_refused(bad: bytes) -> None:
    with pytest.raises(Denied):
        crypto.unpad(bad)


def test_yes_and_no_are_the_same_size_at_rest() -> None:
    public = crypto.public_key(crypto.new_private_key(XWING))
    assert len(crypto.seal(public, crypto.pad(b"ja"))) == len(crypto.seal(public, crypto.pad(b"nee, mijn oom doet dat")))


def test_the_public_key_is_that_of_the_x_wing_draft() -> None:
    """First test vector of draft-connolly-cfrg-xwing-kem: the 1216-byte key starts so."""
    public = crypto.public_key(XWING + SEED)
    assert len(public) == 1217
    assert public[1:33].hex() == "e2236b35a8c24b39b10aa1323a96a919a2ced88400633a7b07131713fc14b2b5"


@pytest.mark.parametrize("key", [b"", b"\x01", b"\x03" + bytes(32), XWING + bytes(31), X25519 + bytes(33)])
def test_a_malformed_key_is_denied_and_nothing_else(key: bytes) -> None:
    assert denied(crypto.public_key, key)
    assert denied(crypto.seal, key, b"x")
    assert denied(crypto.unseal, key, b"\x01" + bytes(99))


def test_lock_is_bound_to_its_key_and_context() -> None:
    key = bytes(32)
    blob = crypto.lock(key, b"words", "row", 1)
    assert crypto.unlock(key, blob, "row", 1) == b"words"
    assert crypto.lock(key, b"words", "row", 1) != blob
    assert denied(crypto.unlock, bytes(31) + b"1", blob, "row", 1)
    assert denied(crypto.unlock, key, blob, "row", "1")
    assert denied(crypto.unlock, key, blob[:20], "row", 1)
    assert denied(crypto.unlock, key, b"", "row", 1)


def test_cost_reads_back_and_refuses_what_would_exhaust_the_machine() -> None:
    assert Cost.parse(str(Cost())) == Cost(131072, 3, 1)
    for bad in ("", "64,1", "64,1,1,1", "9999999,1,1", "64,0,1", "64,1,0", "4,1,1", "64,1,1 ", "-64,1,1", "٦٤,1,1"):
        assert denied(Cost.parse, bad), bad


def test_passphrase_key_depends_on_salt_cost_and_configuration(tmp_path: Path) -> None:
    vault = Vault.founded(SECRET, tmp_path / "a", cost=TOY)
    key = vault.stretch("zes woorden", bytes(16), TOY)
    assert vault.stretch("zes woorden", bytes(16), TOY) == key
    assert len({key, vault.stretch("zes woorden", b"1" * 16, TOY), vault.stretch("zes woorden", bytes(16), Cost(64, 2, 1)),
                Vault.founded(b"2" * 32, tmp_path / "b", cost=TOY).stretch("zes woorden", bytes(16), TOY)}) == 4  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        replace(KNOWN, words=b"other words"),
        replace(KNOWN, argon2id_key=bytes(32)),
        replace(KNOWN, public_digests={**KNOWN.public_digests, XWING: bytes(32)}),
        replace(KNOWN, sealed={**KNOWN.sealed, X25519: KNOWN.sealed[X25519][:-1] + b"?"}),
    ],
)
def test_a_library_with_other_answers_stops_the_start(wrong: KnownAnswers) -> None:
    crypto.check()
    with pytest.raises(Unfit):
        crypto.check(wrong)


def test_without_ml_kem_there_is_no_weaker_fall_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class NoLattice:
        """The crypto library as it is when built on an old OpenSSL."""

        @staticmethod
        def from_seed_bytes(_seed: bytes) -> None:
            raise UnsupportedAlgorithm("ML-KEM is not supported")

    monkeypatch.setattr(hpke, "MLKEM768PrivateKey", NoLattice)
    with pytest.raises(Unfit, match="UnsupportedAlgorithm"):
        Vault.founded(SECRET, tmp_path / "keys", suite=X25519)


def test_short_secret_and_unknown_suite_stop_the_start(tmp_path: Path) -> None:
    with pytest.raises(Unfit) as refused:
        Vault.founded(b"secret-of-31-bytes-is-too-short", tmp_path / "keys")
    assert "secret-of" not in str(refused.value)
    with pytest.raises(Unfit):
        Vault.founded(SECRET, tmp_path / "keys", suite=b"\x03")


def test_child_hash_needs_the_configuration_and_separates_channels(tmp_path: Path) -> None:
    one, other = Vault.founded(SECRET, tmp_path / "a", cost=TOY), Vault.founded(b"2" * 32, tmp_path / "b", cost=TOY)
    assert one.child_auth("telegram", b"1234") == one.child_auth("telegram", b"1234")
    assert (
        len({one.child_auth("telegram", b"1234"), one.child_auth("webchat", b"1234"), other.child_auth("telegram", b"1234")}) == 3
    )


def test_child_token_must_be_whole_and_keeps_opening_after_a_change_of_suite(tmp_path: Path) -> None:
    before, after = Vault.founded(SECRET, tmp_path, suite=X25519, cost=TOY), Vault.founded(SECRET, tmp_path, suite=XWING, cost=TOY)
    token = bytes(range(32))
    blob = crypto.seal(before.child_public_key(token), b"hoi")
    assert crypto.unseal(after.child_key(token).private(blob[:1]), blob) == b"hoi"
    for short in (b"", token[:31], token + b"0"):
        assert denied(after.child_key, short)


def test_nothing_secret_is_shown(tmp_path: Path) -> None:
    vault = Vault.founded(SECRET, tmp_path, cost=TOY)
    token = bytes(range(32))
    shown = repr(vault) + repr(vault.child_key(token)) + str(vars(vault).get("cost"))
    for secret in (SECRET, token):
        assert secret.hex() not in shown
        assert repr(secret)[2:-1] not in shown


@pytest.mark.parametrize("suite", [X25519, XWING], ids=["x25519", "xwing"])
@pytest.mark.parametrize("by_owner", [False, True], ids=["sealed", "locked"])
def test_parts_under_one_encapsulation_open_in_their_own_places_only(suite: bytes, by_owner: bool) -> None:
    private, other = crypto.new_private_key(suite), crypto.new_private_key(suite)
    place = ("words", "chat", 1, 1, "child")

    def make(parts: list[bytes], *context: str | int) -> list[bytes]:
        if by_owner:
            return crypto.lock_together(private, parts, *context)
        return crypto.seal_together(crypto.public_key(private), parts, *context)

    blobs, others = make([b"woorden", b"greet"], *place), make([b"anders", b"bullying"], *place)
    assert all(crypto.is_together(blob) for blob in blobs)
    assert crypto.unseal_together(private, blobs, *place) == [b"woorden", b"greet"]
    assert crypto.unseal_together(private, blobs[:1], *place) == [b"woorden"], "the words alone, without what was understood"
    swapped = ([blobs[0], others[1]], [others[0], blobs[1]], [blobs[1], blobs[0]], [blobs[1]], [blobs[0], blobs[0]])
    for wrong in swapped:
        assert denied(crypto.unseal_together, private, wrong, *place)
    assert denied(crypto.unseal_together, other, blobs, *place)
    for elsewhere in (("words", "chat", 2, 1, "child"), ("words", "chat", 1, 2, "child"), ("words", "chat", 1, 1, "confidant")):
        assert denied(crypto.unseal_together, private, blobs, *elsewhere)
    assert denied(crypto.unseal, private, blobs[0], *place), "not by the other form's opening"
    assert denied(crypto.unseal_together, private, [crypto.seal(crypto.public_key(private), b"x", *place)], *place)


@pytest.mark.parametrize("suite", [X25519, XWING], ids=["x25519", "xwing"])
def test_every_changed_byte_of_parts_is_noticed(suite: bytes) -> None:
    private = crypto.new_private_key(suite)
    public = crypto.public_key(private)
    for blobs in (crypto.seal_together(public, [b"ab", b"c"], "p"), crypto.lock_together(private, [b"ab", b"c"], "p")):
        for number, blob in enumerate(blobs):
            for at in range(0, len(blob), 1 if len(blob) < 200 else 13):
                changed = blob[:at] + bytes([blob[at] ^ 1]) + blob[at + 1 :]
                forged = [changed if n == number else same for n, same in enumerate(blobs)]
                assert denied(crypto.unseal_together, private, forged, "p"), (number, at)


def test_the_same_parts_twice_are_never_the_same_bytes() -> None:
    private = crypto.new_private_key(XWING)
    made = [crypto.lock_together(private, [b"ja", b"greet"], "p") for _ in range(20)]
    assert len({blob for blobs in made for blob in blobs}) == 40


@pytest.mark.parametrize("suite", [X25519, XWING], ids=["x25519", "xwing"])
def test_what_is_locked_for_a_child_opens_with_its_token_only_like_what_is_sealed_to_it(tmp_path: Path, suite: bytes) -> None:
    vault = Vault.founded(SECRET, tmp_path, suite=suite, cost=TOY)
    child, other = vault.child_key(bytes(range(32))), vault.child_key(bytes(range(1, 33)))
    for blob in (child.lock(b"sleutel", "c", 1), crypto.seal(child.public(suite), b"sleutel", "c", 1)):
        assert child.open(blob, "c", 1) == b"sleutel"
        assert denied(other.open, blob, "c", 1)
        assert denied(child.open, blob, "c", 2)
        assert denied(child.open, blob[:-1] + bytes([blob[-1] ^ 1]), "c", 1)
    assert denied(child.open, b"", "c", 1)
