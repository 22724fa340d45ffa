"""Who did what, when, from where. Import from here: `from handoff import audit`."""

from handoff.audit.chain import Finding, Report, verify
from handoff.audit.head import Head, accept, from_text, known
from handoff.audit.lines import ENDED, ERASED, Entry, entries, has_line, note, search, was_ended_by_time, was_erased_by_child

__all__ = [
    "ENDED", "ERASED", "Entry", "Finding", "Head", "Report", "accept", "entries", "from_text", "has_line", "known", "note",
    "search", "verify", "was_ended_by_time", "was_erased_by_child",
]  # fmt: skip
