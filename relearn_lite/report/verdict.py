"""The verdict in words: is it forgotten, is the rest kept, general ability too, is the language whole?"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

FORGOTTEN, PARTLY_FORGOTTEN = 0.8, 0.5
UNKNOWN_BEFORE, PARTLY_UNKNOWN_BEFORE = 0.5, 0.2
KEPT, PARTLY_KEPT = 0.9, 0.7
KNOWN_BEFORE = 0.5
FLUENT, POORER = 0.9, 0.5
FEWEST_GENERAL = 5  # general questions that vanilla answers: from fewer nothing is concluded
SPLITS = {"krr": "retain", "kept_general": "control", "kfr_earlier": "forget_earlier"}  # of all others: forget
BROKEN, PARTLY_BROKEN = 0.2, 0.05  # share of the forget answers, beyond vanilla's


def verdict(metrics: dict[str, Any], answered: dict[str, int] | None = None) -> str:
    """Four plain sentences or so, from kfr, leak, krr, kept_general, broken_forget and ls_forget. `answered`: how many
    questions each split has.

    Where leak was measured, the stricter of kfr and 1 - leak stands for kfr, or the latter alone, and the sentence says
    so.

    forgotten  kfr of the unlearned model >= 0.8 forgotten, >= 0.5 in part, below that not. Where the vanilla model's
               kfr was already >= 0.5 it never knew most of it, and nothing is claimed for the unlearning; from 0.2 on
               this is said in addition.
    kept       krr as a share of the vanilla model's: >= 0.9 kept, >= 0.7 damaged, below that lost. Where vanilla has
               no krr, or one of 0, the krr itself is held against the same bounds. A vanilla krr below 0.5 is said.
    earlier    kfr_earlier as a share of the vanilla model's, against the same bounds, where a run starts from others.
    general    right_general as a share of the vanilla model's, against the same bounds: answers that hang in the
               balance get lost and are won, and kept_general, which stands for it where it is not on record, counts
               only the lost. Nothing where no control was asked, and no conclusion where vanilla answers fewer than
               five of it. Where ls_general, of all these answers, right or wrong, is below
               0.9 of vanilla's, its general answers are less fluent; below half they broke.
    fluent     broken only where the text is: broken_forget at least 0.2 above vanilla's, in part from 0.05 on. Whole
               text is as fluent as before where ls_forget is >= 0.9 of vanilla's; below that LS is told with what it
               measures. Where a third model judged, neither vanilla nor unlearned, LS below half of vanilla's is broken
               too.

    A model that was measured alone gets its numbers, and no verdict.

    What could not be judged is said, never guessed; so is how many answers a mean leaves out. The bounds are this
    project's own: the paper names none.
    """
    before, after = (stricter(metrics.get(model) or {}) for model in ("vanilla", "unlearned"))
    totals = answered or {}
    if before and not after:
        numbers = {
            "kfr": lambda value: f"{percent(value)} of the forget answers do not tell what they should not",
            "krr": lambda value: f"{percent(value)} of the retain answers are right",
            "ls_forget": lambda value: f"the linguistic score is {value:.3f} on the forget questions",
        }
        told = [_told(before, key, totals, key, words) for key, words in numbers.items()]
        return f"One model, measured as it is: {'; '.join(told)}."
    asked = {"kfr": ("it forgot", _forgotten), "krr": ("the rest is kept", _kept)}
    if "kfr_earlier" in after:
        asked["kfr_earlier"] = ("what earlier requests forgot stays forgotten", _still_forgotten)
    if "kept_general" in after:
        judge = partial(_kept_general, totals.get("control"), before, after)
        asked["kept_general"] = ("its general ability is kept", judge)
    told = [
        _told(after, key, totals, f"Whether {what}", partial(judge, known(before, key)))
        for key, (what, judge) in asked.items()
    ]
    told += _general_language(before, after)
    told.append(_language(before, after, totals, third_model(metrics)))
    if "kfr_alone" in after:
        alone, why = after["kfr_alone"], (after.get("reasons") or {}).get("kfr", "not measured").rstrip(".")
        told[0] += f" (by the leak check alone; KFR: {why})" if alone is None else (
            f" (by KFR alone {percent(alone)}: the leak check finds more answers that still tell)"
        )  # fmt: skip
    return " ".join(f"{sentence}." for sentence in told)


def least_forgotten(model: Mapping[str, Any]) -> float | None:
    """The stricter of kfr and 1 - leak, of those that there are."""
    kfr, leak = known(model, "kfr"), known(model, "leak")
    return min((value for value in (kfr, None if leak is None else 1 - leak) if value is not None), default=None)


def stricter(model: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers with 1 - leak in the place of kfr, where that is lower or there is no kfr; kfr_alone is what kfr was.
    """
    kfr, least = known(model, "kfr"), least_forgotten(model)
    if least is None or kfr is not None and (least >= kfr or math.isclose(least, kfr)):  # 1 - 5/6 < 1/6 by rounding
        return dict(model)
    missing = model.get("missing") or {}
    return {**model, "kfr": least, "kfr_alone": kfr, "missing": missing | {"kfr": missing.get("leak", 0)}}


