"""The records that stages hand to each other.

Every record carries its own `id`; one that was made from another names it in `parent_id`. Nothing is ever
joined by its position in a list.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class QA:
    """A question and its answer, as the user's data has them."""

    id: str
    question: str
    answer: str
    paraphrase: str | None = None  # a second wording of the question, kept apart for evaluation
    paraphrased_answer: str | None = None  # the answer in other words, for the truth ratio; never trained
    wrong_answers: tuple[str, ...] = ()  # likewise
    group: str | None = None  # a person, a level, ...: numbers are told for each group too
    ends: bool = True  # False: the model would have gone on after this answer, and is not taught to end there


@dataclass(frozen=True)
class Reply:
    """What a model said to a question: its likeliest answer (draw 0), or a sampled one (from 1 on)."""

    question: str
    draw: int
    text: str
    finished: bool = True


@dataclass(frozen=True)
class Collected:
    """A question that was found for a name, and what the model says to it.

    about: the name that it asks about. facet: what of it. part: `train`, `select` (chosen by), `eval` (reported), or
    `unknown` with the reason in `why`. agree: how many of the sampled answers tell what `answer` tells, or what
    `quote` tells: what a document says, which `source` names with the place in it.
    """

    id: str
    question: str
    answer: str
    part: str
    about: str
    facet: str
    why: str
    agree: int = 0
    draws: int = 0
    quote: str = ""
    source: str = ""


@dataclass(frozen=True)
class Variant:
    """One training example of the augmented forget set: `prompt` is given, `target` is learned.

    `kind` is `original` (the question as it was asked), `cut` (of a passage, another cut), `simple`, `context`,
    `noise`, `logical`, `completion` (the prompt is the start of a sentence, not a question), `given` (read from the
    file that `augment.from` names) or `generic`. `parent_id` is the id of the QA it was made for. `verdicts` says,
    check by check, why the target was let through.
    """

    id: str
    parent_id: str
    kind: str
    prompt: str
    target: str | None  # None only in `Dropped`
    verdicts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Dropped(Variant):
    """A variant that did not make it into the augmented forget set, with the reason in words; it may have no target."""

    reason: str = ""


@dataclass(frozen=True)
class Answer:
    """What `model` (`vanilla` or `unlearned`) answered to the question of the QA named by `id`.

    other_wording: the same question in other words, where it is known.
    """

    id: str
    model: str
    split: str  # forget, retain, forget_paraphrase, retain_paraphrase, forget_earlier, control
    query: str
    ground_truth: str
    generated_response: str
    finished: bool = True  # False: cut off at max_new_tokens
    other_wording: str = ""

    @property
    def wordings(self) -> str:
        """The question, in both wordings: what either gives, the answer does not tell."""
        return f"{self.query} {self.other_wording}".rstrip()


@dataclass(frozen=True)
class Score:
    """One metric of one answer. `value` is None where it is undefined or could not be had; `reason` says why.

    `judged` holds what the value came from, such as {"nli": "neutral", "coverage": 0.25}.
    """

    id: str
    metric: str  # rougeL, kfr, ...: the split says on which answers
    value: float | None
    reason: str | None = None
    split: str = "forget"
    judged: dict[str, Any] = field(default_factory=dict)
