"""The documents speak of what is there: every file, test and link that they name exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
_TEST = re.compile(r"`(test_\w+)`")
_PATH = re.compile(r"`((?:bot|config|docs|handoff|nlu|tests|bench)/[\w./-]+\.\w+|[A-Z]+\.md)`")
_LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")


@pytest.fixture(scope="module")
def tests_that_exist() -> set[str]:
    """The name of every test function of this repository."""
    files = (ROOT / "tests").rglob("*.py")
    return {name for file in files for name in re.findall(r"def (test_\w+)\(", file.read_text("utf-8"))}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_document_names_exists(document: Path, tests_that_exist: set[str]) -> None:
    text = document.read_text("utf-8")
    assert set(_TEST.findall(text)) <= tests_that_exist
    missing = [path for path in _PATH.findall(text) if not (ROOT / path).exists()]
    missing += [link for link in _LINK.findall(text) if not (document.parent / link).exists()]
    assert not missing


def test_the_threat_model_proves_what_it_claims() -> None:
    """Every attacker whom we stop has at least one test beside what we do, and says what remains."""
    sections = (ROOT / "docs" / "threat-model.md").read_text("utf-8").split("\n## ")[1:]
    assert len(sections) >= 10
    for section in sections:
        title = section.partition("\n")[0]
        if "**We do.**" in section and "Root" not in title:
            assert len(_TEST.findall(section)) >= 3, title
            assert "**Remains.**" in section, title


def test_each_decision_has_a_number_of_its_own() -> None:
    """Two of one number cannot be told apart where one of them is named."""
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    numbers = [path.name[:4] for path in decisions]
    assert len(set(numbers)) == len(numbers), numbers
    assert [path.read_text("utf-8")[2:6] for path in decisions] == numbers