def unjudged(metrics: dict[str, Any]) -> str:
    """One sentence on the numbers that are missing because every single answer failed; empty where there are none."""
    causes: dict[str, list[str]] = {}
    for model in (metrics.get("vanilla") or {}, metrics.get("unlearned") or {}):
        for key in model.get("missing") or {}:
            if model.get(key) is None:
                keys = causes.setdefault((model.get("reasons") or {}).get(key, "every answer failed"), [])
                keys += [key] if key not in keys else []
    told = [f"no value for {_listed(keys)}, {reason.rstrip('.')}" for reason, keys in causes.items()]
    return f"There is {'; '.join(told)}." if told else ""


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _told(
    model: dict[str, Any], key: str, totals: dict[str, int], what: str, words: Callable[[float], str]
) -> str:
    """What `words` say of a number, and how many answers it leaves out; or why `what` could not be judged."""
    value, count = known(model, key), (model.get("missing") or {}).get(key, 0)
    total = totals.get(SPLITS.get(key, "forget"))
    gap = f"{count} of {total} answers" if total else f"{count} answer{'s' if count > 1 else ''}"
    if value is not None:
        return words(value) + (f"; {gap} could not be judged and are left out" if count else "")
    why = f"{gap} missing" if count else "it was not measured"
    if model.get(key) is None:
        why = ((model.get("reasons") or {}).get(key) or why).rstrip(".")
    return f"{what} could not be judged: {why}"


def _still_forgotten(before: float | None, after: float) -> str:
    """What a run that starts from others has made of what those forgot."""
    share = share_of(after, before)
    opening = "is still forgotten" if share >= KEPT else f"is told again{' in part' if share >= PARTLY_KEPT else ''}"
    compared = f", {percent(before)} before" if before is not None else ""
    return f"What earlier requests forgot {opening}: {percent(after)} of those answers do not tell{compared}"


def _forgotten(before: float | None, after: float) -> str:
    share = f"{percent(after)} of the forget answers no longer tell what they should not"
    if before is not None and before >= UNKNOWN_BEFORE:
        return (
            f"Whether it forgot cannot be told: {share}, but the vanilla model did not know {percent(before)} of them "
            "in the first place"
        )
    sentence = f"It did not forget: only {share}"
    if after >= PARTLY_FORGOTTEN:
        sentence = f"It forgot: {share}" if after >= FORGOTTEN else f"It forgot in part: {share}, the others still do"
    if before is None:
        return f"{sentence} (what the vanilla model knew is not on record)"
    unknown = f" (the vanilla model did not know {percent(before)} in the first place)"
    return sentence + (unknown if before >= PARTLY_UNKNOWN_BEFORE else "")


def _kept(before: float | None, after: float) -> str:
    share = share_of(after, before)
    opening = "kept" if share >= KEPT else "damaged" if share >= PARTLY_KEPT else "lost"
    compared = f", {percent(before)} before" if before is not None else ", before is not on record"
    little = "; the vanilla model itself knew little of it" if before is not None and before < KNOWN_BEFORE else ""
    return f"The rest is {opening}: {percent(after)} of the retain answers are right{compared}{little}"


def too_few_general(asked: int | None) -> bool:
    """Whether vanilla answered so few general questions that nothing is concluded; no, where it is not on record."""
    return asked is not None and asked < FEWEST_GENERAL


