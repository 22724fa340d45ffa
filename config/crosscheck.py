"""What one file cannot know: whether the files fit each other and hold everything the bot will ask for."""

from __future__ import annotations

from collections.abc import Mapping

from config.channels import ScriptNeeds
from config.intents import INTENTS
from config.parse import Parsed
from config.required import WITH_CONFIDANT, WITH_DAYS, Requirements
from config.responses import UtteranceSource
from config.schema import PLACEHOLDER, PLACEHOLDERS, Condition, Helpline, Variant
from config.yaml_tree import Tree

FIRST_LIST: Mapping[str, str] = {"noodnummer": "112", "kindertelefoon": "0800-0432"}
"""On every page, reply and error (promise 1): these two lines must be there, with these numbers."""

MANY = 10
"""Missing utterances that are told one by one; when more are missing, a file is, and one fault says so."""

LANGUAGE_PREFIX = "utter_language_"


def crosscheck(parsed: Parsed, required: Requirements) -> None:
    """Add a fault for everything in `parsed` that does not fit together, or that is `required` and not there."""
    if not any(tree.file == "helplines.yml" for tree in parsed.trees):
        return  # no folder: nothing to compare
    _required(parsed, required)
    _texts(parsed, required)
    _helplines(parsed)
    _municipalities(parsed, required)


def _required(parsed: Parsed, required: Requirements) -> None:
    missing = [name for name in required.union.utterances if name not in parsed.utterances]
    if missing:
        tree = Tree("dialogue/")
        if len(missing) > MANY:
            some = ", ".join(missing[:3])
            tree.add(("responses",), f"{len(missing)} utterances that the bot needs are missing: {some} ...", line=0)
        else:
            for name in missing:
                tree.add(("responses", name), "is missing (or has faults): the bot needs this utterance", line=0)
        parsed.trees.append(tree)
    for name in required.union.utterances:
        if name in parsed.utterances and "kindertelefoon" in parsed.helplines:
            _covered(parsed.utterances[name], parsed.helplines, required)


def _covered(source: UtteranceSource, helplines: Mapping[str, Helpline], required: Requirements) -> None:
    for facts in required.reachable(source.utterance.id, helplines):
        if source.utterance.choose(facts, 0) is None:
            gap = ", ".join(f"{name} {str(value).lower()}" for name, value in facts.items())
            source.tree.add(source.path, f"has no text for this hour: {gap}")


def _texts(parsed: Parsed, required: Requirements) -> None:
    for source in parsed.utterances.values():
        _language(source)
        for i, variant in enumerate(source.utterance.variants):
            _placeholders(source, i, variant, parsed.helplines, required.union)
            _conditions(source, i, variant, required)
            for j, button in enumerate(variant.buttons):
                if button.intent not in INTENTS:
                    source.tree.add(source.at(i, "buttons", j, "payload"), "is not an intent that the bot understands")


def _language(source: UtteranceSource) -> None:
    name, language = source.utterance.id, source.utterance.language
    wanted = name.removeprefix(LANGUAGE_PREFIX) if name.startswith(LANGUAGE_PREFIX) else "nl"
    if language != wanted:
        source.tree.add(source.at(0, "metadata", "language"), f"must be {wanted[:10]}, as the utterance's name says")


def _placeholders(source: UtteranceSource, i: int, variant: Variant, helplines: Mapping[str, Helpline], needs: ScriptNeeds) -> None:
    path, name = source.at(i, "text"), source.utterance.id
    lines = {line.id.replace("-", "_"): line for line in helplines.values()}
    for found in PLACEHOLDER.findall(variant.text):
        if found not in PLACEHOLDERS and found not in lines:
            source.tree.add(path, f"{{{found[:40]}}} is not a name that can be filled in")
        elif found in lines and lines[found].audience != "child":
            source.tree.add(path, f"{{{found}}} is a line for admins; a child never reads it")
        elif found == "confidant" and name not in WITH_CONFIDANT:
            source.tree.add(path, f"{{confidant}} is known only in {' and '.join(sorted(WITH_CONFIDANT))}")
        elif found == "days" and name not in WITH_DAYS:
            source.tree.add(path, f"{{days}} are known only in {' and '.join(sorted(WITH_DAYS))}")
        elif found == "page" and name not in needs.with_page:
            source.tree.add(path, f"{{page}} is filled in only in {' and '.join(sorted(needs.with_page))}")
        elif found == "municipality" and name in needs.without_municipality:
            source.tree.add(path, "{municipality} is not known here")
    if "{" in (rest := PLACEHOLDER.sub("", variant.text)) or "}" in rest:
        source.tree.add(path, "holds a brace that is no {name}")


