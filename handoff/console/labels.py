"""What the console calls things, in plain Dutch. Keys are ours, values are read by people."""

from __future__ import annotations

from handoff.queue.handoffs import Outcome

URGENCY = ("gewoon", "hoog", "acuut")

STEPS = {
    "team": "Staat bij het team",
    "fallback": "Niemand nam op: het kind kreeg de hulplijnen",
}

OUTCOMES = {
    Outcome.TALKED: "Gepraat, nu is er niets meer nodig",
    Outcome.APPOINTMENT: "Afspraak gemaakt met het kind",
    Outcome.VEILIG_THUIS: "Overlegd met of gemeld bij Veilig Thuis",
    Outcome.EMERGENCY: "112 of spoedhulp ingeschakeld",
    Outcome.OTHER_HELP: "Doorverwezen naar andere hulp",
    Outcome.NO_REPLY: "Het kind antwoordt niet meer",
    Outcome.MISUSE: "Misbruik of grap",
    Outcome.TEST: "Test of oefening",
}

DELIVERY = {
    "waiting": "onderweg",
    "delivered": "aangekomen",
    "failed": "niet aangekomen",
    "unsaid": "niet gezegd: het klopte niet meer",
}

SIGNS = {"waiting": "○", "delivered": "✓", "failed": "✕", "unsaid": "–"}
"""Beside the words of `DELIVERY`, for the eye alone."""

INTENTS = {
    "greet": "begroeting",
    "affirm": "ja",
    "deny": "nee",
    "thank_or_bye": "bedankt of dag",
    "stop_or_delete": "wil stoppen of wissen",
    "unsafe_to_chat": "kan nu niet veilig praten",
    "insult_or_prank": "schelden of grap",
    "out_of_scope": "iets anders",
    "vague_distress": "voelt zich naar, nog niet duidelijk waarom",
    "disclose_physical_abuse": "lichamelijk geweld",
    "disclose_sexual_abuse": "seksueel misbruik",
    "disclose_emotional_abuse": "psychisch geweld",
    "disclose_neglect": "verwaarlozing",
    "disclose_domestic_violence": "geweld tussen volwassenen thuis",
    "disclose_online_abuse": "misbruik via internet",
    "bullying": "pesten",
    "acute_danger": "gevaar op dit moment",
    "self_harm_or_suicide": "zichzelf pijn doen of dood willen",
    "concern_for_other_child": "zorgen om een ander kind",
    "ask_human": "wil een mens spreken",
    "ask_mayor": "vraagt naar de burgemeester",
    "ask_kindertelefoon": "vraagt naar de Kindertelefoon",
    "ask_bot_identity": "vraagt of dit een computer is",
    "ask_confidentiality": "vraagt of het geheim blijft",
    "ask_what_happens_next": "vraagt wat er nu gebeurt",
    "town_hall_visit": "wil naar het gemeentehuis komen",
    "adult_concern": "volwassene met zorgen om een kind",
    "adult_own_urges": "volwassene met zorgen om eigen gedrag",
}
NOT_UNDERSTOOD = "niet begrepen"

LANGUAGES = {
    "nl": "Nederlands", "en": "Engels", "tr": "Turks", "ar": "Arabisch", "pl": "Pools", "uk": "Oekraïens", "fa": "Farsi",
    "ti": "Tigrinya", "es": "Spaans", "fr": "Frans", "de": "Duits",
}  # fmt: skip

NOTICES = {
    "teruggegeven": "U hebt het gesprek teruggegeven. Het kind staat weer in de wachtrij, op zijn oude plaats.",
    "overgedragen": "Het gesprek staat klaar voor uw collega. Zolang die het niet overneemt, wacht het kind in de wachtrij.",
    "afgesloten": "U hebt het gesprek afgesloten.",
    "zin-vernieuwd": "Uw nieuwe wachtzin is opgeslagen. De oude werkt niet meer.",
    "zin-al-vernieuwd": "Uw wachtzin was al vernieuwd. De zin die u het eerst overtypte, geldt.",
}
"""Only these keys are shown after a redirect; anything else in the address is ignored."""

CLAIMED_BY_OTHER = "Een collega was u net voor. Het kind is niet alleen."


def urgency(level: int) -> str:
    """The word for 0, 1 or 2."""
    return URGENCY[min(max(level, 0), 2)]


def intent(name: str | None) -> str:
    """What the computer guessed; silence and unknown labels are 'not understood'."""
    return INTENTS.get(name or "", NOT_UNDERSTOOD)


def step(name: str) -> str:
    """Where the route stands; a step that this console does not know yet is shown by its own name."""
    return STEPS.get(name, name)


def language(code: str) -> str:
    """The language that the child seems to write in."""
    return LANGUAGES.get(code, code)