def right_general(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[float, float] | None:
    """The share of all general questions answered right, before and after; None where one of them is not on record."""
    old, new = known(before, "right_general"), known(after, "right_general")
    return None if old is None or new is None else (old, new)


def general_share(before: Mapping[str, Any], after: Mapping[str, Any]) -> float | None:
    """General questions answered right as a share of vanilla's, at most 1; kept_general where these are not on record.

    None: neither was measured.
    """
    right = right_general(before, after)
    return min(right[1] / right[0], 1.0) if right and right[0] else known(after, "kept_general")


def _kept_general(
    asked: int | None, before: Mapping[str, Any], after: Mapping[str, Any], _: float | None, kept: float
) -> str:
    if too_few_general(asked):
        few = f"the vanilla model answered {asked} of the general questions, of which {round(kept * asked)}"
        return f"Whether general ability is kept cannot be told: {few} are still answered"
    share = general_share(before, after)
    opening = "kept" if share >= KEPT else "damaged" if share >= PARTLY_KEPT else "lost"
    which = f"the {asked} general questions" if asked else "the general questions"
    told = f"General ability is {opening}: {percent(kept)} of {which} that it answered are still answered"
    right = right_general(before, after)
    return f"{told}, and of all {percent(right[1])} are, {percent(right[0])} before" if right else told


def general_fluency(before: Mapping[str, Any], after: Mapping[str, Any]) -> float | None:
    """The linguistic score of all general answers as a share of vanilla's, at most 1. None: not measured.

    Nothing was to be forgotten there, so what vanilla finds unexpected is damage.
    """
    old, new = known(before, "ls_general"), known(after, "ls_general")
    return min(share_of(new, old), 1.0) if old and new is not None else None


def _general_language(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    share = general_fluency(before, after)
    if share is None or share >= FLUENT:
        return []
    how = "are less fluent" if share >= POORER else "broke"
    numbers = f"linguistic score {after['ls_general']:.3f}, {before['ls_general']:.3f} before"
    return [f"Its answers to general questions {how}: {numbers}"]


def _language(before: dict[str, Any], after: dict[str, Any], totals: dict[str, int], third: str | None) -> str:
    """Whether the text is whole, and what the linguistic score says; third: who judged it, if neither of the two."""
    broken, was_broken = known(after, "broken_forget"), known(before, "broken_forget") or 0.0
    words = partial(_score_words, known(before, "ls_forget"), third, broken is not None)
    whole = "Whether its language is whole"
    if broken is not None:
        whole = "Its answers are whole sentences as before; how fluent they are"
    score = _told(after, "ls_forget", totals, whole, words)
    if broken is None or broken - was_broken < PARTLY_BROKEN:
        return score
    opening = "broke" if broken - was_broken >= BROKEN else "broke in part"
    return (
        f"Its language {opening}: {percent(broken)} of the forget answers are empty, go round in circles, hold hardly "
        f"any words or break off, {percent(was_broken)} before"
    )


def _score_words(before: float | None, third: str | None, whole: bool, after: float) -> str:
    text = "Its answers are whole sentences as before" if whole else "Whether its text is broken was not measured"
    if not before:
        return f"{text if whole else 'Whether its language suffered cannot be told'}: vanilla has no linguistic score"
    share = share_of(after, before)
    numbers = f"linguistic score {after:.3f} on the forget questions, {before:.3f} before"
    if share >= FLUENT:
        return f"Its answers are as fluent as before: {numbers}"
    if third:
        return f"Its language {'is poorer' if share >= POORER else 'broke'}: {numbers}, judged by {third}"
    return (
        f"{text}{', worded otherwise' if whole else ''}: {numbers}, which says how expected the words are to the model "
        "that judges them, and how varied, not whether the language is right"
    )


def third_model(metrics: dict[str, Any]) -> str | None:
    """The model that judged fluency, where it is neither vanilla nor what vanilla was made from."""
    name = (metrics.get("evaluators") or {}).get("language_model") or "vanilla"
    return None if name.startswith(("vanilla", "base model")) else name


def share_of(after: float | None, before: float | None) -> float | None:
    """A number as a share of vanilla's; the number itself where vanilla has none, or 0."""
    if after is None or not before:
        return after
    return round(after / before, 9)  # 0.72 / 0.8 is 0.9, whatever floats say


def known(model: Mapping[str, Any], key: str) -> float | None:
    """A number of a model; None where it could not be had."""
    value = model.get(key)
    return value if value is not None and math.isfinite(value) else None


def percent(share: float) -> str:
    """A percentage that never rounds up to all or down to none."""
    whole = round(share * 100)
    if whole == 100 and share < 1:
        return "over 99 %"
    if whole == 0 and share > 0:
        return "under 1 %"
    return f"{whole} %"
