"""How long a long proof is: small in `make test`, whole in `make prove`, which sets `PRAAT_PROOF=whole`."""

from __future__ import annotations

import os

import pytest

WHOLE = os.environ.get("PRAAT_PROOF") == "whole"

proof = pytest.mark.proof
"""Marks a test that `make prove` runs again, whole."""


def size(small: int, whole: int) -> int:
    """How many rounds, examples or children this run takes."""
    return whole if WHOLE else small
