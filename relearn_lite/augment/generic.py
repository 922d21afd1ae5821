"""General questions and answers, mixed in against catastrophic forgetting."""

from __future__ import annotations

import random
from collections.abc import Sequence

from relearn_lite.augment.cleaning import normal
from relearn_lite.augment.given import Parents
from relearn_lite.core.records import QA, Dropped, Variant


def pick_generic(
    generic: Sequence[QA], forget: Sequence[QA], augmented: int, ratio: float, seed: int
) -> tuple[list[Variant], list[Dropped], dict[str, int]]:
    """Draws `ratio` x `augmented` generic pairs without repeating any, in their own order.

    Questions that are to be forgotten are left out, and pairs that tell what is to be forgotten are dropped. Also
    returns how many were wanted, were there (what is left out and dropped not counted), and are used: a set that is too
    small is used up, not repeated, and the counts show it.
    """
    forgotten, parents = {normal(qa.question) for qa in forget}, Parents(forget)
    there, dropped = [], []
    for qa in {normal(qa.question): qa for qa in generic if normal(qa.question) not in forgotten}.values():
        told = parents.told_by(f"{qa.question} {qa.answer}")
        if told:
            reason = f"leak: it tells what {told[0]} is to forget"
            dropped.append(Dropped(f"{qa.id}/generic", qa.id, "generic", qa.question, qa.answer, reason))
        else:
            there.append(qa)
    wanted = round(ratio * augmented) if generic else 0
    chosen = sorted(random.Random(seed).sample(range(len(there)), min(wanted, len(there))))
    pairs = [
        Variant(f"{there[i].id}/generic", there[i].id, "generic", there[i].question, there[i].answer, {})
        for i in chosen
    ]
    return pairs, dropped, {"wanted": wanted, "available": len(there), "used": len(pairs)}