def _conditions(source: UtteranceSource, i: int, variant: Variant, required: Requirements) -> None:
    path = source.at(i, "condition")
    if source.utterance.id in required.union.blind and Condition.ON_DUTY in variant.when:
        source.tree.add(path, "is said when nobody can look who is on duty, so it may not depend on on_duty")
    screens = [channel.own_screen for channel in required.screens_of(source.utterance.id)]
    if variant.when.get(Condition.OWN_SCREEN, screens[0]) not in screens:
        source.tree.add(path, "can never be said: this utterance belongs to another channel")
    home = required.home_of(source.utterance.id)
    silent = not (home and home.capabilities.own_screen) and source.utterance.id not in WITH_CONFIDANT
    if silent and variant.when.get(Condition.CLAIMED) is True:
        source.tree.add(path, "can never be said: the bot is silent once a human has claimed the chat")


def _helplines(parsed: Parsed) -> None:
    tree = next(tree for tree in parsed.trees if tree.file == "helplines.yml")
    if tree.value is None:
        return  # the file itself is the fault
    for name, number in FIRST_LIST.items():
        line = parsed.helplines.get(name)
        if line is None:
            tree.add(("helplines",), f"{name} is missing (or has faults): it stands on every page")
            continue
        where = parsed.homes[f"helpline {name}"][1]
        if line.number != number:
            tree.add((*where, "number"), f"must be {number}: every page, reply and sticker names it")
        if not line.first_list or line.audience != "child":
            tree.add((*where, "first_list"), "must be in the first list and for the child")
        if line.hours == "unknown":
            tree.add((*where, "hours"), "must be known: what the child is told depends on it")
    for name, line in parsed.helplines.items():
        if _digits(line.number) != _digits(line.tel):
            tree.add((*parsed.homes[f"helpline {name}"][1], "tel"), "dials another number than the one printed")


def _digits(number: str) -> str:
    return "".join(c for c in number if c.isdigit()).removeprefix("0031").removeprefix("31").removeprefix("0")


def _municipalities(parsed: Parsed, required: Requirements) -> None:
    paths = frozenset().union(*(channel.paths for channel in required.channels))
    taken: dict[str, str] = {}
    teams: dict[str, str] = {}
    codes = {name: name for name in parsed.municipalities}
    for name, municipality in parsed.municipalities.items():
        tree, path = parsed.homes[f"municipality {name}"]
        if name in paths:
            tree.add((*path, "id"), "is an address of the program itself: choose another")
        if municipality.route not in parsed.routes:
            tree.add((*path, "route"), "is not a route that exists in routes/")
        for i, alias in enumerate(municipality.aliases):
            owner = taken.setdefault(alias.casefold(), name)
            if owner != name:
                tree.add((*path, "aliases", i), f"is already a spelling of {owner}")
        for i, team in enumerate(municipality.teams):
            owner = teams.setdefault(team.id, f"{name} {i}")
            if owner != f"{name} {i}":
                tree.add((*path, "teams", i, "id"), f"is already a team of {owner.split()[0]}")
        for code in municipality.places:
            owner = codes.setdefault(code, f"{name} {code}")
            if owner != f"{name} {code}":
                tree.add((*path, "places", code), f"is already a code of {owner.split()[0]}: a sticker leads to one gemeente")
