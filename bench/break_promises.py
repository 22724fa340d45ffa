"""Break each promise on purpose, in a copy of the tree, and see its test fail: `.venv/bin/python bench/break_promises.py`.

A test that stays green when its promise is broken protects nobody. Prints one line a break; exit code 1 when one was not noticed.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROMISES = "tests/journey/test_promises.py"


@dataclass(frozen=True, slots=True)
class Break:
    """One line of ours, made wrong, and the test that must notice."""

    promise: int
    file: str
    ours: str
    broken: str
    test: str


BREAKS = (
    Break(1, "bot/policy.py", "else (FIRST_CONTACT, *before, answer, HANDOFF)", "else (*before, answer, HANDOFF)", f"{PROMISES} -k test_1"),
    Break(2, "bot/turn.py", "return handoffs.enqueue(", "return current or self.understanding.urgency and handoffs.enqueue(",
          f"{PROMISES} -k test_2"),
    Break(2, "handoff/database/sqlite_connection.py", "                raise\n            job.error = error", "                return\n            job.error = error", f"{PROMISES} -k test_2"),
    Break(3, "handoff/models.py", " and length(sealed) in {REFERENCE_BYTES}", "{REFERENCE_BYTES and str()}", f"{PROMISES} -k test_3"),
    Break(3, "handoff/keys/references.py", "crypto.demand_same(row.mac, _mac(", "repr(_mac(", f"{PROMISES} -k test_3"),
    Break(4, "bot/policy.py", "    if state.claimed:\n        return ()\n", "", f"{PROMISES} -k test_4"),
    Break(4, "bot/turn.py", 'claimed = current is not None and current.state == "claimed"', "claimed = False", f"{PROMISES} -k test_4"),
    Break(5, "handoff/wording.py", "there = bool(roster.on_duty(tx, chat.team_id, now))", "there = True", f"{PROMISES} -k test_5"),
    Break(5, "handoff/queue/roster.py", "shift.c.seen_at > now - FRESH, ", "", f"{PROMISES} -k test_5"),
    Break(5, "bot/waiting.py", "        due.hope_ended(tx, team_id, now)\n", "        return\n", f"{PROMISES} -k test_5"),
    Break(6, "handoff/chats/messages.py", "text=words.text, reading", 'text="", reading', f"{PROMISES} -k test_6"),
    Break(6, "handoff/team/access.py", "found.team_id not in", "not found.team_id and found.team_id not in",
          "tests/journey/test_child_reaches_human.py -k another_gemeente"),
    Break(7, "handoff/queue/handoffs.py", 'free = (handoff.c.id == handoff_id, handoff.c.state == "waiting")', "free = (handoff.c.id == handoff_id,)",
          "tests/journey/test_child_reaches_human.py -k place"),
    Break(7, "bot/turn.py", 'if messages.known(self.tx, chat, "child", self.incoming.external_id):', "if False:",
          "tests/journey/test_child_reaches_human.py -k twice"),
    Break(7, "handoff/chats/outbox.py", "outbox.c.due_at <= sa.bindparam(\"now\"), _IS_FIRST)", "outbox.c.due_at <= sa.bindparam(\"now\"))", f"{PROMISES} -k test_7"),
    Break(7, "bot/waiting.py", "await _all(runtime, due.take_lapsed, _lapse, now) + await", "await", f"{PROMISES} -k test_7"),
    Break(7, "bot/channels/telegram/polling.py", "                await self._updates.take(waiting[0])\n", "", "tests/telegram/test_incoming.py -k twice"),
    Break(5, "handoff/clock.py", "now - within < moment <= now + ahead", "now - within < moment", "tests/handoff/test_clock_back.py -k sign_of_life"),
    Break(5, "handoff/queue/roster.py", "shift.c.seen_at <= now + AHEAD, person.c", "person.c", "tests/handoff/test_clock_back.py -k beat_from_the_future"),
    Break(6, "handoff/keys/conversation.py", '    if team_id not in row.teams.split(","):\n        raise Denied\n', "", "tests/handoff/test_keys_tamper.py"),
    Break(7, "handoff/queue/due.py", "HANDOFF_IS_CLAIMED, ahead).values(lease_until=now + LEASE)", "HANDOFF_IS_CLAIMED, ahead).values(lease_until=handoff.c.lease_until)", "tests/handoff/test_clock_back.py -k vanished"),
    Break(7, "bot/waiting.py", "        with savepoint(tx):\n            return deed(tx, runtime, handoff_id, now)\n", "        return deed(tx, runtime, handoff_id, now)\n", "tests/bot/test_waiting.py"),
    Break(7, "handoff/database/notifications.py", "        self._hub.publish(events)\n        for record in records:\n", "        for record in records:\n", "tests/handoff/test_events.py -k own_process"),
    Break(7, "handoff/database/notifications.py", "                            self._look(connection)\n", "                            pass\n", "tests/handoff/test_events.py -k died"),
    Break(6, "handoff/backups/replay.py", "for row, mark in there if mark in marks]", "for row, mark in there if not mark]", "tests/backups/test_replay.py -k older_copy_brings"),
    Break(6, "handoff/backups/key_copies.py", "past = [name for name in gone if _is_past(name, now)]", "past = gone", "tests/backups/test_key_copies.py -k lost_its_keys"),
    Break(8, "bot/turn.py", "max(understanding.urgency, URGENCY_OF[intent])", "URGENCY_OF[intent]", f"{PROMISES} -k test_8"),
    Break(8, "handoff/queue/handoffs.py", "urgency=max(urgency, current.urgency)", "urgency=urgency", f"{PROMISES} -k test_8"),
)  # fmt: skip


def outcome(test: str, item: Break | None = None) -> int:
    """pytest's exit code for this test on a copy of the tree, with the line broken. Raises `ValueError` when the line is not there."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "tree"
        ignore = shutil.ignore_patterns(".git", ".venv", ".rasa-venv", "node_modules", "var", ".hypothesis", ".*_cache")
        shutil.copytree(ROOT, copy, ignore=ignore)
        if item:
            source = (copy / item.file).read_text(encoding="utf-8")
            if item.ours not in source:
                raise ValueError(f"{item.file} has no line {item.ours!r}: bring this list up to date")
            (copy / item.file).write_text(source.replace(item.ours, item.broken), encoding="utf-8")
        command = [
            str(Path(sys.executable).absolute()),
            "-m",
            "pytest",
            "-q",
            "-x",
            "-p",
            "no:xdist",
            "-p",
            "no:cacheprovider",
            "--no-header",
        ]
        environment = {"PYTHONPATH": str(copy), "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run([*command, *test.split()], cwd=copy, env=environment, capture_output=True, check=False).returncode


def noticed(item: Break) -> bool:
    """Whether the test fails when this line is broken. A run that does not come to its test notices nothing."""
    return outcome(item.test, item) == 1


def main() -> int:
    """Try them all. Each test must first pass where nothing is broken: one that fails anyway would seem to notice everything."""
    unnoticed = 0
    with ThreadPoolExecutor(2) as threads:
        tests = list(dict.fromkeys(item.test for item in BREAKS))
        failing = [test for test, code in zip(tests, threads.map(outcome, tests), strict=True) if code]
        if failing:
            print("These fail on the tree as it is, so they prove nothing:", *failing, sep="\n  ")
            return 1
        print(f"{len(tests)} tests pass where nothing is broken", flush=True)
        for item, seen in zip(BREAKS, threads.map(noticed, BREAKS), strict=True):
            unnoticed += not seen
            print(
                f"{'noticed ' if seen else 'UNNOTICED'}  promise {item.promise}  {item.file}: {item.broken.strip()[:60]}",
                flush=True,
            )
    print(f"{len(BREAKS) - unnoticed} of {len(BREAKS)} breaks noticed")
    return int(bool(unnoticed))


if __name__ == "__main__":
    raise SystemExit(main())
