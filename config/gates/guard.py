"""The speech-act gate: the bot says what it is, gives numbers, says what happens next and hands over. Nothing else.

`docs/decisions/0003-speech-acts.md` has the catalogue, the sources and what this gate cannot see. Rules about words are in
`rules`, about people and hours in `people`, about acts in `acts`, for other languages in `foreign`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from config.channels import ScriptNeeds
from config.faults import Finding
from config.gates.acts import judge_acts
from config.gates.foreign import judge_foreign
from config.gates.people import judge_people
from config.gates.rules import RULES
from config.gates.sentences import folded, hidden, split
from config.required import CORE
from config.schema import Utterance, Variant

_OPEN = re.compile(
    r"^(?:(?:en|maar|dus|of|oké|hoi|goed|nou),? )*(?:wie|wat|waar\w*|wanneer|waarom|hoe\w*|welke?|hoezo|vertel)\b|"
    r",? (?:wie|waarom|hoezo) "
)
_ROUTING = re.compile(
    r"^(?:en |maar |of |dus )?"
    r"(?:ben|is|zijn|kun|kan|wil|mag|gaat|gebeurt|kijkt|komt|zit|heb|lukt|gevaar|nu gevaar|zoek|bel|snap|leest)\b.*"
    r"\b(?:gevaar|gevaarlijk|nu|mens|mensen|burgemeester|praten|typen|chatten|bellen|stoppen|weg|wissen|mee|iemand|iets|ergens|echt|"
    r"klaar|nederlands|kindertelefoon|gemeente|knop|volwassen)\b|^(?:nu )?(?:in )?gevaar\?$"
)
_STORY = re.compile(
    r"\b(?:vaak|vaker|eerder|gisteren|altijd|ooit|lang|thuis|hij|zij|gedaan|deed|doet|iets gedaan|iets gebeurd|"
    r"iemand (?:gedaan|iets|pijn)|pijn|bang|erover|hierover|daarover|dat vertellen)\b"
)
_SILENT_WAYS = re.compile(r"\bsnel weg\b|\btyp|\bchat|\bapp|\bknop\b|niet praten|iemand anders|hoeft niks")


def judge_utterance(utterance: Utterance, needs: ScriptNeeds = CORE) -> Iterator[tuple[int, Finding]]:
    """Everything the utterance may not say, each with the number of the variant."""
    for i, variant in enumerate(utterance.variants):
        for finding in judge_variant(utterance, variant, needs):
            yield i, finding


def judge_variant(utterance: Utterance, variant: Variant, needs: ScriptNeeds = CORE) -> list[Finding]:
    """Everything one text of `utterance` may not say."""
    findings = list(judge_acts(utterance, variant, needs))
    if names := hidden(variant.text):
        findings.append(Finding("hidden", f"holds a character that nobody sees: {names[0].lower()}; type the text again"))
    if utterance.language == "nl":
        for sentence in split(folded(variant.text)):
            findings.extend(_sentence(sentence))
            findings.extend(judge_people(sentence, variant.when))
        findings.extend(_silent_way(utterance.id, folded(variant.text)))
    else:
        findings.extend(judge_foreign(utterance.language, variant.text, variant.when))
    return list(dict.fromkeys(findings))


def _sentence(sentence: str) -> Iterator[Finding]:
    for rule in RULES:
        broken = rule.breaks(sentence)
        if broken is not None:
            yield Finding(rule.id, f"'{broken[:30]}': {rule.why}; {rule.instead}")
    if sentence.endswith("?"):
        yield from _question(sentence)


def _question(sentence: str) -> Iterator[Finding]:
    """Only a choice that routes may be asked, to be answered with yes or no (or a button)."""
    if _OPEN.search(sentence):
        yield Finding("open-question", "an open question asks for the story; ask yes or no: Ben je nu in gevaar?")
    elif _STORY.search(sentence) or not _ROUTING.search(sentence):
        yield Finding(
            "closed-question",
            "asks about what happened; a question may only route: danger now, a human, talking or typing, "
            "stopping, who looks along",
        )


def _silent_way(name: str, text: str) -> Iterator[Finding]:
    if name in {"utter_acute_danger", "utter_unsafe_to_chat"} and not _SILENT_WAYS.search(text):
        way = "name a way without calling aloud, such as another who calls"
        yield Finding("only-way", f"a child that cannot speak reads this: {way}")
