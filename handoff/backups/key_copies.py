"""`praat backup keys` and `praat restore keys`: the keys apart from the database, sealed to the recovery key.

The folder is kept up to date rather than filled: one file with what lives long, and one for each day's key. A day's key that was
destroyed is destroyed here too, at the next run, or else the copy would undo what was erased.
"""

from __future__ import annotations

import json
import re
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from config.private_files import write_private
from handoff.accounts.passphrases import word_list
from handoff.backups.folder import BadCopy
from handoff.backups.key_folder import KeyFolder, held, read_list
from handoff.crypto import Cost, KeyDirectory, RecoveryKey, Vault, open_copy
from handoff.errors import Denied, StoreUnavailable

PUBLIC = "recovery.pub"
WORDS = 8
_LONG = "long-lived"
_BUCKET = re.compile(r"(\d{4}-\d{2}-\d{2})\.bucket")
_BOOKS = (".erased", ".gone")
"""Tombstones: two copies of these are laid together, and nothing in them is lost."""


@dataclass(frozen=True, slots=True)
class KeysCopied:
    """What a run did. `missing`: days to come whose key is here and no longer in the key directory."""

    written: int
    destroyed: int
    missing: tuple[str, ...]


def new_recovery_key(vault: Vault, *, replace: bool, cost: Cost) -> str:
    """Make a recovery key, keep its public half in the key directory, and return the words, which are nowhere else.

    Raises `BadCopy` when there is one, unless `replace`; the copies of before then open with the words of before.
    """
    files = opened(vault)
    if PUBLIC in files.names():
        if not replace:
            raise BadCopy("er is al een herstelsleutel; met --replace komt er een nieuwe, en maakt u daarna nieuwe kopieën")
        files.destroy(PUBLIC)
    words = " ".join(secrets.choice(word_list()) for _ in range(WORDS))
    files.make(PUBLIC, str(RecoveryKey.of(words, cost)).encode())
    return words


def back_up_keys(vault: Vault, secret: bytes, path: Path, now: datetime) -> KeysCopied:
    """Bring the copies up to date: add what is new, destroy what was destroyed. Raises `BadCopy`, `StoreUnavailable`."""
    files = opened(vault)
    try:
        recovery = RecoveryKey.parse(files.read(PUBLIC).decode())
    except Denied:
        raise BadCopy("er is nog geen herstelsleutel; maak er eerst een met `praat recovery new`") from None
    with held(path):
        there, marker = read_list(path), files.marker() or ""
        if there is not None and there.installation != marker:
            raise BadCopy("in deze map staat een kopie van de sleutels van een andere installatie; kies een andere map")
        same = there is not None and there.recovery == recovery
        folder = there if there is not None and same else KeyFolder(path, marker, recovery)
        wanted = {name: files.read(name) for name in files.names() if _BUCKET.fullmatch(name)}
        wanted[_LONG] = _pack(files, secret)
        written = 0
        for name, content in wanted.items():
            mark = vault.row_mac("key-copy", name, content).hex()
            if not folder.holds(name, mark):
                folder.put(name, content, mark)
                written += 1
        gone = [name for name in folder.names() if name not in wanted]
        past = [name for name in gone if _is_past(name, now)]
        for name in past:
            folder.destroy(name)
        folder.write_list()
        return KeysCopied(written, len(past), tuple(name.removesuffix(".bucket") for name in gone if name not in past))


def put_back_keys(path: Path, words: str, key_dir: Path, secret_file: Path, now: datetime) -> int:
    """Put the keys back where they are not, and nothing over what is there. Returns how many files are new.

    The key of a day that is past stays away. Raises `BadCopy`; then nothing has changed.
    """
    folder = read_list(path)
    if folder is None:
        raise BadCopy(f"{path} is geen kopie van de sleutels")
    opened = _open_all(folder, words, now)
    packed = json.loads(opened.pop(_LONG))
    secret = b64decode(packed["secret"])
    content = {**{name: b64decode(text) for name, text in packed["files"].items()}, **opened}
    if secret_file.exists() and secret_file.read_bytes() != secret:
        raise BadCopy("er staat al een ander geheim (PRAAT_SECRET_FILE); zet dat eerst opzij")
    files = _place(key_dir, folder.installation)
    there = {name: files.read(name) for name in files.names()}
    _demand_no_other(content, there)
    new = 0
    for name, one in content.items():
        if name.endswith(_BOOKS) and name in there:
            known = set(there[name].splitlines())
            lines = [line for line in one.splitlines() if line not in known]
            files.append(name, b"".join(b"\n" + line + b"\n" for line in lines if line))
        elif name not in there:
            files.make(name, one)
            new += 1
    if not secret_file.exists():
        write_private(secret_file, secret)
        new += 1
    return new


def opened(vault: Vault) -> KeyDirectory:
    """The key directory, as what it says itself to be. Raises `BadCopy` when it is away."""
    try:
        marker = vault.key_files.marker()
    except StoreUnavailable:
        marker = None
    if marker is None:
        raise BadCopy("de sleutelmap (PRAAT_KEY_DIR) is er niet, of is leeg. Start het programma eerst een keer")
    vault.key_files.belong_to(marker)
    return vault.key_files


def _pack(files: KeyDirectory, secret: bytes) -> bytes:
    """Everything that outlives a day, in one piece: from the outside nobody sees which of it changed."""
    long = {name: b64encode(files.read(name)).decode() for name in files.names() if not _BUCKET.fullmatch(name)}
    return json.dumps({"secret": b64encode(secret).decode(), "files": long}, sort_keys=True).encode()


def _is_past(name: str, now: datetime) -> bool:
    """Only a day that is over may go: a key that is away for another reason must not take its copy along."""
    found = _BUCKET.fullmatch(name)
    return found is not None and found[1] < now.astimezone(UTC).date().isoformat()


def _open_all(folder: KeyFolder, words: str, now: datetime) -> dict[str, bytes]:
    try:
        private = folder.recovery.private(words)
    except Denied:
        raise BadCopy("deze woorden openen deze kopie niet") from None
    opened = {}
    for name in folder.hashes:
        if _is_past(name, now):
            continue
        if not folder.is_whole(name):
            raise BadCopy(f"deze kopie is beschadigd: {name}. Er is niets teruggezet")
        try:
            opened[name] = open_copy(private, (folder.path / f"{name}.sealed").read_bytes(), name)
        except Denied:
            raise BadCopy(f"deze kopie is beschadigd: {name}. Er is niets teruggezet") from None
    if _LONG not in opened:
        raise BadCopy("deze kopie is niet heel: het geheim ontbreekt. Er is niets teruggezet")
    return opened


def _place(key_dir: Path, installation: str) -> KeyDirectory:
    key_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    files = KeyDirectory(key_dir)
    marker = files.marker()
    if marker is None:
        if files.unmarked_names():
            raise BadCopy("in de sleutelmap (PRAAT_KEY_DIR) staan sleutels zonder kenteken; zet die eerst opzij")
        files.mark(installation)
    elif marker != installation:
        raise BadCopy("de sleutelmap (PRAAT_KEY_DIR) is van een andere installatie; zet die eerst opzij")
    files.belong_to(installation)
    return files


def _demand_no_other(content: Mapping[str, bytes], there: Mapping[str, bytes]) -> None:
    keys = [name for name in content if name.endswith((".bucket", ".key")) and there.get(name, content[name]) != content[name]]
    if keys:
        raise BadCopy(f"in de sleutelmap staat al een andere sleutel: {keys[0]}. Er is niets teruggezet")
