"""General questions and answers, mixed in against catastrophic forgetting."""

from __future__ import annotations

import random
from collections.abc import Sequence

from relearn_lite.augment.cleaning import normal
from relearn_lite.records import QA, Variant


def pick_generic(
    generic: Sequence[QA], forget: Sequence[QA], augmented: int, ratio: float, seed: int
) -> tuple[list[Variant], dict[str, int]]:
    """Draws `ratio` x `augmented` generic pairs without repeating any, in their own order.

    Questions that are to be forgotten are left out. Also returns how many were wanted, were there, and are used: a
    set that is too small is used up, not repeated, and the counts show it.
    """
    forgotten = {normal(qa.question) for qa in forget}
    there = list({normal(qa.question): qa for qa in generic if normal(qa.question) not in forgotten}.values())
    wanted = round(ratio * augmented) if generic else 0
    chosen = sorted(random.Random(seed).sample(range(len(there)), min(wanted, len(there))))
    pairs = [
        Variant(f"{there[i].id}/generic", there[i].id, "generic", there[i].question, there[i].answer, {})
        for i in chosen
    ]
    return pairs, {"wanted": wanted, "available": len(there), "used": len(pairs)}
