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
NOT_METRICS = frozenset({"missing", "intervals", "reasons", "notes"})

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
    "forget_score_arithmetic": "Forget score, arithmetic mean",
    "retain_score_arithmetic": "Retain score, arithmetic mean",
    "fluency": "Fluency, rated 1 to 5",
    "relevance": "Relevance, rated 1 to 5",
    "forgetting": "Forgetting, rated 1 to 5",
    "retention": "Retention, rated 1 to 5",
    "entity_coverage": "Entity coverage",
    "probability": "Probability of the true answer",
    "truth_ratio": "Truth ratio (TOFU)",
    "truth_ratio_corrected": "Truth ratio, corrected",
    "model_utility": "Model utility (TOFU)",
    "rougeL_real_authors": "ROUGE-L recall, real authors",
    "probability_real_authors": "Probability, real authors",
    "truth_ratio_real_authors": "Truth ratio (TOFU), real authors",
    "rougeL_world_facts": "ROUGE-L recall, world facts",
    "probability_world_facts": "Probability, world facts",
    "truth_ratio_world_facts": "Truth ratio (TOFU), world facts",
    "forget_quality": "Forget quality (TOFU), p-value",
    "extraction_strength": "Extraction strength",
    "exact_memorization": "Exact memorization",
    "mia_loss": "Membership AUC, loss",
    "mia_zlib": "Membership AUC, zlib",
    "mia_min_k": "Membership AUC, min-k",
    "mia_min_k_plus_plus": "Membership AUC, min-k++",
    "mia_reference": "Membership AUC, reference model",
    "mia_gradnorm": "Membership AUC, gradient norm",
    "privleak": "PrivLeak, %",
    "leak_at_k": "Leaks in k samples",
}
SIDES = {
    "_forget": "forget",
    "_retain": "retain",
    "_forget_paraphrase": "forget, reworded questions",
    "_retain_paraphrase": "retain, reworded questions",
    "_paraphrase": "reworded questions",
}


SPLIT_OF = {"kfr": "forget", "krr": "retain", "forgetting": "forget", "retention": "retain"}


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
    change: str  # the paired difference, with its sign; empty where there is none
    change_interval: str
    note: str  # what must be known beside the number; empty where nothing
    missing: str  # answers left out of the mean, or why there is no mean, in words; empty where none are
    better: bool | None  # has it moved the good way? None: hardly moved, or it cannot be told


def rows(metrics: dict[str, Any], answered: dict[str, int] | None = None) -> list[Row]:
    """One row a metric that either model has: the headline, then the others as metrics.json has them.

    `answered`: how many questions each split has.
    """
    before, after = metrics.get("vanilla") or {}, metrics.get("unlearned") or {}
    changes = metrics.get("difference") or {}
    keys = [key for key in dict.fromkeys([*before, *after]) if key not in NOT_METRICS]
    keys += [k for model in (before, after) for k in model.get("missing") or {} if k not in keys]
    ordered = dict.fromkeys([*(key for key in HEADLINE if key in keys), *keys])
    return [_row(key, before, after, changes.get(key) or {}, answered or {}) for key in ordered]


def headline(lines: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """The rows of the headline and the others; all of them are headline where none is."""
    first = [line for line in lines if line.key in HEADLINE]
    return (first, [line for line in lines if line not in first]) if first else (list(lines), [])


def _row(
    key: str, before: dict[str, Any], after: dict[str, Any], change: dict[str, Any], answered: dict[str, int]
) -> Row:
    declared = key_of(key)
    old, new = before.get(key), after.get(key)
    moved = declared is not None and _moved(old, new)
    return Row(
        key=key,
        label=label(key),
        reading=declared.reading if declared else "",
        goal=_goal(declared) if declared else "",
        before=number(old),
        after=number(new),
        before_interval=interval(before, key),
        after_interval=interval(after, key),
        change=signed(change["mean"]) if change else "",
        change_interval=f"{signed(change['low'])} to {signed(change['high'])}" if change else "",
        note=(after.get("notes") or before.get("notes") or {}).get(key, ""),
        missing=missing_words({"before": before, "after": after}, key, answered.get(split_of(key), 0)),
        better=declared.improved(old, new) if moved else None,
    )


def _moved(old: float | None, new: float | None) -> bool:
    """Not for a change of up to a tenth, which says little, nor where a value is missing."""
    return old is not None and new is not None and abs(new - old) > HARDLY * abs(old)


def _goal(declared: Key) -> str:
    return f"{arrow(declared.name)} {'as vanilla' if declared.ideal is None else f'{declared.ideal:g}'}"


def arrow(key: str) -> str:
    """↑ where higher is better, ↓ where lower is, → where nearer to the ideal is; empty for what is no metric."""
    declared = key_of(key)
    return "" if declared is None else {"higher": "↑", "lower": "↓", "closer": "→"}[declared.good]


def split_of(key: str) -> str:
    """The questions a metric is taken over: rougeL_forget -> forget, kfr_paraphrase -> forget_paraphrase."""
    name, _, tail = key.partition("_")
    if name in SPLIT_OF:
        return SPLIT_OF[name] + (f"_{tail}" if tail else "")
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


def signed(value: float) -> str:
    """A difference: as `number`, with + or − before it."""
    text, sign = number(abs(value)), "+" if value > 0 else "−"
    return f"{sign}{text}" if text.strip("0.") else text


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


def judges(metrics: dict[str, Any]) -> dict[str, str]:
    """Who judged, by role; roles that nobody had are left out."""
    return {role: name for role, name in (metrics.get("evaluators") or {}).items() if name}


def judged_by(metrics: dict[str, Any]) -> str:
    """Who judged, and whether the numbers compare with the paper's, in two sentences."""
    names = ", ".join(f"{name} ({role.replace('_', ' ')})" for role, name in judges(metrics).items())
    told = f"Judged by {names}." if names else "Who judged is not recorded."
    if metrics.get("comparable_with_paper"):
        return f"{told} KFR, KRR, LS and ROUGE compare with the ReLearn paper's; other numbers do not."
    return f"{told} These numbers do not compare with the ReLearn paper's: compare them only with runs judged alike."
