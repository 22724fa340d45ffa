"""A change on the disk is noticed without polling; a look that fails is repeated; what changed before the start counts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from bot.file_watch import Watched, watch


class Looks:
    """Counts the looks; `wanted` of them end the watch."""

    def __init__(self, folder: Path, stop: asyncio.Event) -> None:
        self.folder, self.stop = folder, stop
        self.seen: list[str] = []
        self.started = asyncio.Event()
        self.fail = 0

    async def look(self) -> None:
        self.seen.append((self.folder / "words.yml").read_text())
        if self.fail:
            self.fail -= 1
            raise OSError("the database is away")
        if len(self.seen) >= 2:
            self.started.set()


def played(folder: Path, play: Callable[[Looks], object], until: Callable[[Looks], bool], *, fail: int = 0) -> Looks:
    """Watch `folder`; after the first two looks do `play`, and go on until `until` holds."""

    async def main() -> Looks:
        stop = asyncio.Event()
        looks = Looks(folder, stop)
        looks.fail = fail

        async def look() -> None:
            await looks.look()
            if until(looks):
                stop.set()

        watched = Watched("texts", [folder], lambda path: path.suffix == ".yml", look)
        async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
            tasks.create_task(watch(watched, stop, pause_s=0.01))
            await looks.started.wait()
            while not stop.is_set():  # until the system's watch is there; each change is told once it is
                play(looks)
                await asyncio.wait([asyncio.create_task(stop.wait())], timeout=0.2)
        return looks

    return asyncio.run(main())


def test_a_change_is_looked_at(tmp_path: Path) -> None:
    file = tmp_path / "words.yml"
    file.write_text("old")
    looks = played(tmp_path, lambda _: file.write_text("new"), lambda looks: looks.seen[-1] == "new")
    assert looks.seen[0] == "old"


def test_what_changed_before_the_start_is_looked_at_twice(tmp_path: Path) -> None:
    (tmp_path / "words.yml").write_text("changed while the program was starting")
    looks = played(tmp_path, lambda _: None, lambda looks: len(looks.seen) == 2)
    assert looks.seen == ["changed while the program was starting"] * 2


def test_a_look_that_fails_is_repeated(tmp_path: Path) -> None:
    (tmp_path / "words.yml").write_text("new")
    looks = played(tmp_path, lambda _: None, lambda looks: len(looks.seen) == 5, fail=3)
    assert looks.seen == ["new"] * 5


def test_a_swap_file_of_an_editor_is_nothing(tmp_path: Path) -> None:
    file = tmp_path / "words.yml"
    file.write_text("old")

    def play(looks: Looks) -> None:
        (tmp_path / f".words.swp{len(looks.seen)}").write_text("x")
        if (tmp_path / "go").exists():
            file.write_text("new")
        (tmp_path / "go").touch()

    looks = played(tmp_path, play, lambda looks: looks.seen[-1] == "new")
    assert set(looks.seen) == {"old", "new"}
