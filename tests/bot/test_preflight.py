"""A server that cannot start says why in one sentence, before it promises anything."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from bot.app import first_start
from bot.preflight import CannotStart, own_place, see_no_root, see_safe_words, see_that_built
from config.settings import ConsoleSettings, LoopsSettings, Settings, read_settings
from tests.journey.server import free_port


def _settings(folder: Path) -> Settings:
    return read_settings(
        environment={
            "PRAAT_DATA_DIR": str(folder),
            "PRAAT_CHILD_PORT": str(free_port()),
            "PRAAT_CONSOLE_PORT": str(free_port()),
        }
    )


def test_a_second_server_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    with own_place(_settings(tmp_path)), pytest.raises(CannotStart, match="PRAAT_DATA_DIR"), own_place(_settings(tmp_path)):
        pass
    with own_place(_settings(tmp_path)):
        pass


def test_a_port_in_use_is_named_with_its_setting(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    with socket.socket() as other:
        other.bind(("127.0.0.1", settings.console_port))
        other.listen()
        with pytest.raises(CannotStart, match="PRAAT_CONSOLE_PORT"), own_place(settings):
            pass


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    settings = _settings(tmp_path)
    with pytest.raises(CannotStart, match="PRAAT_DATA_DIR"):
        first_start(settings.model_copy(update={"data_dir": tmp_path / "file" / "data"}))


ANYWHERE = "0.0.0.0"  # noqa: S104 - what is refused
HTTPS = {"PRAAT_CHILD_ORIGIN": "https://praat.example", "PRAAT_CONSOLE_ORIGIN": "https://team.example"}


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"PRAAT_CHILD_ORIGIN": "http://praat.example"}, "PRAAT_CHILD_ORIGIN"),
        ({"PRAAT_CONSOLE_ORIGIN": "http://192.168.1.2:8081"}, "PRAAT_CONSOLE_ORIGIN"),
        ({**HTTPS, "PRAAT_CHILD_HOST": ANYWHERE}, "PRAAT_PROXY"),
        ({**HTTPS, "PRAAT_CONSOLE_HOST": "::"}, "PRAAT_PROXY"),
        ({**HTTPS, "PRAAT_CONSOLE_HOST": "server.example"}, "PRAAT_CONSOLE_HOST"),
        ({"PRAAT_CHILD_HOST": ANYWHERE, "PRAAT_PROXY": "nginx", "PRAAT_CHILD_ORIGIN": "http://praat.example"}, "https"),
    ],
)
def test_words_that_others_could_read_on_the_way_are_refused(environment: dict[str, str], named: str) -> None:
    with pytest.raises(CannotStart, match=named):
        see_safe_words(read_settings(environment=environment))


@pytest.mark.parametrize(
    "environment",
    [
        {},
        HTTPS,
        {"PRAAT_CHILD_HOST": "::1", "PRAAT_CONSOLE_HOST": "localhost", "PRAAT_CHILD_ORIGIN": "http://127.0.0.1:1"},
        {**HTTPS, "PRAAT_CHILD_HOST": ANYWHERE, "PRAAT_CONSOLE_HOST": "::", "PRAAT_PROXY": "nginx"},
    ],
)
def test_this_machine_alone_or_a_named_webserver_in_front_is_fine(environment: dict[str, str]) -> None:
    see_safe_words(read_settings(environment=environment))


def test_a_role_is_asked_only_about_what_it_serves() -> None:
    see_safe_words(read_settings(ConsoleSettings, {"PRAAT_CHILD_ORIGIN": "http://praat.example"}))
    see_safe_words(read_settings(LoopsSettings, {"PRAAT_LOOPS_HOST": ANYWHERE}))


def test_root_may_try_it_on_this_machine_and_serves_nobody_else_unasked() -> None:
    local = read_settings(environment={})
    open_to_all = read_settings(environment={**HTTPS, "PRAAT_CHILD_HOST": ANYWHERE, "PRAAT_PROXY": "nginx"})
    allowed = read_settings(environment={"PRAAT_ALLOW_ROOT": "1"})
    assert "root" in (see_no_root(local, 0, demo=True) or "")
    for settings, demo in ((local, False), (open_to_all, True)):
        with pytest.raises(CannotStart, match="PRAAT_ALLOW_ROOT"):
            see_no_root(settings, 0, demo=demo)
        assert see_no_root(settings, 1000, demo=demo) is None
    assert see_no_root(allowed, 0, demo=False) is None


def test_a_page_that_was_never_bundled_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "page.css").write_text("p {}")
    see_that_built([tmp_path / "page.css"])
    with pytest.raises(CannotStart, match=r"ontbreekt: chat_page\.js\. Draai `make run`"):
        see_that_built([tmp_path / "page.css", tmp_path / "chat_page.js"])
