"""`praat clock accept`, `praat keys adopt` and `praat keys accept-older`, as an operator types them on a bad day."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.app import assemble, first_start, prepare
from bot.channels.registry import read_settings
from bot.cli import clock, keys
from handoff.chats import retention
from handoff.errors import StoreUnavailable
from handoff.runtime import Runtime, utc_now
from tests.make import CITY, team_id_of


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runtime]:
    """A running installation."""
    monkeypatch.setenv("PRAAT_DATA_DIR", str(tmp_path / "var"))
    settings = read_settings()
    first_start(settings)
    parts = assemble(settings)
    prepare(parts.runtime, settings.database_url)
    yield parts.runtime
    parts.close()


def _type(app: object, word: str, answer: str | None) -> tuple[int, str, BaseException | None]:
    done = CliRunner().invoke(app, [word, *(["--yes"] if answer is None else [])], input=answer)  # type: ignore[arg-type]
    return done.exit_code, " ".join(done.output.split()), done.exception


@pytest.mark.parametrize(("answer", "accepted"), [("nee\n", False), ("\n", False), ("ja\n", True), (None, True)])
def test_the_clock_is_accepted_only_by_a_yes(runtime: Runtime, answer: str | None, accepted: bool) -> None:
    runtime.store.write(lambda tx: retention.believe(tx, utc_now() - 2 * retention.LEAP)).result()
    code, said, _ = _type(clock.app, "accept", answer)
    assert (code == 0) is accepted
    assert f"{utc_now():%Y}" in said
    assert (runtime.store.read(lambda tx: retention.leap(tx, utc_now())).result() is None) is accepted


def test_an_empty_key_folder_is_adopted_only_by_a_yes_and_another_ones_never(runtime: Runtime, tmp_path: Path) -> None:
    folder = tmp_path / "var" / "keys"
    assert "hoorde al bij deze database" in _type(keys.app, "adopt", None)[1]
    folder.rename(tmp_path / "away")
    assert "is er niet" in str(_type(keys.app, "adopt", None)[2])
    assert not folder.exists()
    folder.mkdir(mode=0o700)
    assert _type(keys.app, "adopt", "nee\n")[0] != 0
    with pytest.raises(StoreUnavailable):
        runtime.vault.key_files.see()
    assert "hoort nu bij deze database" in _type(keys.app, "adopt", "ja\n")[1]
    runtime.vault.key_files.see()
    (folder / "installation").write_text("f" * 32)
    assert "hoort niet bij deze database" in str(_type(keys.app, "adopt", None)[2])


def _accept_older(team: str, answer: str) -> str:
    done = CliRunner().invoke(keys.app, ["accept-older", team], input=answer)
    return " ".join(f"{done.output} {done.exception or ''}".split())


def test_an_older_team_key_is_accepted_only_by_a_yes(runtime: Runtime) -> None:
    team = team_id_of(CITY)
    assert "Er is niets te doen" in _accept_older(team, "")
    runtime.vault.epochs.note(team, 3)
    assert "sleutel 3 al" in _accept_older(team, "nee\n")
    assert "geldt weer" in _accept_older(team, "ja\n")
    assert "Er is niets te doen" in _accept_older(team, "")
