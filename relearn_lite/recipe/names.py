"""Names that a recipe may use for what later layers define: writers, kinds of text, metrics.

They are listed here so that a recipe is checked without importing what they name; a test keeps the two in step. A new
writer or metric is a file in its own folder, and a name here.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence

WRITERS = ("rules", "local", "server", "self")
QUESTION_KINDS = ("simple", "context", "noise", "logical")  # variants of a question, as the paper names them
RATING_KINDS = ("fluency", "relevance", "forgetting", "retention")  # what a judge rates from 1 to 5
TOGETHER_KINDS = ("fluency_together", "relevance_together")  # the same for several texts in one prompt
PROPOSING_KINDS = ("aspects", "ask_about", "ask_passage")  # what can be asked of a name or a topic, or of a passage
TOPIC_KINDS = (  # kinds of things that rules have questions about, see collect/topics.yaml
    "building", "town", "country", "landform", "book", "picture", "film", "music", "event", "invention", "organisation",
)  # fmt: skip
TASK_KINDS = (  # what a writer is asked for
    *QUESTION_KINDS, "answer", "continue", "verify", "entities", *RATING_KINDS, *TOGETHER_KINDS, *PROPOSING_KINDS,
)  # fmt: skip

DEFAULT_METRICS = ("kfr", "krr", "ls", "rouge", "leak")
_SEVERAL_NUMBERS = {  # the metrics that give more than the number of their own name
    "ls": ("ls", "ls_arithmetic", "ppl", "brunet", "honore", "rttr", "broken"),
    "rouge": ("rouge1", "rougeL"),
    "model_utility": (
        "model_utility",
        *(f"{n}_{d}" for n in ("rougeL", "probability", "truth_ratio") for d in ("real_authors", "world_facts")),
    ),
}
METRICS: dict[str, tuple[str, ...]] = {  # metric -> the numbers it gives, as their keys in metrics.json begin
    name: _SEVERAL_NUMBERS.get(name, (name,))
    for name in (
        *DEFAULT_METRICS, *RATING_KINDS, "extraction_strength", "exact_memorization", "mia_loss", "mia_zlib",
        "mia_min_k", "mia_min_k_plus_plus", "mia_reference", "mia_gradnorm", "privleak", "leak_at_k", "probability",
        "truth_ratio", "truth_ratio_corrected", "model_utility", "forget_quality", "rouge_rwku",
        "verbmem", "knowmem", "regurgitation", "exact_match",
    )
}  # fmt: skip


def metric_name_problems(names: Sequence[str], where: str = "evaluate.metrics") -> list[str]:
    """One sentence for each name that is not a metric, with those that are; empty where all are."""
    problems = []
    for name in names:
        if name in METRICS:
            continue
        asked = str(name).lower().removesuffix("_forget").removesuffix("_retain").removesuffix("_general")
        owner = next((metric for metric, parts in METRICS.items() if asked in map(str.lower, parts)), None)
        near = [owner] if owner else difflib.get_close_matches(asked, METRICS, n=1, cutoff=0.5)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        problems.append(f"{where}: '{name}' is not a metric.{hint} Allowed: {', '.join(METRICS)}.")
    return problems
