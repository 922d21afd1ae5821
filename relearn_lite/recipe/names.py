"""Names that a recipe may use for what other rooms build: writers, kinds of text, metrics.

They stand here so that a recipe is checked without importing what they name. A test holds them to what is there; a new
writer or metric is a file of its own and its name here.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence

WRITERS = ("rules", "local", "server")
QUESTION_KINDS = ("simple", "context", "noise", "logical")  # variants of a question, as the paper names them
RATING_KINDS = ("fluency", "relevance", "forgetting", "retention")  # what a judge gives 1 to 5 for
TASK_KINDS = (*QUESTION_KINDS, "answer", "verify", "entities", *RATING_KINDS)  # texts that a writer is asked for

DEFAULT_METRICS = ("kfr", "krr", "ls", "rouge")
METRICS: dict[str, tuple[str, ...]] = {  # metric -> the numbers that it gives, as they begin in metrics.json
    "kfr": ("kfr",),
    "krr": ("krr",),
    "ls": ("ls", "ppl", "brunet", "honore", "rttr"),
    "rouge": ("rouge1", "rougeL"),
    **{kind: (kind,) for kind in RATING_KINDS},
    "extraction_strength": ("extraction_strength",),
    "exact_memorization": ("exact_memorization",),
    "mia_loss": ("mia_loss",),
    "mia_zlib": ("mia_zlib",),
    "mia_min_k": ("mia_min_k",),
    "mia_min_k_plus_plus": ("mia_min_k_plus_plus",),
    "mia_reference": ("mia_reference",),
    "mia_gradnorm": ("mia_gradnorm",),
    "privleak": ("privleak",),
    "leak_at_k": ("leak_at_k",),
    "probability": ("probability",),
    "truth_ratio": ("truth_ratio",),
    "truth_ratio_corrected": ("truth_ratio_corrected",),
    "model_utility": ("model_utility",),
    "forget_quality": ("forget_quality",),
}


def metric_name_problems(names: Sequence[str], where: str = "evaluate.metrics") -> list[str]:
    """One sentence for each name that is no metric, with the names that are; empty when all is well."""
    problems = []
    for name in names:
        if name in METRICS:
            continue
        asked = str(name).lower().removesuffix("_forget").removesuffix("_retain")
        owner = next((metric for metric, numbers in METRICS.items() if asked in map(str.lower, numbers)), None)
        near = [owner] if owner else difflib.get_close_matches(asked, METRICS, n=1, cutoff=0.5)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        problems.append(f"{where}: '{name}' is not a metric.{hint} Allowed: {', '.join(METRICS)}.")
    return problems
