"""The words on the page's own controls. What the bot says comes from the script (`utter_*`); these name buttons and states.

They follow the same rules as the script: `je`, at most ten words, true when shown.
"""

from __future__ import annotations

LABELS = {
    "again": "Probeer het opnieuw",
    "blank": "Tik om verder te gaan",
    "bot": "Computer",
    "call": "Bellen",
    "chat": "Gesprek",
    "choose_name": "Pagina",
    "choose": "Kies een dorp of stad",
    "danger": "bij gevaar",
    "empty": "(leeg)",
    "erase": "Wis alles",
    "erase_now": "Ja, wis alles",
    "exit": "Snel weg",
    "exit_hint": "Of druk drie keer op Shift of Escape.",
    "free": "gratis",
    "human": "Mens",
    "know": "Goed om te weten",
    "me": "Jij",
    "new": "Nieuw bericht",
    "no_line": "Geen verbinding. Ik probeer het steeds.",
    "not_sent": "Dit is niet gestuurd. Je kunt het kopiëren.",
    "nothing_found": "Niks gevonden. Typ het anders.",
    "once_more": "Nog één keer om weg te gaan",
    "pending": "Even wachten",
    "quick": "Snel kiezen",
    "refresh": "Kijk of er antwoord is",
    "search": "Zoek",
    "search_label": "Jouw dorp of stad",
    "send": "Stuur",
    "stored": "Bewaard",
    "too_large": "Je bericht is te lang. Ga terug en maak het korter.",
    "twice_more": "Nog twee keer om weg te gaan",
    "write": "Typ hier",
}
"""Every label by its name in the templates."""

STATES = {
    "waiting": "Je wacht op een mens.",
    "alone": "Er is nu geen mens. Je bericht blijft staan.",
    "claimed": "Een mens leest nu mee: {confidant}.",
    "closed": "Dit gesprek is klaar.",
}
"""The line above the box, by the state of the handoff."""

FOR_SCRIPT = ("bot", "empty", "human", "me", "no_line", "nothing_found", "once_more", "pending", "stored", "twice_more")
"""The labels that the page's JavaScript needs."""


def state_label(state: str, confidant: str | None, *, on_duty: bool) -> str:
    """How the chat stands, in one line that is true now; nothing for a state that has no line."""
    state = "alone" if state == "waiting" and not on_duty else state
    return STATES.get(state, "").replace("{confidant}", confidant or LABELS["human"].lower())
