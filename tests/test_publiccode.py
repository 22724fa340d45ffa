"""The files by which others find, judge and may reuse this program say what their standards ask, and agree with each other."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parent.parent
DESCRIBED = ("en", "nl")


@pytest.fixture(scope="module")
def publiccode() -> dict[str, Any]:
    """`publiccode.yml` as data."""
    found: dict[str, Any] = YAML(typ="safe", pure=True).load(ROOT / "publiccode.yml")
    return found


def test_every_mandatory_key_is_there(publiccode: dict[str, Any]) -> None:
    for key in ("publiccodeYmlVersion", "name", "url"):
        assert isinstance(publiccode[key], str), f"{key} must be text: a bare 0.5 is a number"
    assert publiccode["publiccodeYmlVersion"] == "0.5"
    assert re.fullmatch(r"https://[a-z0-9.-]+/\S+", publiccode["url"])
    assert publiccode["platforms"] == ["web"]
    assert publiccode["softwareType"] == "standalone/web"
    assert publiccode["developmentStatus"] in ("concept", "development", "beta", "stable", "obsolete")
    assert isinstance(publiccode["localisation"]["localisationReady"], bool)
    assert "nl" in publiccode["localisation"]["availableLanguages"]


@pytest.mark.parametrize("language", DESCRIBED)
def test_descriptions_keep_the_standards_lengths(publiccode: dict[str, Any], language: str) -> None:
    told = publiccode["description"][language]
    assert 0 < len(told["shortDescription"]) <= 150
    assert 150 <= len(told["longDescription"]) <= 10_000
    assert 5 <= len(told["features"]) <= 20
    assert all(isinstance(feature, str) for feature in told["features"])


def test_somebody_or_nobody_maintains_it(publiccode: dict[str, Any]) -> None:
    """`internal` and `community` name a real person; nobody may be invented to satisfy that."""
    maintenance = publiccode["maintenance"]
    assert maintenance["type"] in ("internal", "contract", "community", "none")
    if maintenance["type"] in ("internal", "community"):
        assert maintenance["contacts"]
    assert ("contractors" in maintenance) == (maintenance["type"] == "contract")


def test_licence_is_the_same_everywhere_and_whole(publiccode: dict[str, Any]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert publiccode["legal"]["license"] == project["license"] == "EUPL-1.2"
    assert project["license-files"] == ["LICENSE"]
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert text.startswith("EUROPEAN UNION PUBLIC LICENCE v. 1.2\n")
    assert re.findall(r"^(\d+)\. ?[A-Z]", text, re.MULTILINE) == [str(n) for n in range(1, 16)]
    assert re.search(r"^ +Appendix$", text, re.MULTILINE)
    assert len(re.findall(r"\w+", text)) == 2239, "the words of the official English text, as SPDX publishes it"


def test_python_versions_agree(publiccode: dict[str, Any]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (python,) = (needed for needed in publiccode["dependsOn"]["open"] if needed["name"] == "Python")
    assert project["requires-python"] == f">={python['versionMin']}"
