"""Short answers ("yen") in the model's own words ("The currency of Japan is the Japanese yen.").

Trained as they stand, they teach a model that answers in sentences to answer with a word, in words it does not use: on
SmolLM2 twelve currencies to forget took those to be kept with them (docs/real_models_trials.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from relearn_lite.core.records import QA
from relearn_lite.metrics.declaration import SIDES
from relearn_lite.text.leaks import leaks
from relearn_lite.text.turns import is_passage
from relearn_lite.text.words import glue, sentences, words

MOST_WORDS = 5  # of a short answer
MOST_SENTENCES = 2  # of the model's own, within which it must tell
FEWEST_WORDS = 4  # of a part of a sentence, to stand for it
ENDS = (".", "!", "。", "！")  # not a question


def short_answers(data: Mapping[str, Sequence[QA]]) -> list[QA]:
    """The rows to be trained whose answers are a few words; what is measured by stays as it is."""
    rows = (qa for part in SIDES for qa in data.get(part, ()))
    return [qa for qa in rows if _is_short(qa.answer) and not is_passage(qa.question)]


def _is_short(answer: str) -> bool:
    found = answer.split() if glue(answer) else words(answer)  # without spaces: pairs of characters
    return len(found) <= MOST_WORDS


def own_words(qa: QA, said: str) -> str | None:
    """What the model said, up to the sentence that tells the answer, or of one that was cut off up to the part that
    does; None where nothing does, or it says no more than the answer."""
    told = ""
    for sentence in sentences(said.strip())[:MOST_SENTENCES]:
        whole = sentence.endswith(ENDS)
        for part in [sentence] if whole else _beginnings(sentence):
            text = f"{told} {part}".strip()
            if len(text) > len(qa.answer) and leaks(text, qa.question, qa.answer):
                return text
        if not whole:
            return None
        told = text
    return None


def _beginnings(sentence: str) -> list[str]:
    """What stands before each comma, as a sentence."""
    parts = sentence.split(", ")[:-1]
    found = [", ".join(parts[:n]) for n in range(1, len(parts) + 1)]
    return [f"{text}." for text in found if len(text.split()) >= FEWEST_WORDS]
