"""What can be wrong with configuration, and how it is told: every fault at once, each with its place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing to mend. `file` is relative to the configuration folder, `line` counts from 1 (0: the whole file).

    `key` is the path of keys to the value (`responses.utter_greet.0.text`). `message` says what is wrong and what to
    do instead; `rule` is the id of the gate's rule, empty when the loader itself found the fault.
    """

    file: str
    line: int
    key: str
    message: str
    rule: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return " ".join(part for part in (f"{place}:", self.key, self.message, f"[{self.rule}]" * bool(self.rule)) if part)


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule of a gate that a text breaks: the rule's id, and what is wrong with what to do instead."""

    rule: str
    message: str


class ConfigError(Exception):
    """Root of the errors of this package. Trying again does not help: a person has to mend something."""

    permanent = True


class Faults(ConfigError):
    """The configuration cannot be used. Holds all faults of all files, sorted by place."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(sorted(set(faults)))
        super().__init__("\n".join(str(fault) for fault in self.faults))
