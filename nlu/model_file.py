"""Opens a trained Rasa model (`.tar.gz`) as plain data: JSON and numpy arrays. Nothing in it is ever run or unpickled.

Rasa 3.6 writes a tar.gz with `metadata.json`, one folder per trained component, vocabularies as JSON and scikit-learn models as
`.skops`: a ZIP with a JSON schema and `.npy` arrays. Sizes are capped before anything is unpacked into memory.
"""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

MAX_FILE = 32 * 1024 * 1024
"""Bytes of the archive itself."""
MAX_MEMBER = 64 * 1024 * 1024
MAX_TOTAL = 128 * 1024 * 1024
MAX_MEMBERS = 200


class ModelError(Exception):
    """A model file that is not used. The text says what and why."""


def unpack(path: Path) -> dict[str, bytes]:
    """All files of the archive by name. Raises `ModelError` for anything but plain files and folders within the caps."""
    try:
        size = path.stat().st_size
    except OSError as fault:
        raise ModelError(f"{path.name}: cannot be read ({fault.strerror})") from None
    if size > MAX_FILE:
        raise ModelError(f"{path.name}: {size} bytes, more than the {MAX_FILE} allowed")
    try:
        with tarfile.open(path, "r:gz") as archive:
            return _members(archive, path.name)
    except (tarfile.TarError, OSError, EOFError, zlib.error) as fault:
        raise ModelError(f"{path.name}: not a whole tar.gz ({type(fault).__name__})") from None


def _members(archive: tarfile.TarFile, name: str) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    total = count = 0
    for member in archive:
        count += 1
        total += member.size
        if count > MAX_MEMBERS or member.size > MAX_MEMBER or total > MAX_TOTAL:
            raise ModelError(f"{name}: unpacks to more than is allowed")
        if member.isdir():
            continue
        if not member.isfile():
            raise ModelError(f"{name}: holds a link or device, which no Rasa model does")
        stream = archive.extractfile(member)
        files[member.name.removeprefix("./").lstrip("/")] = stream.read() if stream else b""
    return files


def read_json(files: Mapping[str, bytes], name: str) -> Any:
    """A JSON file of the archive. Raises `ModelError` when it is missing or broken."""
    if name not in files:
        raise ModelError(f"the model has no {name}")
    try:
        return json.loads(files[name])
    except (ValueError, RecursionError):
        raise ModelError(f"the model's {name} is not JSON") from None


def read_array(raw: bytes, name: str) -> npt.NDArray[Any]:
    """A numpy array without objects in it. Raises `ModelError`."""
    try:
        array = np.load(io.BytesIO(raw), allow_pickle=False)
    except (ValueError, OSError, EOFError, MemoryError) as fault:
        raise ModelError(f"the model's {name} is not a plain numpy array ({type(fault).__name__})") from None
    if not isinstance(array, np.ndarray):
        raise ModelError(f"the model's {name} is not a plain numpy array")
    return cast("npt.NDArray[Any]", array)


def read_skops(raw: bytes, name: str, expected_class: str) -> dict[str, Any]:
    """The attributes of one scikit-learn object: arrays as arrays, numbers and texts as such, anything else left out.

    Raises `ModelError` when it is no skops file, or holds another class than `expected_class` (`module.Name`).
    """
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            if sum(info.file_size for info in archive.infolist()) > MAX_TOTAL:
                raise ModelError(f"the model's {name} unpacks to more than is allowed")
            parts = {info.filename: archive.read(info) for info in archive.infolist()}
    except (zipfile.BadZipFile, OSError, zlib.error, RuntimeError, NotImplementedError):
        raise ModelError(f"the model's {name} is not a whole skops file") from None
    schema = read_json(parts, "schema.json")
    try:
        found = f"{schema['__module__']}.{schema['__class__']}"
        content: Mapping[str, Mapping[str, Any]] = schema["content"]["content"]
        if found != expected_class:
            raise ModelError(f"the model's {name} holds a {found}, not a {expected_class}")
        return {key: value for key, node in content.items() if (value := _value(node, parts, name)) is not None}
    except (KeyError, TypeError, AttributeError):
        raise ModelError(f"the model's {name} has an unknown schema") from None


def _value(node: Mapping[str, Any], parts: Mapping[str, bytes], name: str) -> Any:
    if node.get("__loader__") == "JsonNode":
        return json.loads(node["content"])
    if node.get("__loader__") == "NdArrayNode" and node.get("type") == "numpy":
        return read_array(parts[node["file"]], f"{name} ({node['file']})")
    return None
