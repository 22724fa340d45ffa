"""Limits that several parts must agree on."""

TEXT_LIMIT = 4_000
"""Characters of one message, of a child or a confidant. What understands words reads as many (`nlu.text.LONGEST`)."""
