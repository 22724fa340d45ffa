"""The languages that the program tells apart, and those in which it can answer."""

from __future__ import annotations

DUTCH = "nl"
"""What the bot speaks, and what a message counts as when nobody can tell."""

LANGUAGE_CARDS: tuple[str, ...] = ("en", "tr", "ar", "pl", "uk", "fa", "ti", "es", "fr", "de")
"""Languages besides Dutch in which the first answer is given (ISO 639)."""

LANGUAGES: tuple[str, ...] = (DUTCH, *LANGUAGE_CARDS, "fy", "pap", "so", "ary")
"""Every language that is recognised: those above, Frisian, Papiamentu, Somali, and Moroccan Arabic in Latin letters."""
