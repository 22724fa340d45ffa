"""Settings: all faults at once, by the name of the variable, never with its value; secrets that others can read are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.faults import ConfigError
from config.settings import ChildSettings, ConsoleSettings, Settings, SettingsFaults, read_settings
from tests.config.corpus import CONFIG


def faults(environment: dict[str, str], kind: type[Settings] = Settings) -> dict[str, str]:
    with pytest.raises(SettingsFaults) as refused:
        read_settings(kind, environment)
    return dict(refused.value.faults)


def test_without_any_variable_it_is_a_server_for_this_machine() -> None:
    settings = read_settings(environment={"HOME": "/home/someone"})
    assert settings.database_url == "sqlite:///var/praat.db"
    assert (settings.secret_file, settings.key_dir) == (Path("var/secret"), Path("var/keys"))
    assert (settings.child_origin, settings.console_origin) == ("http://localhost:8080", "http://localhost:8081")
    assert (settings.child_host, settings.console_host) == ("127.0.0.1", "127.0.0.1")
    assert settings.config_dir == CONFIG
    assert (settings.argon2_memory_kib, settings.argon2_iterations) == (131_072, 3)
    assert (settings.body_limit, settings.text_limit) == (65_536, 4_000)


def test_what_follows_from_another_setting_follows() -> None:
    settings = read_settings(environment={"PRAAT_DATA_DIR": "elsewhere", "PRAAT_CHILD_PORT": "9000"})
    assert settings.database_url == "sqlite:///elsewhere/praat.db"
    assert settings.key_dir == Path("elsewhere/keys")
    assert settings.child_origin == "http://localhost:9000"


def test_an_empty_variable_is_no_setting() -> None:
    assert read_settings(environment={"PRAAT_CHILD_ORIGIN": ""}).child_origin == "http://localhost:8080"


def test_the_process_environment_is_read_only_when_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRAAT_CHILD_PORT", "9001")
    assert read_settings().child_port == 9001
    assert read_settings(environment={}).child_port == 8080


def test_all_faults_come_at_once_and_no_value_is_told() -> None:
    wrong = {
        "PRAAT_CHILD_PORT": "hunter2",
        "PRAAT_CHILD_ORIGIN": "hunter2",
        "PRAAT_DATABASE_URL": "mysql://user:hunter2@db/praat",
        "PRAAT_CONFIG_DIR": "hunter2",
        "PRAAT_ARGON2_ITERATIONS": "0",
        "PRAAT_RASA_URL": "http://user:hunter2@rasa",
        "PRAAT_DATABSE_URL": "hunter2",
    }
    told = faults(wrong)
    assert told.keys() == wrong.keys()
    assert "hunter2" not in str(told)
    assert told["PRAAT_DATABSE_URL"].endswith("did you mean PRAAT_DATABASE_URL?")
    with pytest.raises(ConfigError) as refused:
        read_settings(environment=wrong)
    assert refused.value.permanent
    assert str(refused.value).count("\n") == len(wrong) - 1
    assert refused.value.__cause__ is None


def test_child_and_console_keep_apart() -> None:
    assert "CONSOLE_ORIGIN" in str(faults({"PRAAT_CONSOLE_ORIGIN": "http://localhost:8080"}))
    assert "PRAAT_CONSOLE_PORT" in faults({"PRAAT_CONSOLE_PORT": "8080", "PRAAT_CONSOLE_ORIGIN": "https://team.voorbeeldstad.nl"})
    child = read_settings(ChildSettings, {"PRAAT_ARGON2_ITERATIONS": "4"})
    assert not hasattr(child, "argon2_iterations")
    console = read_settings(ConsoleSettings, {"PRAAT_BODY_LIMIT": "20000"})
    assert not hasattr(console, "body_limit")


def test_a_message_must_fit_in_a_request() -> None:
    assert "PRAAT_TEXT_LIMIT" in faults({"PRAAT_TEXT_LIMIT": "6000"})
    assert "PRAAT_TEXT_LIMIT" in faults({"PRAAT_BODY_LIMIT": "52000"})


def test_settings_cannot_be_changed() -> None:
    settings = read_settings(environment={})
    with pytest.raises(ValueError, match="frozen"):
        setattr(settings, "child_port", 1)  # noqa: B010 - mypy already refuses the plain form


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o602])
def test_a_secret_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"x" * 64)
    file.chmod(mode)
    assert "chmod 600" in faults({"PRAAT_SECRET_FILE": str(file)})["PRAAT_SECRET_FILE"]


def test_a_short_secret_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"x" * 31)
    file.chmod(0o600)
    assert "32 random bytes" in faults({"PRAAT_SECRET_FILE": str(file)})["PRAAT_SECRET_FILE"]


def test_a_key_folder_that_others_can_reach_is_refused(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.mkdir(mode=0o700)
    assert read_settings(environment={"PRAAT_KEY_DIR": str(keys)}).key_dir == keys
    keys.chmod(0o755)
    assert "chmod 700" in faults({"PRAAT_KEY_DIR": str(keys)})["PRAAT_KEY_DIR"]


def test_the_secret_is_read_when_needed_and_checked_again(tmp_path: Path) -> None:
    settings = read_settings(environment={"PRAAT_DATA_DIR": str(tmp_path)})
    with pytest.raises(SettingsFaults, match="PRAAT_SECRET_FILE: cannot be read"):
        settings.secret()
    settings.secret_file.write_bytes(b"s" * 64)
    settings.secret_file.chmod(0o644)
    with pytest.raises(SettingsFaults, match="chmod 600"):
        settings.secret()
    settings.secret_file.chmod(0o600)
    assert settings.secret() == b"s" * 64
    settings.secret_file.write_bytes(b"s")
    with pytest.raises(SettingsFaults, match="32 random bytes"):
        settings.secret()
