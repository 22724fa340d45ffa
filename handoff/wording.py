"""The script's fixed texts for the page (`utter_page_*` and a few more), in the variant that is true at this moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from config.facts import facts
from config.render import render
from config.schema import Condition, Helpline, QuickReply
from handoff.runtime import Runtime

NEIGHBOUR = "veilig-thuis"
"""The line that is also shown while the Kindertelefoon is closed: a human, day and night."""


@dataclass(frozen=True, slots=True)
class Words:
    """What can be said now. `on_duty` is None when it is not known: then every text that depends on it is empty."""

    runtime: Runtime
    municipality: str
    now: datetime
    on_duty: bool | None
    webchat: bool = True

    def say(self, utterance_id: str) -> str:
        """The text of an utterance, or nothing when no variant of it is true now."""
        found = self._variant(utterance_id)
        return render(found[0], self.runtime.configuration.helplines, municipality=self.municipality) if found else ""

    def buttons(self, utterance_id: str) -> tuple[QuickReply, ...]:
        """The quick replies that go with an utterance now."""
        found = self._variant(utterance_id)
        return found[1] if found else ()

    def _variant(self, utterance_id: str) -> tuple[str, tuple[QuickReply, ...]] | None:
        known = dict(facts(self.runtime.configuration.helplines, self.now, on_duty=bool(self.on_duty), webchat=self.webchat))
        if self.on_duty is None:
            del known[Condition.ON_DUTY]
        utterance = self.runtime.configuration.script.utterances[utterance_id]
        index = utterance.choose(known, turn=0)
        if index is None:
            return None
        variant = utterance.variants[index]
        return variant.text, variant.buttons

    def lines(self) -> list[Helpline]:
        """The lines to show as buttons: always 112 and the Kindertelefoon, and a third one while the second is closed."""
        known = self.runtime.configuration.helplines
        first = [line for line in known.values() if line.first_list]
        neighbour = known.get(NEIGHBOUR)
        if neighbour and neighbour.is_open(self.now) and any(not line.is_open(self.now) for line in first):
            first.append(neighbour)
        return first

    def live(self) -> dict[str, object]:
        """What changes by the hour or with the people on duty, for a page that is open."""
        return {
            "on_duty": self.on_duty,
            "duty": self.say("utter_page_duty"),
            "numbers": self.say("utter_page_numbers"),
            "trouble": self.say("utter_trouble"),
            "stopped": self.say("utter_stopped"),
            "extra": any(line.id == NEIGHBOUR for line in self.lines()),
        }


def dialled(runtime: Runtime) -> list[tuple[str, str]]:
    """(printed, dialled) number of every line that a child may be shown."""
    return [(h.number, h.tel) for h in runtime.configuration.helplines.values() if h.audience == "child"]
