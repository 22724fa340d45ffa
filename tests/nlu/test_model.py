# ruff: noqa: S311 - chance, not secrets
"""The carried model answers as Rasa did, and refuses every file that it does not know."""

from __future__ import annotations

import gzip
import io
import json
import random
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.intents import FALLBACK, INTENTS, Urgency
from nlu import model
from nlu.assemble import open_model, open_reader, record_path
from nlu.model import CarriedModel
from nlu.model_file import MAX_MEMBER, ModelError
from nlu.training.parity import TOLERANCE, compare, fuzzed

MODELS = Path(__file__).parent / "rasa_models"
SKOPS = "components/train_LogisticRegressionClassifier4/train_LogisticRegressionClassifier4.skops"
CLASSIFIER = "components/train_nlu.rasa.weighted_classifier.WeightedClassifier4/"


@pytest.mark.parametrize("name", ["standard", "child"])
def test_the_same_answer_as_rasa(name: str) -> None:
    asked = json.loads((MODELS / f"{name}.json").read_text(encoding="utf-8"))
    proven = compare(CarriedModel.load(MODELS / f"{name}.tar.gz"), asked["texts"], asked["rankings"])
    assert proven.texts > 80
    assert proven.other_intent == 0
    assert proven.largest_difference <= TOLERANCE


def test_parity_notices_another_answer() -> None:
    asked = json.loads((MODELS / "child.json").read_text(encoding="utf-8"))
    rankings = [dict(ranking) for ranking in asked["rankings"]]
    rankings[0] = {name: 1 - value for name, value in rankings[0].items()}
    proven = compare(CarriedModel.load(MODELS / "child.tar.gz"), asked["texts"], rankings)
    assert not proven.holds
    assert proven.other_intent == 1


def test_the_model_that_ships_knows_every_intent() -> None:
    assert sorted(CarriedModel.load().intents) == sorted(INTENTS)


@settings(deadline=None)
@given(st.text(max_size=500))
def test_any_text_is_read(text: str) -> None:
    ranking = SHIPPED.classify(text).ranking
    assert sum(ranking.values()) == pytest.approx(1)
    assert list(ranking.values()) == sorted(ranking.values(), reverse=True)


SHIPPED = CarriedModel.load()


def test_hostile_texts_of_parity_hold_what_they_promise() -> None:
    texts = fuzzed(["mijn vader slaat mij"], 300, random.Random(1))
    assert "" in texts
    assert max(map(len, texts)) >= 4000
    assert not any(text.strip().startswith("/") for text in texts)


def files_of(model: str | Path) -> dict[str, bytes]:
    """The files inside a model: one of ours by its name, or any by its path."""
    with tarfile.open(model if isinstance(model, Path) else MODELS / f"{model}.tar.gz") as archive:
        return {member.name: stream.read() for member in archive if member.isfile() and (stream := archive.extractfile(member))}


def packed(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, raw in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(raw)
            archive.addfile(info, io.BytesIO(raw))
    return path


def metadata(files: dict[str, bytes], change: Callable[[dict], None]) -> dict[str, bytes]:  # type: ignore[type-arg]
    data = json.loads(files["metadata.json"])
    change(data)
    return {**files, "metadata.json": json.dumps(data).encode()}


def node(data: dict, part: str) -> dict:  # type: ignore[type-arg]
    found = [value for name, value in data["predict_schema"]["nodes"].items() if part in name]
    return found[0]  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("part", "changes", "why"),
    [
        ("Whitespace", {"uses": "rasa.nlu.tokenizers.spacy_tokenizer.SpacyTokenizer"}, "must start with"),
        ("Featurizer2", {"uses": "some.Featurizer"}, "some.Featurizer"),
        ("Logistic", {"uses": "rasa.nlu.classifiers.diet_classifier.DIETClassifier"}, "DIETClassifier"),
        ("Featurizer1", {"config": {"strip_accents": "ascii"}}, "strip_accents"),
        ("Featurizer1", {"config": {"analyzer": "sound"}}, "sound"),
        ("Featurizer1", {"config": {"OOV_token": "oov"}}, "OOV_token"),
        ("Featurizer1", {"config": {"something_new": 1}}, "something_new"),
        ("Whitespace", {"config": {"token_pattern": "x"}}, "token_pattern"),
        ("Featurizer1", {"needs": {"messages": "run_CountVectorsFeaturizer1"}}, "circle"),
        ("Featurizer1", {"needs": {}}, "not laid out"),
    ],
)
def test_a_pipeline_that_is_not_known_is_refused(tmp_path: Path, part: str, changes: dict[str, object], why: str) -> None:
    files = metadata(files_of("standard"), lambda data: node(data, part).update(changes))
    with pytest.raises(ModelError, match=why):
        CarriedModel.load(packed(tmp_path / "m.tar.gz", files))


@pytest.mark.parametrize("version", ["2.8.0", "3.7.0", "4.0.0"])
def test_another_rasa_is_refused(tmp_path: Path, version: str) -> None:
    files = metadata(files_of("standard"), lambda data: data.update(rasa_open_source_version=version))
    with pytest.raises(ModelError, match=version):
        CarriedModel.load(packed(tmp_path / "m.tar.gz", files))


