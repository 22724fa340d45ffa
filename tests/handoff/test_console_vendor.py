"""The design system's style sheets: taken whole or not at all, and the console does without."""

from __future__ import annotations

from pathlib import Path

from handoff.console.rendering import STATIC, VENDOR_FILES, Templates
from handoff.console.vendor import SOURCES, copy


def test_both_style_sheets_are_copied_and_then_used(tmp_path: Path) -> None:
    for source in SOURCES.values():
        file = tmp_path / "node_modules" / source
        file.parent.mkdir(parents=True)
        file.write_text(f"/* {source} */")
    assert copy(tmp_path / "node_modules", tmp_path / "vendor") == []
    assert {file.name for file in (tmp_path / "vendor").iterdir()} == set(VENDOR_FILES)
    assert Templates(tmp_path).styles == [f"vendor/{name}" for name in VENDOR_FILES]


def test_half_a_design_system_is_not_taken_and_the_plain_one_stands_in(tmp_path: Path) -> None:
    source = next(iter(SOURCES.values()))
    (tmp_path / source).parent.mkdir(parents=True)
    (tmp_path / source).write_text("")
    assert copy(tmp_path, tmp_path / "vendor") == list(SOURCES.values())[1:]
    assert not (tmp_path / "vendor").exists()
    assert Templates(tmp_path).styles == ["plain.css"]
    assert (STATIC / "plain.css").is_file()
