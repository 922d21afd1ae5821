"""Paraphrase attack: the same questions in words that nobody trained against.

The worst case over all wordings is what counts: a question is forgotten only if none of them brings the answer back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from relearn_lite.attacks.asking import Ask
from relearn_lite.augment.drafts import Draft, question_drafts
from relearn_lite.augment.form import normal_form
from relearn_lite.augment.verify import write_verified
from relearn_lite.core.records import QA
from relearn_lite.recipe.names import QUESTION_KINDS
from relearn_lite.writers import Writer

if TYPE_CHECKING:
    from relearn_lite.recipe import Augment

TRIES = 3  # seeds that a wording is written with until it is none of those that were trained on
OTHER_QUESTION = "logical"  # asks why or how rather than what: its answer need not be the original one


def wordings(
    questions: Mapping[str, Sequence[QA]], writer: Writer, settings: Augment, seed: int, trained: AbstractSet[str]
) -> list[Ask]:
    """The data's paraphrases, and variants of every kind of `settings` (all kinds where it names none).

    questions: by side. seed: not that of the augmentation. trained: prompts that were trained on; none of them is
    asked. Retain questions get no `logical` variant: a model that keeps everything may well answer it otherwise. What
    could not be written is left out.
    """
    kinds = settings.questions or QUESTION_KINDS
    known = {normal_form(prompt) for prompt in trained}
    asks = []
    for side, asked in questions.items():
        wanted = [kind for kind in kinds if side == "forget" or kind != OTHER_QUESTION]
        written = _write(question_drafts(asked, wanted), writer, settings.verify_rounds, seed, known)
        for qa in asked:
            if qa.paraphrase:
                asks.append(Ask(qa, side, "paraphrase", (qa.paraphrase,)))
            asks += [
                Ask(qa, side, kind, (written[f"{qa.id}/{kind}"],)) for kind in wanted if f"{qa.id}/{kind}" in written
            ]
    return asks


def _write(
    drafts: Sequence[Draft], writer: Writer, rounds: int, seed: int, known: AbstractSet[str]
) -> dict[str, str]:
    """Texts by draft id, none of them in `known`."""
    written: dict[str, str] = {}
    for turn in range(TRIES):
        left = [draft for draft in drafts if draft.id not in written]
        if not left:
            break
        for id_, outcome in write_verified(left, writer, rounds, seed + turn).items():
            if outcome.reason is None and normal_form(outcome.text) not in known:
                written[id_] = outcome.text
    return written
