"""The closed catalogue: each text names its speech acts, and does what they say and no more."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from config.channels import ScriptNeeds
from config.faults import Finding
from config.gates.sentences import QUESTION_MARKS, folded, split
from config.schema import PLACEHOLDER, PLACEHOLDERS, SpeechAct, Utterance, Variant

NOT_YOUR_FAULT = "het is niet jouw schuld."
_AFTER_TELLING = re.compile(r"utter_disclose_\w+|utter_bullying")

_SAYS = {
    SpeechAct.IDENTIFY: (re.compile(r"computer"), "it does not say 'computer'"),
    SpeechAct.THANK: (re.compile(r"\bdank|\bbedankt|\b(?:goed|fijn|mooi) dat\b"), "it thanks nobody"),
    SpeechAct.NOT_YOUR_FAULT: (re.compile(re.escape(NOT_YOUR_FAULT)), "it does not say: Het is niet jouw schuld."),
    SpeechAct.TAKE_SERIOUSLY: (re.compile(r"\bserieus\b|\bbelangrijk\b"), "it does not say 'serieus'"),
    SpeechAct.LIMIT_SECRECY: (re.compile(r"geheim.*\bniet\b|\bniet\b.*geheim"), "it does not say what cannot be kept secret"),
    SpeechAct.NEXT_STEP: (
        re.compile(
            r"\bmens|\biemand\b|\bniemand\b|bericht|antwoord|burgemeester|balie|gemeente|"
            r"\bgeef (?:ik )?(?:het|dit) door|\bleest\b"
        ),
        "it does not say what happens next or who reads",
    ),
    SpeechAct.NOT_UNDERSTOOD: (re.compile(r"\bniet\b"), "it does not say what is not understood"),
    SpeechAct.GREET: (re.compile(r"\b(?:hoi|hallo|hey|hé|dag|welkom|goede\w+)\b"), "it greets nobody"),
    SpeechAct.FAREWELL: (re.compile(r"\bdag\b|\bdoei\b|graag gedaan|\bklaar\b|\bterug|\bhet beste\b"), "it says no goodbye"),
}
"""What a Dutch text with this act must hold. `control` is the page's own business and may say anything the rules allow."""

_SITE = re.compile(r"\b(?:113|kindertelefoon|veiligthuis)\.nl\b")
_IDENTIFIES = re.compile(r"\b(?:ik ben|dit is|ben ik)(?: \w+){0,3} computer\b")
_LITERAL_NUMBER = re.compile(r"\d{3,}|\b0\d{1,3}[- ]\d|\b0[\d .-]{7,}\d")


def judge_acts(utterance: Utterance, variant: Variant, needs: ScriptNeeds) -> Iterator[Finding]:
    """What the text does without naming it, and what it names without doing it. In every language."""
    acts, text = frozenset(variant.acts), variant.text
    yield from _numbers(acts, text)
    yield from _questions(acts, text)
    names = set(PLACEHOLDER.findall(text))
    if utterance.id in needs.names_both_lines and not {"noodnummer", "kindertelefoon"} <= names:
        yield Finding("both-lines", "must name {noodnummer} and {kindertelefoon}: a child must never be without a number")
    if utterance.id in needs.says_computer and SpeechAct.IDENTIFY not in acts:
        yield Finding("says-computer", "must say that it is a computer, and name the act identify")
    if len(set(variant.acts)) < len(variant.acts):
        yield Finding("act-twice", "names an act twice")
    if utterance.language == "nl":
        yield from _dutch(utterance.id, acts, folded(text))


def _numbers(acts: frozenset[SpeechAct], text: str) -> Iterator[Finding]:
    has_number = bool(set(PLACEHOLDER.findall(text)) - PLACEHOLDERS) or bool(_SITE.search(text))
    if (SpeechAct.GIVE_NUMBER in acts) != has_number:
        lacks, none = "gives a number but does not name the act give_number", "names the act give_number and gives none"
        what = lacks if has_number else none
        yield Finding("act-give_number", f"{what}; a number is written as {{kindertelefoon}}")
    if _LITERAL_NUMBER.search(_SITE.sub("", PLACEHOLDER.sub("", text))):
        yield Finding("literal-number", "a number is data: write {noodnummer} or {kindertelefoon}, it comes from helplines.yml")


def _questions(acts: frozenset[SpeechAct], text: str) -> Iterator[Finding]:
    asked = sum(text.count(mark) for mark in QUESTION_MARKS)
    if (SpeechAct.ASK_CHOICE in acts) != bool(asked):
        what = "asks, but does not name the act ask_choice" if asked else "names the act ask_choice and asks nothing"
        yield Finding("act-ask_choice", what)
    if asked > 1:
        yield Finding("one-question", f"asks {asked} questions; one at a time")


def _dutch(name: str, acts: frozenset[SpeechAct], text: str) -> Iterator[Finding]:
    for act, (pattern, lacks) in _SAYS.items():
        if act in acts and not pattern.search(text):
            yield Finding(f"act-{act}", f"names the act {act}, but {lacks}")
    if SpeechAct.IDENTIFY not in acts and _IDENTIFIES.search(text):
        yield Finding("act-identify", "says that it is a computer, but does not name the act identify")
    if SpeechAct.LIMIT_SECRECY not in acts and "geheim" in text:
        yield Finding("act-limit_secrecy", "speaks of secrecy, but does not name the act limit_secrecy")
    if SpeechAct.TAKE_SERIOUSLY not in acts and "serieus" in text:
        yield Finding("act-take_seriously", "says 'serieus', but does not name the act take_seriously")
    yield from _fault(name, acts, split(text))


def _fault(name: str, acts: frozenset[SpeechAct], sentences: Sequence[str]) -> Iterator[Finding]:
    guilt = [s for s in sentences if re.search(r"\bschuld", s)]
    if any(s != NOT_YOUR_FAULT for s in guilt):
        yield Finding("fault-sentence", "guilt is spoken of in one sentence only, and exactly: Het is niet jouw schuld.")
    if guilt and SpeechAct.NOT_YOUR_FAULT not in acts:
        yield Finding("act-not_your_fault", "says whose fault it is, but does not name the act not_your_fault")
    if SpeechAct.NOT_YOUR_FAULT in acts and not _AFTER_TELLING.fullmatch(name):
        yield Finding("fault-place", "may be said only after the child itself told: in utter_disclose_... and utter_bullying")
