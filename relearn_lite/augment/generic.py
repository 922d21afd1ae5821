"""General questions and answers, mixed in against catastrophic forgetting."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from relearn_lite.augment.existing import ForgetIndex
from relearn_lite.augment.form import SENTENCE_END, normal_form
from relearn_lite.core.records import QA, Dropped, Variant
from relearn_lite.text.words import glue, sentences


def answered(
    generic: Sequence[QA], ask: Callable[[Sequence[str]], Sequence[tuple[str, bool]]]
) -> list[QA]:
    """The pairs, those without an answer with what `ask` gives: (answer, whether it came to an end) a question.

    An answer that was cut off is kept up to its last whole sentence, or line of a list, and is not taught as ending
    there; where it has none, its pair is left out.
    """
    open_ = [qa for qa in generic if not qa.answer]
    given = dict(zip((qa.id for qa in open_), ask([qa.question for qa in open_]) if open_ else (), strict=True))
    whole = {id_: (text if ended else _whole_sentences(text), ended) for id_, (text, ended) in given.items()}
    pairs = (qa if qa.answer else replace(qa, answer=whole[qa.id][0], ends=whole[qa.id][1]) for qa in generic)
    return [qa for qa in pairs if qa.answer.strip()]


def _verdicts(qa: QA) -> dict[str, bool]:
    return {} if qa.ends else {"ends": False}


def _whole_sentences(text: str) -> str:
    lines = text.strip().split("\n")
    if len(lines) > 2:
        return "\n".join(lines[:-1]).strip()
    return glue(lines[0]).join(part for part in sentences(lines[0]) if SENTENCE_END.search(part))


def pick_generic(
    generic: Sequence[QA], forget: Sequence[QA], augmented: int, ratio: float, seed: int
) -> tuple[list[Variant], list[Dropped], dict[str, int]]:
    """Draws `ratio` x `augmented` generic pairs without repeating any, in their own order.

    Questions that are to be forgotten are left out, and pairs that tell what is to be forgotten are dropped. A set that
    is too small is used up, not repeated; the counts (wanted, available, used) show it.
    """
    forgotten, index = {normal_form(qa.question) for qa in forget}, ForgetIndex(forget)
    available, dropped = [], []
    for qa in {normal_form(qa.question): qa for qa in generic if normal_form(qa.question) not in forgotten}.values():
        leaked = index.leaked_by(f"{qa.question} {qa.answer}")
        if leaked:
            reason = f"leak: it tells what {leaked[0]} is to forget"
            dropped.append(Dropped(f"{qa.id}/generic", qa.id, "generic", qa.question, qa.answer, reason=reason))
        else:
            available.append(qa)
    wanted = round(ratio * augmented) if generic else 0
    chosen = sorted(random.Random(seed).sample(range(len(available)), min(wanted, len(available))))
    drawn = [available[i] for i in chosen]
    pairs = [Variant(f"{qa.id}/generic", qa.id, "generic", qa.question, qa.answer, _verdicts(qa)) for qa in drawn]
    return pairs, dropped, {"wanted": wanted, "available": len(available), "used": len(pairs)}
