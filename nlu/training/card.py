# ruff: noqa: E501 - the card's own text
"""The model card (`nlu/MODEL.md`) and the record beside the model (`nlu/models/praat.json`): one is written from the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from config.intents import URGENCY_OF, Urgency

Record = Mapping[str, Any]

_FIGURES = (
    ("examples", "Examples", "{:d}"),
    ("acute", "of which acute", "{:d}"),
    ("normal", "of which normal", "{:d}"),
    ("accuracy", "Accuracy", "{:.1%}"),
    ("macro_f1", "Macro-F1", "{:.3f}"),
    ("acute_recall", "Recall of acute", "{:.1%}"),
    ("acute_or_high_recall", "Recall of acute or high", "{:.1%}"),
    ("false_alarm_rate", "False alarms (normal read as acute)", "{:.1%}"),
    ("raised_rate", "Normal read as high or acute", "{:.1%}"),
    ("fallback_rate", "Not understood (`nlu_fallback`)", "{:.1%}"),
    ("calibration_error", "Expected calibration error", "{:.3f}"),
)

_TEXT = """# The language model `praat`

Written by `make train` from `nlu/models/praat.json`; do not edit by hand.

**What it is for.** It reads one message of a child that writes to the bot behind the sticker on a Dutch town hall's door, and says which of
28 intents it is. It decides nothing: every child is handed over to a human, whatever it says. Together with the danger list
(`config/danger.yml`) it may raise the urgency, never lower it.

**What it must not be used for.** Deciding whether a child is believed, helped or heard; any judgement about a family; any other text.

**How it is made.** Rasa {rasa}, pipeline `nlu/rasa/config.yml`: words as a child spells them, word pairs, letter groups and concepts, tf-idf, one
logistic regression per intent. {training} training sentences, all made up for this purpose (most of them by a language model that was told what to
vary); no child's message is or may be in it.
Trained by Rasa in its own environment; read in the bot's process with numpy (`nlu/model.py`).

| | |
|---|---|
| Hash of data, pipeline, danger list and code (SHA-256) | `{data_hash}` |
| Hash of the model file (SHA-256) | `{model_hash}` |
| Softmax scale (calibrated) | {scale:.3f} |
| Below this the intent is not named | {fallback_below:.2f} |
| Acute intents together, from | {acute_from:.2f} |
| Acute and high intents together, from | {high_from:.2f} |
| Parity with Rasa itself | {parity_texts} texts, {parity_other} other intents, largest difference {parity_difference:.0e} |

## Figures

The held-out sets were written apart from the training data and never trained on; `second` and its two companions by another author, who
had seen nothing but the labelling guide. Cross-validation trains five times on four fifths of the
training data and reads the rest: it is harder, since the training data was made to be varied and holds many near misses. It is not pure either: scale and thresholds
are set on these answers, and who wrote danger phrases had read half of these sentences. With typos: every sixteenth letter dropped, doubled, swapped or mistyped. Danger list and model together, as the
bot uses them; in cross-validation the danger list is not held out.

{figures}

## Per intent (held-out)

| Intent | Precision | Recall | F1 | Examples |
|---|---|---|---|---|
{intents}

![Which intent is taken for which](models/confusion.svg)

![Whether confidence keeps its word](models/reliability.svg)

![What finding more danger costs in false alarms](models/trade_off.svg)

The last picture is cross-validated: each dot is another value of `acute_from`, the filled one is in use.

## Known limits

- Dutch. Other languages are named by `nlu/language.py`, and only a few danger phrases of them are known.
- Held-out sets flatter: read the cross-validation column. It is the hardest, since the training data holds many near misses.
- A vague cry is often read as `vague_distress` or not understood. That costs nothing but words: a human reads it all the same.
"""


_NEEDS = {
    "acute_recall": {Urgency.ACUTE},
    "acute_or_high_recall": {Urgency.ACUTE, Urgency.HIGH},
    "false_alarm_rate": {Urgency.NORMAL},
    "raised_rate": {Urgency.NORMAL},
}


def _shown(report: Record, key: str, form: str) -> str:
    """A figure, or a dash when the set holds no message that it is about."""
    urgencies = {URGENCY_OF[row["intent"]] for row in report["intents"]}
    return form.format(report[key]) if key not in _NEEDS or urgencies & _NEEDS[key] else "–"


def render(record: Record) -> str:
    """The card of a record."""
    reports: Mapping[str, Record] = record["reports"]
    names = list(reports)
    lines = ["| | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for key, label, form in _FIGURES:
        lines.append(f"| {label} | " + " | ".join(_shown(reports[name], key, form) for name in names) + " |")
    intents = [
        f"| `{row['intent']}` | {row['precision']:.2f} | {row['recall']:.2f} | {row['f1']:.2f} | {row['examples']} |"
        for row in reports["held-out"]["intents"]
    ]
    return _TEXT.format(
        rasa=record["rasa"],
        training=record["training_examples"],
        data_hash=record["data_hash"],
        model_hash=record["model_hash"],
        scale=record["scale"],
        **record["thresholds"],
        parity_texts=record["parity"]["texts"],
        parity_other=record["parity"]["other_intent"],
        parity_difference=record["parity"]["largest_difference"],
        figures="\n".join(lines),
        intents="\n".join(intents),
    )
