"""A server that cannot start says why in one sentence, before it promises anything."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from bot.app import first_start
from bot.preflight import CannotStart, own_place, see_that_built
from config.settings import Settings, read_settings
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


def test_a_page_that_was_never_bundled_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "page.css").write_text("p {}")
    see_that_built([tmp_path / "page.css"])
    with pytest.raises(CannotStart, match=r"ontbreekt: chat_page\.js\. Draai `make run`"):
        see_that_built([tmp_path / "page.css", tmp_path / "chat_page.js"])
