"""What to do next, from what a run has shown: each sentence names the key to change and its new value."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from copy import deepcopy
from statistics import fmean
from typing import Any

from relearn_lite.report import search
from relearn_lite.report.run_results import RunResults
from relearn_lite.report.verdict import (
    BROKEN,
    FLUENT,
    FORGOTTEN,
    KEPT,
    PARTLY_BROKEN,
    UNKNOWN_BEFORE,
    general_fluency,
    general_share,
    least_forgotten,
    share_of,
    too_few_general,
)

WIDE = 0.3  # an interval of KFR or KRR that says little
FEWEST_STEPS, STILL_FALLING = 10, 0.05  # logged steps to see a trend; share of the whole fall in the last fifth


def next_steps(results: RunResults) -> list[str]:
    """Sentences, the most pressing first; empty where nothing calls for anything, or one model was measured alone."""
    before, after = (results.metrics.get(model) or {} for model in ("vanilla", "unlearned"))
    recipe = deepcopy(results.asked)
    if not before or not after:
        return []
    if results.search:  # what was found stands for what was left open
        recipe["unlearn"] |= {"lr": results.search["lr"], "keep_best": "found"}
    elif recipe.get("unlearn") and not isinstance(recipe["unlearn"].get("lr"), int | float):
        recipe["unlearn"]["lr"] = None  # found in training, and its logs are gone
    few = _few_questions(after, results.answered())
    if too_few_general(results.answered().get("control")):
        after = {**after, "kept_general": None, "right_general": None}
    if search.fell_short(results.search):
        return [sentence for sentence in (_unknown(before) or search.remedy(results.search, recipe), few) if sentence]
    found = [
        _unknown(before) or _not_forgotten(before, after, results, recipe), _rest_lost(before, after, recipe),
        _general_lost(before, after, recipe), _broken(before, after, recipe), few,
    ]  # fmt: skip
    return [sentence for sentence in found if sentence]


def _unknown(before: Mapping[str, Any]) -> str | None:
    if (least_forgotten(before) or 0.0) < UNKNOWN_BEFORE:
        return None
    return (
        "The vanilla model did not know most of the forget set, so more unlearning shows nothing more: teach it first "
        "(a finetune section, or more epochs in it), word the questions as it was taught them, or leave out what it "
        "does not know (data.only_known: true)."
    )


def _not_forgotten(
    before: Mapping[str, Any], after: Mapping[str, Any], results: RunResults, recipe: Mapping[str, Any]
) -> str | None:
    """Longer, a higher learning rate, or another way: by what the training showed and what it has cost so far."""
    forgotten = least_forgotten(after)
    if forgotten is None or forgotten >= FORGOTTEN or not recipe.get("unlearn"):
        return None
    epochs, lr = (recipe["unlearn"].get(key) for key in ("epochs", "lr"))
    longer = f"unlearn.epochs={2 * epochs}" if epochs else "more unlearn.epochs"
    if epochs == "auto":  # what was asked in training was forgotten: ask more
        longer = "more unlearn.watch.questions and a higher unlearn.watch.forgotten"
    stopped = ((results.manifest.get("stages") or {}).get("unlearn") or {}).get("stopped")
    if stopped or _damage(before, after):
        gentle = f"a lower unlearn.lr ({_half(lr)}) for more epochs ({longer})" if lr else "a lower unlearn.lr"
        why = f"training was stopped ({stopped})" if stopped else "something else suffered already"
        return (
            f"It forgot too little, and {why}, so more of the same would cost more than it gives: try {gentle}, more "
            "wordings in augment.questions, or another method (python main.py compare)."
        )
    higher = f"unlearn.lr={2 * lr:g}" if lr else "a higher unlearn.lr"
    falling = _still_falling(results.losses)
    if falling is None:
        return f"It forgot too little: train longer ({longer}) or at a higher learning rate ({higher})."
    if falling:
        return f"It forgot too little and the forget loss was still falling at the end: train longer, {longer}."
    return (
        "It forgot too little and the forget loss no longer fell at the end, so longer training would change little: "
        f"raise the learning rate, {higher}."
    )


def _still_falling(losses: Sequence[Mapping[str, Any]]) -> bool | None:
    """Whether the last fifth of training still took a share of the whole fall; None where too little was logged."""
    term = "forget" if any("forget" in row for row in losses) else "loss"
    values = [row[term] for row in losses if isinstance(row.get(term), int | float) and math.isfinite(row[term])]
    if len(values) < FEWEST_STEPS:
        return None
    fifth = len(values) // 5
    start, earlier, last = fmean(values[:fifth]), fmean(values[-2 * fifth : -fifth]), fmean(values[-fifth:])
    return start > last and earlier - last > STILL_FALLING * (start - last)


def _kept_share(before: Mapping[str, Any], after: Mapping[str, Any]) -> float | None:
    return share_of(after.get("krr"), before.get("krr"))


def _more_broken(before: Mapping[str, Any], after: Mapping[str, Any]) -> float:
    return (after.get("broken_forget") or 0.0) - (before.get("broken_forget") or 0.0)


def _damage(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    kept, general = _kept_share(before, after), general_share(before, after)
    lost = any(share is not None and share < KEPT for share in (kept, general))
    return lost or _more_broken(before, after) >= PARTLY_BROKEN


def _rest_lost(before: Mapping[str, Any], after: Mapping[str, Any], recipe: Mapping[str, Any]) -> str | None:
    kept = _kept_share(before, after)
    if kept is None or kept >= KEPT or not recipe.get("unlearn"):
        return None
    return (
        f"Too little of the rest is left: {_gentler(recipe)}, a larger weight in unlearn.retain_losses, or more rows "
        "in data.retain that are close to what is to be forgotten."
    )


def _general_lost(before: Mapping[str, Any], after: Mapping[str, Any], recipe: Mapping[str, Any]) -> str | None:
    kept, fluency, section = general_share(before, after), general_fluency(before, after), recipe.get("unlearn")
    fine = (kept is None or kept >= KEPT) and (fluency is None or fluency >= FLUENT)
    if fine or not section:
        return None
    remedy = "a larger unlearn.generic_weight" if search.holds_own_answers(recipe) else (
        "data.generic: self with unlearn.generic: retain, which hold what the model itself says to some 300 requests"
    )  # fmt: skip
    lead = "General ability suffered" if kept is not None and kept < KEPT else "Answers to general questions read worse"
    return f"{lead}: {remedy}, or {_gentler(recipe)}."


def _broken(before: Mapping[str, Any], after: Mapping[str, Any], recipe: Mapping[str, Any]) -> str | None:
    worse = _more_broken(before, after)
    if worse < PARTLY_BROKEN or not recipe.get("unlearn"):
        return None
    lead = "The language broke" if worse >= BROKEN else "Some answers are broken"
    return f"{lead}: {_gentler(recipe)}; methods that push away from an answer need it more than relearn does."


def _gentler(recipe: Mapping[str, Any]) -> str:
    section = recipe["unlearn"]
    lower = f"unlearn.lr={_half(section['lr'])}" if section.get("lr") else "a lower unlearn.lr"
    best = "" if section.get("keep_best") else ", or unlearn.evaluate_every=20 with unlearn.keep_best=harmonic"
    fewer = "" if section.get("epochs") == "auto" else " or fewer epochs"
    return f"{lower}{fewer}{best}"


def _half(lr: float) -> str:
    return f"{lr / 2:g}"


def _few_questions(after: Mapping[str, Any], answered: Mapping[str, int]) -> str | None:
    for key, side in (("kfr", "forget"), ("krr", "retain")):
        low, high = (after.get("intervals") or {}).get(key) or (0.0, 0.0)
        if high - low > WIDE:
            count = answered.get(side, "The")
            few, hundred = f"{count} {side} questions are few", "a hundred"
            if missing := (after.get("missing") or {}).get(key):
                of = f" of {answered[side]}" if side in answered else ""
                few, hundred = f"{missing}{of} {side} answers could not be judged", "a hundred judged"
            elif count == 1:
                few = f"One {side} question is few"
            return (
                f"{few}: {key.upper()} may lie anywhere from {low:.2f} to {high:.2f}; with {hundred} "
                f"(data.{side}_eval) that would be 0.2 wide at most."
            )
    return None
