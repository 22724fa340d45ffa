"""`praat telegram profile`: one command sets what Telegram shows, in words that passed the gates, and shows the links."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.channels.registry import read_settings
from bot.channels.telegram.profile import COMMANDS
from bot.channels.telegram.settings import TelegramSettings
from bot.cli.main import app
from config.settings import SettingsFaults
from tests.make import CITY
from tests.telegram.bot_api import TOKEN, BotApi, Fault, bot_api


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BotApi]:
    """Telegram, and an environment that points at it."""
    made = BotApi()
    secret = tmp_path / "secret"
    secret.write_bytes(b"x" * 64)
    secret.chmod(0o600)
    (tmp_path / "keys").mkdir(mode=0o700)
    token = tmp_path / "token"
    token.write_text(TOKEN + "\n")
    token.chmod(0o600)
    with bot_api(made) as url:
        monkeypatch.setenv("PRAAT_DATA_DIR", str(tmp_path))
        monkeypatch.setenv("PRAAT_TELEGRAM_TOKEN_FILE", str(token))
        monkeypatch.setenv("PRAAT_TELEGRAM_BASE_URL", url)
        yield made


def test_the_profile_is_neutral_and_names_the_numbers(api: BotApi) -> None:
    done = CliRunner().invoke(app, ["telegram", "profile"])
    assert done.exit_code == 0, done.output
    assert f"https://t.me/praat_test_bot?start={CITY}" in done.output
    assert TOKEN not in done.output
    assert api.profile["name"] == "Praat"
    for word in ("mishandeling", "gemeente", "burgemeester"):
        assert word not in f"{api.profile['name']} {api.profile['short_description']}".casefold()
    assert "112" in api.profile["description"]
    assert "0800-0432" in api.profile["description"]
    assert "computer" in api.profile["description"]
    assert api.profile["commands"] == dict(COMMANDS)


def test_the_texts_to_copy_in_the_guide_are_the_ones_that_are_set(api: BotApi) -> None:
    assert CliRunner().invoke(app, ["telegram", "profile"]).exit_code == 0
    guide = (Path(__file__).parents[2] / "docs" / "telegram.md").read_text()
    commands = "\n".join(f"{name} - {told}" for name, told in COMMANDS.items())
    for text in (api.profile["name"], api.profile["description"], api.profile["short_description"], commands):
        assert f"```\n{text}\n```" in guide


@pytest.mark.parametrize("fault", [Fault("500"), Fault("429", retry_after=7)])
def test_what_goes_wrong_is_told_with_what_to_do(api: BotApi, fault: Fault) -> None:
    api.fail("setMyName", fault)
    done = CliRunner().invoke(app, ["telegram", "profile"])
    assert done.exit_code == 1
    assert "opnieuw" in done.output
    assert TOKEN not in done.output


def test_a_wrong_token_is_told_without_showing_it(api: BotApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PRAAT_TELEGRAM_TOKEN_FILE")
    monkeypatch.setenv("PRAAT_TELEGRAM_TOKEN", "12345:" + "verkeerd" * 4)
    done = CliRunner().invoke(app, ["telegram", "profile"])
    assert done.exit_code == 1
    assert "BotFather" in done.output
    assert "verkeerd" not in done.output


def test_settings_refuse_what_cannot_be_right_and_never_show_it(tmp_path: Path) -> None:
    open_file = tmp_path / "token"
    open_file.write_text(TOKEN)
    open_file.chmod(0o644)
    bad = {
        "PRAAT_TELEGRAM_TOKEN": "geheim-maar-fout",
        "PRAAT_TELEGRAM_TOKEN_FILE": str(open_file),
        "PRAAT_TELEGRAM_WEBHOOK_SECRET": "te kort",
        "PRAAT_TELEGRAM_BASE_URL": "https://naam@elders",
    }
    with pytest.raises(SettingsFaults) as found:
        read_settings(environment=bad)
    assert set(found.value.faults) == set(bad)
    assert "geheim" not in str(found.value)
    assert "te kort" not in str(found.value)
    open_file.chmod(0o600)
    open_file.write_text("geen token")
    with pytest.raises(SettingsFaults, match="BotFather") as told:
        TelegramSettings.read({"PRAAT_TELEGRAM_TOKEN_FILE": str(open_file)}).token()
    assert "geen token" not in str(told.value)
