"""TOFU's forget quality: does a model pass for one that never saw the forget set? Formulas: `metrics.tofu`."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from relearn_lite.core.errors import RecipeError
from relearn_lite.core.records import Answer
from relearn_lite.judges import Evaluators
from relearn_lite.metrics.declaration import Aggregate, Metric, MetricValues
from relearn_lite.metrics.tofu import ks_test, log_ratios
from relearn_lite.metrics.truth import NO_ALTERNATIVES, log_ratios_of

LOSSES = ("avg_paraphrased_loss", "average_perturb_loss")
SMALLEST = 1e-300
KEY = "evaluate.retain_model_results"
WANTED = (
    "needed: samples.jsonl of a run that measured forget_quality with `unlearn: null`; or a JSON object that holds "
    "avg_paraphrased_loss and average_perturb_loss, by itself, under `forget` or under `eval_log_forget.json`, as "
    "TOFU's code writes it, or forget_truth_ratio.value_by_index, as open-unlearning's TOFU_EVAL.json does"
)


def measure_forget_quality(answers: Sequence[Answer], evaluators: Evaluators) -> dict[str, MetricValues]:
    """The log truth ratio of each question, and as aggregate the KS test's p-value against a retain model's.

    No interval: a p-value is itself a statement about chance.
    """
    ratios, reference = log_ratios_of(answers, evaluators.model), evaluators.model.context.retain_ratios
    known = [ratio for ratio in ratios if ratio is not None]
    if not known:
        return {"forget_quality": MetricValues.not_measured(f"in every question: {NO_ALTERNATIVES}")}
    if reference is None:
        total = Aggregate(None, reason="evaluate.retain_model_results names no model that never saw the forget set")
    else:
        p, statistic = ks_test(known, reference)
        total = Aggregate(p, note=f"KS statistic {statistic:.3f}; {len(known)} questions against {len(reference)}")
    return {"forget_quality": MetricValues.of(ratios, NO_ALTERNATIVES, total)}


def read_retain_ratios(path: Path) -> list[float]:
    """The log truth ratio of each forget question under a retain model. Raises RecipeError where the file has none."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{KEY}: {path} cannot be read ({error.__class__.__name__}); {WANTED}") from None
    try:
        ratios = _of_run(text) if path.suffix == ".jsonl" else _of_results(json.loads(text))
        if not all(map(math.isfinite, ratios)):
            raise ValueError("losses and ratios are finite numbers")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RecipeError(f"{KEY}: {path} does not hold such results; {WANTED}") from None
    if not ratios:
        raise RecipeError(f"{KEY}: {path} holds no truth ratio of a forget question; {WANTED}")
    return ratios


def _of_run(text: str) -> list[float]:
    rows = [json.loads(line) for line in text.split("\n") if line.strip()]  # not splitlines: answers may hold U+2028
    if any("unlearned" in row["scores"] for row in rows):
        raise ValueError("an unlearned model is no retain model")
    found = [row["scores"]["vanilla"].get("forget_quality") for row in rows if row["split"] == "forget"]
    return [float(ratio) for ratio in found if ratio is not None]


def _of_results(results: Any) -> list[float]:
    if "forget_truth_ratio" in results:
        scores = [row["score"] for row in results["forget_truth_ratio"]["value_by_index"].values() if row]
        return of_scores([float(score) for score in scores if score is not None])
    log = next((results[key] for key in ("forget", "eval_log_forget.json") if key in results), results)
    numbers = log[LOSSES[0]]  # of questions, in TOFU's logs: there losses stand under them, in its tables in a list
    if len(numbers) != len(log[LOSSES[1]]):
        raise ValueError("each question has both")
    losses = {key: [log[key][n] for n in numbers] if isinstance(numbers, dict) else log[key] for key in LOSSES}
    return [float(ratio) for ratio in log_ratios(losses)]


def of_scores(scores: Sequence[float]) -> list[float]:
    """ln R of open-unlearning's truth ratios: 1/R as it is by default, or R / (1 + R) with its option `prob_mean`.

    Where one is above 1 they are 1/R. Of a model that never saw the forget set some always are: for some question a
    wrong answer is likelier to it than the true one. A KS test asks for the order alone, so that 0 may be any small
    number.
    """
    if not all(map(math.isfinite, scores)) or min(scores, default=0) < 0:
        raise ValueError("ratios are finite numbers from 0")
    inverse = max(scores, default=0) > 1
    pairs = [(1.0, score) if inverse else (score, 1 - score) for score in scores]  # R is the first over the second
    return [math.log(max(over, SMALLEST)) - math.log(max(under, SMALLEST)) for over, under in pairs]


METRICS = (Metric("forget_quality", measure_forget_quality, ("forget",), needs=("model",), aggregate=True),)
