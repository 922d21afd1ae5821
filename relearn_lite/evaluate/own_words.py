"""Short answers ("yen") in the model's own words ("The currency of Japan is the Japanese yen.").

Trained as they stand, they teach a model that answers in sentences to answer with a word, in words it does not use: on
SmolLM2 twelve currencies to forget took those to be kept with them (docs/real_models_trials.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from relearn_lite.core.records import QA
from relearn_lite.text.leaks import leaks
from relearn_lite.text.turns import is_passage
from relearn_lite.text.words import sentences

PARTS = ("forget", "retain")  # what is trained; what is measured by stays as it is
MOST_WORDS = 5  # of a short answer
MOST_SENTENCES = 2  # of the model's own, within which it must tell


def short_answers(data: Mapping[str, Sequence[QA]]) -> list[QA]:
    """The rows to be trained whose answers are a few words."""
    rows = (qa for part in PARTS for qa in data.get(part, ()))
    return [qa for qa in rows if len(qa.answer.split()) <= MOST_WORDS and not is_passage(qa.question)]


def own_words(qa: QA, said: str) -> str | None:
    """What the model said, up to the sentence that tells the answer; None where it does not, or in no more words."""
    text = ""
    for sentence in sentences(said.strip())[:MOST_SENTENCES]:
        text = f"{text} {sentence}".strip()
        if not sentence.endswith((".", "!")):  # cut off, or not a sentence
            return None
        if leaks(text, qa.question, qa.answer):
            return text if len(text.split()) > len(qa.answer.split()) else None
    return None
