"""Sentences about people must be true when they are sent (promise 5): somebody there, nobody there, a line open or closed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from config.faults import Finding
from config.schema import Condition

_PEOPLE = re.compile(
    r"\b(?:(?<!geen )(?:mens|mensen)|iemand|vertrouwenspersoon|medewerkers?|collega's?|team|burgemeester|wij|we|zij|ze|die)\b|"
    r"\{confidant\}"
)
_PRESENT = re.compile(
    r"\b(?:(?:is|zijn|zit|zitten) (?:er|hier|nu|bij je)|er (?:is|zijn|zit|zitten|staat|staan)|"
    r"(?:leest|lezen|kijkt|kijken|luistert|luisteren|antwoordt|antwoorden|reageert|reageren|ziet|zien|komt|komen|schrijft|"
    r"(?<!jij )(?<!je )typt)|neemt (?:het |dit )?over|belt (?:je|jou)|bellen (?:je|jou)|helpt|staat (?:klaar|voor je)|"
    r"onderweg|online|aanwezig|bereikbaar|beschikbaar)\b"
)
_OPEN_END = re.compile(
    r"\b(?:zodra|als er|wanneer|tot er|totdat|misschien|later|soms|nooit|of|wie|zonder|antwoord van een mens)\b|"
    r"\b(?:mens|mensen) die\b|\bburgemeester\b.*\bniet\b"
)
_MAY = re.compile(r"\b(?:kan|kunnen|mag|mogen)\b")
_NOW = re.compile(r"\b(?:nu|op dit moment|vanaf nu|meteen|direct|al)\b")
_NOBODY = re.compile(
    r"\b(?:is|zijn|zit) (?:er |hier |nu |nog |even |steeds |op dit uur |al )*(?:geen mens|niemand|geen mensen)\b|"
    r"\b(?:geen mens|niemand) (?:is|aanwezig|hier|online)\b"
)
_IF = re.compile(r"^(?:is|kijkt|komt|leest|lukt|gaat|zit|ziet|hoort|belt)\b[^,]*,")  # "Komt er iemand, druk op ...": no claim
_NOT_READING = re.compile(r"\b(?:leest|kijkt|lezen)\b.*\b(?:niet|geen)\b|\bniet\b.*\b(?:lezen|leest)\b")
_LINE_OPEN = re.compile(
    r"\bnu (?:\w+ )?open\b|\bis (?:\w+ )?open\b|\b(?:nu|meteen) (?:\w+ )?(?:bellen|chatten|praten|praat)\b|"
    r"\bpraat nu\b|\bis er nu\b"
)
_LINE_SHUT = re.compile(r"\b(?:nu|is) (?:\w+ )?(?:dicht|gesloten)\b")
_OTHER_LINE = re.compile(r"\b(?:veilig thuis|113)\b|\{(?!confidant|municipality|kindertelefoon|noodnummer)[a-z_]+\}")

_KINDERTELEFOON = re.compile(r"kindertelefoon")


def judge_people(sentence: str, when: Mapping[Condition, bool]) -> Iterator[Finding]:
    """What the folded `sentence` claims about people that the conditions of its text do not hold."""
    if sentence.endswith("?") or _IF.search(sentence):
        return
    if _KINDERTELEFOON.search(sentence):
        yield from _line(sentence, when)
    elif _NOBODY.search(sentence):
        known = when.get(Condition.ON_DUTY) is False or when.get(Condition.CLAIMED) is False
        if not known and not _OPEN_END.search(sentence):
            yield Finding("nobody", "says that nobody is there; give the text the condition on_duty: false")
    elif _claims_presence(sentence) and not _held(when):
        yield Finding(
            "presence",
            "says that a human is there or reads; give the text on_duty: true or claimed: true, or write 'zodra er iemand is'",
        )


def _line(sentence: str, when: Mapping[Condition, bool]) -> Iterator[Finding]:
    wanted = True if _LINE_OPEN.search(sentence) else False if _LINE_SHUT.search(sentence) else None
    if wanted is not None and when.get(Condition.KINDERTELEFOON_OPEN) is not wanted:
        state = "open" if wanted else "closed"
        need = f"kindertelefoon_open: {str(wanted).lower()}"
        yield Finding("line-hours", f"says that the Kindertelefoon is {state} now; give the text the condition {need}")


def _claims_presence(sentence: str) -> bool:
    if _OTHER_LINE.search(sentence) or not (_PEOPLE.search(sentence) and _PRESENT.search(sentence)):
        return False
    if _OPEN_END.search(sentence) or _NOT_READING.search(sentence):
        return False
    return bool(_NOW.search(sentence)) or not _MAY.search(sentence)


def _held(when: Mapping[Condition, bool]) -> bool:
    return when.get(Condition.ON_DUTY) is True or when.get(Condition.CLAIMED) is True
