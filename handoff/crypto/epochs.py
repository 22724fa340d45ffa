"""How far each team's key has come, outside the database: whoever puts older rows back is found out.

One small file in the key directory for each epoch that was ever in force. It is never overwritten, and its name is a mac of the
server, so that nobody else can say that a team has come further. A team has come past an epoch when the next one's file is there.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from handoff.crypto.key_directory import KeyDirectory

SUFFIX = ".epoch"
GRACE_S = 30.0
"""Seconds in which a reader may still see the epoch of before: it began to look before the new one was committed."""


class EpochMarks:
    """The marks of all teams. Several processes share them; each is a file that is made once."""

    def __init__(self, files: KeyDirectory, mac: Callable[..., bytes]) -> None:
        self._files = files
        self._mac = mac

    def note(self, team_id: str, epoch: int) -> None:
        """Keep for good that this epoch was in force, and with it every one before. Raises `StoreUnavailable`."""
        missing = []
        for number in range(epoch, 0, -1):
            if self.is_noted(team_id, number):
                break
            missing.append(number)
        for number in reversed(missing):
            self._files.make(self._name(team_id, number), f"team {team_id}, key {number}\n".encode())

    def is_noted(self, team_id: str, epoch: int) -> bool:
        """Whether it is known that this epoch was in force. Raises `StoreUnavailable`."""
        return self._files.written_at(self._name(team_id, epoch)) is not None

    def is_past(self, team_id: str, epoch: int, *, grace_s: float = 0.0) -> bool:
        """Whether the team has a newer key than this one. With `grace_s`, a newer one counts only after so many seconds."""
        written = self._files.written_at(self._name(team_id, epoch + 1))
        return written is not None and not 0 <= time.time() - written < grace_s

    def newest(self, team_id: str, epoch: int) -> int:
        """The newest that is known, looking on from `epoch`."""
        while self.is_noted(team_id, epoch + 1):
            epoch += 1
        return epoch

    def forget_after(self, team_id: str, epoch: int) -> None:
        """Take this epoch for the newest again: a backup was put back on purpose. Raises `StoreUnavailable`."""
        for gone in range(self.newest(team_id, epoch), epoch, -1):
            self._files.destroy(self._name(team_id, gone))

    def _name(self, team_id: str, epoch: int) -> str:
        return self._mac("epoch-mark", team_id, epoch).hex()[:32] + SUFFIX
