"""TOFU's own numbers (Maini et al. 2024): model utility and forget quality, from losses of right and wrong answers.

A result holds, per question: `avg_gt_loss` (mean token loss of the true answer), `avg_paraphrased_loss` (of its
paraphrase), `average_perturb_loss` (of several wrong answers, one list a question) and `rougeL_recall`.
Formulas: the authors' code (locuslab/tofu); its keys are kept, so that numbers can be laid side by side.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

TASKS = {"real_authors": "Real Authors", "world_facts": "Real World", "retain": "Retain", "forget": "Forget"}
MULTIPLE_CHOICE = ("real_authors", "world_facts")


def model_utility(results: Mapping[str, Mapping]) -> dict[str, float]:
    """Nine numbers of what should be kept and their harmonic mean, `Model Utility`; those of `forget` beside them.

    `results` maps `retain`, `real_authors`, `world_facts` and, optionally, `forget` to their results.
    Raises KeyError where one of the first three is missing: a utility of less is another number.
    """
    numbers: dict[str, float] = {}
    for task in (*(t for t in TASKS if t != "forget"), *(["forget"] if "forget" in results else [])):
        title, result = TASKS[task], results[task]
        numbers[f"ROUGE {title}"] = float(np.mean(result["rougeL_recall"]))
        numbers[f"Prob. {title}"] = _probability(result, multiple_choice=task in MULTIPLE_CHOICE)
        numbers[f"Truth Ratio {title}"] = _truth_ratio(result, forget=task == "forget")
    kept = [value for name, value in numbers.items() if not name.endswith("Forget")]
    numbers["Model Utility"] = len(kept) / sum(1 / value for value in kept) if all(kept) else 0.0
    return numbers


def forget_quality(evaluated_forget: Mapping, retain_model_forget: Mapping) -> dict[str, float]:
    """Does the unlearned model look like one that never saw the forget set? p-value of a two-sample KS test.

    Compares the truth ratios of both on the forget questions. 1: no difference to be seen; below 0.05: told apart.
    """
    from scipy.stats import ks_2samp

    test = ks_2samp(_ratios(evaluated_forget), _ratios(retain_model_forget))
    p = float(test.pvalue)
    return {"Forget Quality": p, "KS Test PVal Forget": p, "KS Test Forget": float(test.statistic)}


def _probability(result: Mapping, multiple_choice: bool) -> float:
    """Mean probability of the true answer; where wrong ones are given to choose from, its share among them all."""
    true = np.exp(-np.asarray(result["avg_gt_loss"]))
    if not multiple_choice:
        return float(true.mean())
    wrong = [np.exp(-np.asarray(losses)).sum() for losses in result["average_perturb_loss"]]
    return float((true / (true + np.asarray(wrong))).mean())


def _truth_ratio(result: Mapping, forget: bool) -> float:
    ratios = _ratios(result)
    # On what is kept, a right answer must beat wrong ones; on what is forgotten, neither should stand out.
    return float((np.minimum(ratios, 1 / ratios) if forget else np.maximum(0, 1 - 1 / ratios)).mean())


def _ratios(result: Mapping) -> np.ndarray:
    """P(paraphrase of the truth) / P(wrong answers, geometric mean), one for each question."""
    wrong = np.asarray([np.mean(losses) for losses in result["average_perturb_loss"]])
    return np.exp(wrong - np.asarray(result["avg_paraphrased_loss"]))
