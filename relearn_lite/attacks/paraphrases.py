"""Paraphrase attack: the same questions in words that nobody trained against.

The worst case over all paraphrases is what counts: a question is forgotten only if none of them brings the answer back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from relearn_lite.attacks.answering import AttackPrompt
from relearn_lite.augment.drafts import question_drafts
from relearn_lite.augment.form import normal_form
from relearn_lite.augment.settings import Settings
from relearn_lite.augment.verify import write_verified
from relearn_lite.core.records import QA
from relearn_lite.recipe import Augment
from relearn_lite.recipe.names import QUESTION_KINDS
from relearn_lite.writers import Writer

TRIES = 3  # seeds that a variant is written with until it is none of those that were trained on
OTHER_QUESTION = "logical"  # asks why or how rather than what: its answer need not be the original one


def paraphrase_prompts(
    questions: Mapping[str, Sequence[QA]], writer: Writer, section: Augment, seed: int, trained: AbstractSet[str]
) -> list[AttackPrompt]:
    """The data's paraphrases, and variants of every kind of `section` (all kinds where it names none).

    questions: by side. seed: not that of the augmentation. trained: prompts that were trained on; none of them is
    asked. Retain questions get no `logical` variant: a model that keeps everything may well answer it otherwise. What
    could not be written is left out.
    """
    trained = {normal_form(prompt) for prompt in trained}
    prompts = []
    for side, asked in questions.items():
        kinds = [k for k in section.questions or QUESTION_KINDS if side == "forget" or k != OTHER_QUESTION]
        written = _write(asked, kinds, writer, Settings.of(section, seed), trained)
        for qa in asked:
            texts = {"paraphrase": qa.paraphrase} | {kind: written.get(f"{qa.id}/{kind}") for kind in kinds}
            prompts += [AttackPrompt.of(qa, side, way, [text]) for way, text in texts.items() if text]
    return prompts


def _write(
    questions: Sequence[QA], kinds: Sequence[str], writer: Writer, settings: Settings, trained: AbstractSet[str]
) -> dict[str, str]:
    """Variants by <id of the question>/<kind>, none of them in `trained`."""
    left, written = question_drafts(questions, kinds), {}
    for turn in range(TRIES):
        outcomes = write_verified(left, writer, replace(settings, seed=settings.seed + turn)) if left else {}
        written |= {
            id_: outcome.text for id_, outcome in outcomes.items()
            if outcome.reason is None and normal_form(outcome.text) not in trained
        }  # fmt: skip
        left = [draft for draft in left if draft.id not in written]
    return written
