"""The lines of the metric table, the same for console, page and Markdown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from relearn_lite.metrics import Key, key_of

HARDLY = 0.1  # a change smaller than this share of the vanilla model's value is not coloured
# What a reader wants first, in this order; the other numbers explain these.
HEADLINE = (
    "kfr",
    "krr",
    "kfr_paraphrase",
    "krr_paraphrase",
    "ls_forget",
    "ls_retain",
    "rougeL_forget",
    "rougeL_retain",
    "forget_score",
    "retain_score",
)
NOT_METRICS = frozenset({"missing", "intervals", "reasons"})

# Names for people. What a number means and which way is good, each metric declares itself.
LABELS = {
    "kfr": "Forgotten (KFR)",
    "krr": "Kept (KRR)",
    "ls": "Linguistic score",
    "ls_arithmetic": "Linguistic score, arithmetic mean",
    "ppl": "Perplexity",
    "brunet": "Brunet's index",
    "honore": "Honoré's statistic",
    "rttr": "Root type-token ratio",
    "rouge1": "ROUGE-1 recall",
    "rougeL": "ROUGE-L recall",
    "forget_score": "Forget score",
    "retain_score": "Retain score",
    "entity_coverage": "Entity coverage",
}
SIDES = {
    "_forget": "forget",
    "_retain": "retain",
    "_forget_paraphrase": "forget, reworded questions",
    "_retain_paraphrase": "retain, reworded questions",
    "_paraphrase": "reworded questions",
}


@dataclass(frozen=True)
class Row:
    key: str
    label: str
    reading: str  # how to read it, one sentence; empty where nobody declared the metric
    goal: str  # an arrow and the ideal; empty likewise
    before: str
    after: str
    before_interval: str
    after_interval: str
    missing: str  # answers left out of the mean, or why there is no mean, in words; empty where none are
    better: bool | None  # has it moved the good way? None: hardly moved, or it cannot be told


def rows(metrics: dict[str, Any], answered: dict[str, int] | None = None) -> list[Row]:
    """One row a metric that either model has: the headline, then the others as metrics.json has them.

    `answered`: how many questions each split has.
    """
    before, after = metrics.get("vanilla") or {}, metrics.get("unlearned") or {}
    keys = [key for key in dict.fromkeys([*before, *after]) if key not in NOT_METRICS]
    keys += [k for model in (before, after) for k in model.get("missing") or {} if k not in keys]
    ordered = dict.fromkeys([*(key for key in HEADLINE if key in keys), *keys])
    return [_row(key, before, after, answered or {}) for key in ordered]


def headline(lines: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """The rows of the headline and the others; all of them are headline where none is."""
    first = [line for line in lines if line.key in HEADLINE]
    return (first, [line for line in lines if line not in first]) if first else (list(lines), [])


def _row(key: str, before: dict[str, Any], after: dict[str, Any], answered: dict[str, int]) -> Row:
    declared = key_of(key)
    old, new = before.get(key), after.get(key)
    moved = None if declared is None else _moved(old, new)
    return Row(
        key=key,
        label=label(key),
        reading=declared.reading if declared else "",
        goal=_goal(declared) if declared else "",
        before=number(old),
        after=number(new),
        before_interval=interval(before, key),
        after_interval=interval(after, key),
        missing=missing_words({"before": before, "after": after}, key, answered.get(split_of(key), 0)),
        better=None if moved is None else moved == (declared.good == "higher"),
    )


def _moved(old: float | None, new: float | None) -> bool | None:
    """Has it risen? None for a change of up to a tenth, which says little, and where a value is missing."""
    if old is None or new is None or not abs(new - old) > HARDLY * abs(old):
        return None
    return new > old


def _goal(declared: Key) -> str:
    return f"{arrow(declared.name)} {'as vanilla' if declared.ideal is None else f'{declared.ideal:g}'}"


def arrow(key: str) -> str:
    """↑ where higher is better, ↓ where lower is; empty for what is no declared metric."""
    declared = key_of(key)
    return "" if declared is None else "↑" if declared.good == "higher" else "↓"


def split_of(key: str) -> str:
    """The questions a metric is taken over: rougeL_forget -> forget, kfr_paraphrase -> forget_paraphrase."""
    name, _, tail = key.partition("_")
    if name in ("kfr", "krr"):
        return ("forget" if name == "kfr" else "retain") + (f"_{tail}" if tail else "")
    return "forget" if "forget" in key else "retain" if "retain" in key else ""


def label(key: str) -> str:
    """`rougeL_retain` -> `ROUGE-L recall, retain`; a key that has no name for people stays as it is."""
    if key in LABELS:
        return LABELS[key]
    for tail, side in SIDES.items():
        if key.removesuffix(tail) in LABELS:
            return f"{LABELS[key.removesuffix(tail)]}, {side}"
    return key


def number(value: float | None) -> str:
    """Three digits behind the point below 10, one below 1,000, none above; a dash for what could not be had."""
    if value is None or math.isnan(value):
        return "—"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    digits = 3 if abs(value) < 10 else 1 if abs(value) < 1000 else 0
    return f"{value:,.{digits}f}"


def interval(model: dict[str, Any], key: str) -> str:
    """A model's 95 % interval of a metric, `0.71 – 0.85`; empty where there is none."""
    bounds = (model.get("intervals") or {}).get(key)
    return f"{number(bounds[0])} – {number(bounds[1])}" if bounds else ""


def missing_words(models: dict[str, dict[str, Any]], key: str, total: int) -> str:
    """`12 of 72 missing after`, or why there is no value at all; empty where nothing is missing."""
    measured = {when: model for when, model in models.items() if model}
    told = []
    for when, model in measured.items():
        count, reason = (model.get("missing") or {}).get(key, 0), (model.get("reasons") or {}).get(key)
        if count or reason:
            words = reason or f"{count}{f' of {total}' if total else ''} missing"
            told.append(words if len(measured) == 1 else f"{when}: {words}")
    return "; ".join(told)


def judged_by(metrics: dict[str, Any]) -> str:
    """Who judged, and whether the numbers compare with the paper's, in two sentences."""
    names = ", ".join(f"{name} ({role.replace('_', ' ')})" for role, name in (metrics.get("evaluators") or {}).items())
    judges = f"Judged by {names}." if names else "Who judged is not recorded."
    if metrics.get("comparable_with_paper"):
        return f"{judges} These numbers compare with the ReLearn paper's."
    return f"{judges} These numbers do not compare with the ReLearn paper's: compare them only with runs judged alike."
