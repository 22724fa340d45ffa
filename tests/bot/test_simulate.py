"""Trying a script out, as the console is given it: the true path on a database that is thrown away."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.app import Parts, assemble, first_start, prepare_database
from bot.channels.registry import read_settings
from config.schema import Configuration
from config.settings import ConsoleSettings, Settings, SharedSettings
from handoff.errors import NotFound
from handoff.models import conversation
from tests.make import CITY


def _parts(folder: Path, kind: type[SharedSettings]) -> Parts:
    settings = read_settings(kind, {"PRAAT_DATA_DIR": str(folder / "data")})
    first_start(settings)
    return assemble(settings)


def _greeting(configuration: Configuration, text: str) -> Configuration:
    """The same configuration, but for what the bot says at first."""
    old = configuration.script.utterances["utter_first_contact"]
    variants = tuple(variant.model_copy(update={"text": text}) for variant in old.variants)
    utterances = {**configuration.script.utterances, old.id: old.model_copy(update={"variants": variants})}
    script = configuration.script.model_copy(update={"version": "f" * 16, "utterances": utterances})
    return configuration.model_copy(update={"script": script})


def test_an_unpublished_script_is_tried_out_and_leaves_nothing_behind(tmp_path: Path) -> None:
    parts = _parts(tmp_path, Settings)
    runtime = parts.runtime
    assert prepare_database(runtime, parts.settings.database_url)
    assert runtime.simulate is not None
    draft = _greeting(runtime.configuration, "Dag, dit is een proef. Bel 112 bij gevaar.")
    first, second = runtime.simulate(["hoi", "mijn vader slaat mij"], draft, CITY)
    assert first["replies"][0] == {"utterance": "utter_first_contact", "text": "Dag, dit is een proef. Bel 112 bij gevaar."}
    assert (second["urgency"], second["handoff"]["state"]) == ("high", "waiting")
    assert runtime.script_for(CITY).version != draft.script.version, "what is published stays as it was"
    assert runtime.store.read(lambda tx: tx.execute(sa.select(conversation)).all()).result() == []
    with pytest.raises(NotFound):
        list(runtime.simulate(["hoi"], draft, "nergens"))
    parts.close()


def test_a_console_of_its_own_understands_nothing_and_can_try_nothing_out(tmp_path: Path) -> None:
    parts = _parts(tmp_path, ConsoleSettings)
    assert parts.runtime.simulate is None
    parts.close()