@pytest.mark.parametrize(
    ("name", "raw", "why"),
    [
        ("metadata.json", None, "has no metadata.json"),
        ("metadata.json", b"{", "not JSON"),
        ("metadata.json", b"[" * 100_000, "not JSON"),
        (SKOPS, None, "skops"),
        (SKOPS, b"no zip", "not a whole skops"),
        ("components/train_CountVectorsFeaturizer1/vocabularies.json", b'{"text": {"a": 5}}', "columns"),
        ("components/train_CountVectorsFeaturizer1/vocabularies.json", b'{"text": {"a": 0}}', "do not fit"),
        ("components/train_CountVectorsFeaturizer1/oov_words.json", b'["a"]', "out of the vocabulary"),
    ],
)
def test_a_damaged_model_is_refused(tmp_path: Path, name: str, raw: bytes | None, why: str) -> None:
    files = files_of("standard")
    if raw is None:
        del files[name]
    else:
        files[name] = raw
    with pytest.raises(ModelError, match=why):
        CarriedModel.load(packed(tmp_path / "m.tar.gz", files))


def array(value: object, **options: object) -> bytes:
    out = io.BytesIO()
    np.save(out, np.asarray(value, **options), allow_pickle=True)  # type: ignore[call-overload]
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "raw", "why"),
    [
        ("steps.npy", array([{"a": 1}], dtype=object), "not a plain numpy array"),
        ("steps.npy", b"", "not a plain numpy array"),
        ("steps.npy", array([[1, 2]], dtype=np.int8), "expected int8"),
        ("intercept.npy", array([np.nan] * 5), "not finite"),
        ("idf.npy", None, "has no"),
        ("classifier.json", b'{"format": 2}', "format 2"),
        ("words.json", b'["mijn"]', "its words are not a list"),
        ("words.json", b'{"words": ["mijn"], "sounds": [1]}', "its sounds are not a list"),
        ("words.json", b'{"words": ["mijn"], "sounds": []}', "1 words and 0 sounds"),
    ],
)
def test_a_damaged_classifier_is_refused(tmp_path: Path, name: str, raw: bytes | None, why: str) -> None:
    files = files_of("child")
    (full,) = [known for known in files if known.endswith("/" + name)]
    if raw is None:
        del files[full]
    else:
        files[full] = raw
    with pytest.raises(ModelError, match=why):
        CarriedModel.load(packed(tmp_path / "m.tar.gz", files))


def test_a_pickle_inside_skops_is_never_opened(tmp_path: Path) -> None:
    files = files_of("standard")
    parts = zipfile.ZipFile(io.BytesIO(files[SKOPS]))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for info in parts.infolist():
            raw = array([{"a": 1}], dtype=object) if info.filename.endswith(".npy") else parts.read(info)
            archive.writestr(info.filename, raw)
    files[SKOPS] = out.getvalue()
    with pytest.raises(ModelError, match="not a plain numpy array"):
        CarriedModel.load(packed(tmp_path / "m.tar.gz", files))


def test_another_class_inside_skops_is_refused(tmp_path: Path) -> None:
    files = files_of("standard")
    parts = zipfile.ZipFile(io.BytesIO(files[SKOPS]))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for info in parts.infolist():
            archive.writestr(info.filename, parts.read(info).replace(b'"LogisticRegression"', b'"Evil"'))
    files[SKOPS] = out.getvalue()
    with pytest.raises(ModelError, match="Evil"):
        CarriedModel.load(packed(tmp_path / "m.tar.gz", files))


def test_no_archive_at_all(tmp_path: Path) -> None:
    path = tmp_path / "m.tar.gz"
    with pytest.raises(ModelError, match="cannot be read"):
        CarriedModel.load(path)
    for raw in (b"", b"hello", gzip.compress(b"hello"), (MODELS / "child.tar.gz").read_bytes()[:5000]):
        path.write_bytes(raw)
        with pytest.raises(ModelError):
            CarriedModel.load(path)


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "m.tar.gz"
    with gzip.open(path, "wb", compresslevel=1) as raw:
        info = tarfile.TarInfo("metadata.json")
        info.size = MAX_MEMBER + 1
        raw.write(info.tobuf())
        raw.write(b"\0" * 1024)
    with pytest.raises(ModelError, match="more than is allowed"):
        CarriedModel.load(path)


def test_many_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="more than is allowed"):
        CarriedModel.load(packed(tmp_path / "m.tar.gz", {f"f{n}": b"" for n in range(300)}))


def test_a_link_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        link = tarfile.TarInfo("metadata.json")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    with pytest.raises(ModelError, match="link"):
        CarriedModel.load(path)


def test_a_refused_model_leaves_the_danger_words_and_says_why(tmp_path: Path) -> None:
    opened = open_reader(model_path=tmp_path / "none.tar.gz")
    assert opened.fault is not None
    assert "none.tar.gz" in opened.fault
    assert opened.reader.understand("papa heeft een mes").urgency is Urgency.ACUTE
    assert opened.reader.understand("hoi").intent == FALLBACK


def test_a_refused_model_leaves_the_running_one(tmp_path: Path) -> None:
    reader = open_reader(deadline_s=30).reader
    before = reader.understand("mag ik de burgemeester spreken")
    broken = tmp_path / "new.tar.gz"
    broken.write_bytes(model.DEFAULT_PATH.read_bytes()[:-2000])
    with pytest.raises(ModelError):
        reader.use(*open_model(broken))
    assert reader.understand("mag ik de burgemeester spreken") == before


@pytest.mark.parametrize(
    "written", ["", "{}", '{"thresholds": {"acute_from": 2}}', '{"thresholds": {"other": 0.5}}', '{"thresholds": 1}']
)
def test_broken_thresholds_are_refused(tmp_path: Path, written: str) -> None:
    path = tmp_path / "praat.tar.gz"
    shutil.copyfile(model.DEFAULT_PATH, path)
    record_path(path).write_text(written, encoding="utf-8")
    with pytest.raises(ModelError, match=r"praat\.json"):
        open_model(path)
