"""TOFU's formulas (Maini et al. 2024): probability, truth ratio, model utility and forget quality.

A result holds, per question: `avg_gt_loss` (mean token loss of the true answer), `avg_paraphrased_loss` (of its
paraphrase), `average_perturb_loss` (of several wrong answers, one list a question) and `rougeL_recall`.
Formulas: the authors' code (locuslab/tofu); its keys are kept, so that numbers can be laid side by side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import harmonic_mean

import numpy as np

TASKS = {"real_authors": "Real Authors", "world_facts": "Real World", "retain": "Retain", "forget": "Forget"}
MULTIPLE_CHOICE = ("real_authors", "world_facts")
KEPT = ("real_authors", "world_facts", "retain")
NUMBERS = {"rougeL": "ROUGE", "probability": "Prob.", "truth_ratio": "Truth Ratio"}  # our names, theirs


def model_utility(results: Mapping[str, Mapping]) -> dict[str, float]:
    """Nine numbers of what should be kept and their harmonic mean, `Model Utility`; those of `forget` beside them.

    `results` maps `retain`, `real_authors`, `world_facts` and, optionally, `forget` to their results.
    Raises KeyError where one of the first three is missing: a utility of less is another number.
    """
    numbers: dict[str, float] = {}
    for task in (*KEPT, *(["forget"] if "forget" in results else [])):
        means = by_question(results[task], task).mean(axis=0)
        numbers |= {f"{name} {TASKS[task]}": float(mean) for name, mean in zip(NUMBERS.values(), means, strict=True)}
    kept = [value for name, value in numbers.items() if not name.endswith("Forget")]
    numbers["Model Utility"] = harmonic_mean(kept)
    return numbers


def forget_quality(evaluated_forget: Mapping, retain_model_forget: Mapping) -> dict[str, float]:
    """Does the unlearned model look like one that never saw the forget set? p-value of a two-sample KS test.

    Compares the truth ratios of both on the forget questions. 1: no difference to be seen; below 0.05: told apart.
    """
    p, statistic = ks_test(log_ratios(evaluated_forget), log_ratios(retain_model_forget))
    return {"Forget Quality": p, "KS Test PVal Forget": p, "KS Test Forget": statistic}


def log_ratios(result: Mapping) -> np.ndarray:
    """ln(P(paraphrase of the truth) / P(wrong answers, geometric mean)), one for each question."""
    wrong = np.asarray([np.mean(losses) for losses in result["average_perturb_loss"]])
    return wrong - np.asarray(result["avg_paraphrased_loss"])


def truth_ratio(log_ratio, forget: bool):
    """TOFU's truth ratio, 0 to 1, of R = P(paraphrased truth) / P(wrong answers): number or array in, likewise out.

    On what is kept a right answer must beat wrong ones: max(0, 1 - 1/R). On what is forgotten neither should stand
    out: min(R, 1/R).
    """
    return np.exp(-np.abs(log_ratio)) if forget else 1 - np.exp(-np.maximum(log_ratio, 0))


def truth_ratio_corrected(log_ratio):
    """P(paraphrased truth) / (P(paraphrased truth) + P(wrong answers)) = R / (1 + R), 0 to 1.

    The definition of the open-unlearning report (Dorna et al. 2025; in its code `prob_mean`, pull request 163, not the
    default), on forget and retain questions alike. P(wrong answers) is the geometric mean, as in TOFU.
    """
    return 1 / (1 + np.exp(-np.clip(log_ratio, -700, 700)))  # exp(709) is the largest float


def ks_test(first: Sequence[float], second: Sequence[float]) -> tuple[float, float]:
    """(p-value, statistic). A test of ranks: logarithms of ratios give what ratios give."""
    from scipy.stats import ks_2samp

    test = ks_2samp(first, second)
    return float(test.pvalue), float(test.statistic)


def by_question(result: Mapping, task: str) -> np.ndarray:
    """(questions, 3): ROUGE-L recall, probability and truth ratio of each."""
    true = np.exp(-np.asarray(result["avg_gt_loss"]))
    if task in MULTIPLE_CHOICE:  # the true answer's share among those to choose from
        wrong = [np.exp(-np.asarray(losses)).sum() for losses in result["average_perturb_loss"]]
        true = true / (true + np.asarray(wrong))
    ratio = truth_ratio(log_ratios(result), forget=task == "forget")
    return np.stack([np.asarray(result["rougeL_recall"], dtype=np.float64), true, ratio], axis=1)
