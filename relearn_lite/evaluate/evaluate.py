"""From answers to numbers, for one model: every metric's mean, its interval, and what could not be scored."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from relearn_lite.core.errors import RecipeError
from relearn_lite.core.records import Answer, Score
from relearn_lite.data.answer_files import read_answers
from relearn_lite.evaluate.texts import explain
from relearn_lite.judges import Evaluators
from relearn_lite.metrics import ABILITY, COMBINED, EARLIER, METRICS, PARAPHRASE, Metric, is_share, reworded
from relearn_lite.metrics.declaration import OTHER_KIND, Aggregate, MetricValues
from relearn_lite.metrics.intervals import NO_SPREAD, mean_interval
from relearn_lite.recipe.names import metric_name_problems

Progress = Callable[[str, int, int], None]  # (what is being measured, how many are done, of how many)


def evaluate(
    answers: Mapping[str, Sequence[Answer]],
    evaluators: Evaluators,
    metrics: Sequence[str],
    progress: Progress | None = None,
) -> tuple[dict, list[Score]]:
    """The numbers of one model as metrics.json holds them, and every metric's value of every answer.

    `answers` maps splits (forget, retain, these with `_paraphrase`, forget_earlier, control) to answers. The result
    maps each key to a mean, or None where nothing could be scored; beside the keys stand
      missing    {key: how many answers could not be scored and are not in the mean}; keys without any are left out
      reasons    {key: why it is None}
      intervals  {key: [low, high]}, 95 %, see `metrics.intervals`
      notes      {key: what a reader must know beside it}; keys without one are left out
    Raises RecipeError for a metric that does not exist.
    """
    if problems := metric_name_problems(metrics):
        raise RecipeError(problems)
    answers = _with_other_wording(answers)
    numbers: dict = {}
    result = {"missing": {}, "reasons": {}, "intervals": {}, "notes": {}}
    scores: list[Score] = []
    work = _work(answers, metrics)
    for done, (metric, side, ending) in enumerate(work):
        rows = answers[side + ending]
        if progress:
            progress(f"{metric.name} of {side + ending}", done, len(work))
        for part, found in _measure(metric, rows, evaluators).items():
            key = metric.key(part, side) + ending
            numbers[key] = summarize(key, found, result)
            scores += [
                Score(row.id, part, value, reason, side + ending, {key: each[i] for key, each in found.judged.items()})
                for i, (row, value, reason) in enumerate(
                    zip(rows, found.values, found.reasons, strict=bool(found.values))
                )
            ]
    if progress:
        progress("done", len(work), len(work))
    explain(answers, numbers, result)
    for ending in ("", PARAPHRASE):
        numbers |= _combine(numbers, ending, result["reasons"])
    return numbers | result, scores


def _with_other_wording(answers: Mapping[str, Sequence[Answer]]) -> Mapping[str, Sequence[Answer]]:
    """The answers to questions and to their paraphrases, each with the other of the two."""
    asked = {(split, row.id): row.query for split, rows in answers.items() for row in rows}
    found = {}
    for split, rows in answers.items():
        other = reworded(split)
        found[split] = [replace(row, other_wording=asked.get((other, row.id), row.other_wording)) for row in rows]
    return found


def _work(answers: Mapping[str, Sequence[Answer]], metrics: Sequence[str]) -> list[tuple[Metric, str, str]]:
    """(metric, side, ending of the split's name) for what is to be measured, paraphrases and earlier requests last."""
    return [
        (metric, side, ending)
        for ending in ("", PARAPHRASE, EARLIER)
        for metric in (*(METRICS[name] for name in dict.fromkeys(metrics)), *ABILITY)
        for side in metric.sides
        if side + ending in answers and not (ending and metric.aggregate)
    ]


def _measure(metric: Metric, rows: Sequence[Answer], evaluators: Evaluators) -> dict[str, MetricValues]:
    missing = evaluators.missing(metric.needs)
    reason = None
    if not rows:
        reason = "there are no answers"
    elif "model" in missing:
        reason = "needs the model itself, not answers alone"
    elif missing:
        reason = "nobody was named for " + " and ".join(f"evaluate.evaluators.{field}" for field in missing)
    if reason:
        return {part: MetricValues.not_measured(reason) for part in metric.parts}
    return {part: _only_finite(found) for part, found in metric.measure(rows, evaluators).items()}


def _only_finite(found: MetricValues) -> MetricValues:
    """NaN and infinity are failures too: one of them would make the mean meaningless."""
    pairs = [
        (value, reason) if value is None or math.isfinite(value) else (None, f"not a finite number ({value})")
        for value, reason in zip(found.values, found.reasons, strict=bool(found.values))
    ]
    total = found.aggregate
    if total and total.value is not None and not math.isfinite(total.value):
        total = replace(total, value=None, interval=None, reason=f"not a finite number ({total.value})")
    values, reasons = [value for value, _ in pairs], [reason for _, reason in pairs]
    return replace(found, values=values, reasons=reasons, aggregate=total)


def summarize(key: str, found: MetricValues, result: dict) -> float | None:
    """The mean of what could be scored; notes missing counts, the interval, and the reason if there is no mean."""
    known = [float(value) for value in found.values if value is not None]
    n_missing = len(found.values) - len(known) - found.reasons.count(OTHER_KIND)
    if n_missing:
        result["missing"][key] = n_missing
    if found.aggregate:
        return _take_aggregate(key, found.aggregate, result)
    if not known:
        told = next((reason for reason in found.reasons if reason not in (None, OTHER_KIND)), None)
        result["reasons"][key] = found.unmeasured or f"none of {n_missing} answers could be scored: {told}"
        return None
    if interval := mean_interval(known, is_share(key)):
        result["intervals"][key] = list(interval)
    elif len(known) > 1:
        result["notes"][key] = NO_SPREAD
    return math.fsum(known) / len(known)


def _take_aggregate(key: str, total: Aggregate, result: dict) -> float | None:
    """A number that a metric made of all answers itself, with what it says about it."""
    if total.note:
        result["notes"][key] = total.note
    if total.value is None:
        result["reasons"][key] = total.reason or "it could not be had"
    elif total.interval:
        result["intervals"][key] = list(total.interval)
    return total.value


def _combine(numbers: dict, ending: str, reasons: dict[str, str]) -> dict[str, float | None]:
    """LS, forget score and the like, of those numbers that were measured; None where one of their parts is None."""
    combined: dict[str, float | None] = {}
    for number in COMBINED:
        parts = [part + ending for part in number.of]
        if not all(part in numbers for part in parts):
            continue
        key = number.name + ending
        unknown = [part for part in parts if numbers[part] is None]
        if unknown:
            reasons[key] = f"needs {' and '.join(unknown)}, which could not be had"
        combined[key] = None if unknown else float(number.combine(*(numbers[part] for part in parts)))
    return combined


def read_files(forget: Path | None, retain: Path | None) -> dict[str, list[Answer]]:
    """The answers that any model gave, by split, from files of {query, ground_truth, generated_response}.

    Raises RecipeError naming every file, row and key that is wrong.
    """
    named = {split: path for split, path in (("forget", forget), ("retain", retain)) if path is not None}
    if not named:
        raise RecipeError("score: no file was given. Needed: --forget FILE, --retain FILE, or both.")
    answers, problems = {}, []
    for split, path in named.items():
        try:
            answers[split] = read_answers(path, split)
        except RecipeError as error:
            problems += error.problems
    if problems:
        raise RecipeError(problems)
    return answers


def samples(answers: Mapping[str, Mapping[str, Sequence[Answer]]], scores: Mapping[str, Sequence[Score]]) -> list[dict]:
    """One row a question: the answers of every model to it, and their value by every metric."""
    rows: dict[tuple[str, str], dict] = {}
    for model, splits in answers.items():
        for split, given in splits.items():
            for answer in given:
                row = rows.setdefault((split, answer.id), {
                    "id": answer.id, "split": split, "query": answer.query, "ground_truth": answer.ground_truth,
                    "finished": {}, "scores": {},
                })
                row[model] = answer.generated_response
                row["finished"][model] = answer.finished
                row["scores"][model] = {}
    for model, given in scores.items():
        for score in given:
            rows[score.split, score.id]["scores"][model][score.metric] = score.value
    return list(rows.values())
