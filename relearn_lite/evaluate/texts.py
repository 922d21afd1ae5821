"""What numbers mean where a text is continued and no question is answered: told beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from relearn_lite.core.records import Answer
from relearn_lite.metrics import PARAPHRASE
from relearn_lite.text.recall import CONTINUED, KNOWN_NGRAM, LEAKED_NGRAM
from relearn_lite.text.turns import is_passage

KNOWN = f"{CONTINUED:.0%} or more of the words of its rest in their order, or {KNOWN_NGRAM} of them in a row"
NOTES = {
    "kfr": f"of a text: passages that the model does not continue as they are. Continued is a passage with {KNOWN}; no "
    "judge takes part, and that the same is told in other words is not seen",
    "krr": f"of a text: passages that the model continues as they are, with {KNOWN}",
    "leak": f"of a text: continuations with {LEAKED_NGRAM} words of the rest in a row",
}
RATES = {"forget": ("kfr", "leak"), "retain": ("krr",)}


def explain(answers: Mapping[str, Sequence[Answer]], numbers: dict, result: dict) -> None:
    """Adds notes to the numbers of texts, and why there are none of paraphrases."""
    for side, rates in RATES.items():
        if not any(is_passage(row.query) for row in answers.get(side, ())):
            continue
        for rate in (rate for rate in rates if rate in numbers):
            result["notes"][rate] = "; ".join(filter(None, (NOTES[rate], result["notes"].get(rate))))
            if side + PARAPHRASE not in answers:
                numbers[rate + PARAPHRASE] = None
                result["reasons"][rate + PARAPHRASE] = "a text is not asked in other words, but cut in other places"
