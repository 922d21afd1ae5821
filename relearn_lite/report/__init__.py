"""The report of a run: a table for the console, a page and a text for people, and a verdict in words.

Everything here turns plain data into text. Nothing is computed that `metrics.json` does not already hold.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class RunResults:
    """All that a report tells about one run, as the stages left it on disk.

    metrics   as metrics.json: {"vanilla": {...}, "unlearned": {...}, "evaluators": {role: name},
              "comparable_with_paper": bool}. A model's values are keyed by metric; None means that it could not be
              had. Besides them: "missing" {metric: answers left out}, "intervals" {metric: [low, high]} (optional).
              Where there are two models, "difference" {metric: {mean, low, high, n}}. One model alone is "vanilla".
    samples   one dict a question: id, split, query, ground_truth, vanilla and unlearned (the answers), scores
              {"vanilla": {metric: value}, "unlearned": {...}}. Read from the scores: kfr (1 forgotten, 0 leaked), krr
              (1 kept, 0 lost), entity_coverage, rougeL. Optional: finished {"vanilla": bool, "unlearned": bool}.
    losses    one dict an optimizer step: step, and where known loss, forget_ce, retain_ce, retain_kl, lr,
              tokens_per_second.
    manifest  versions, hardware, seed, data hashes, model, stages {stage: {seconds, peak_memory_mb}}, augment.
    recipe    the resolved recipe, YAML.
    analysis  as analysis.json; None where the recipe asks for no analysis.
    augmentation  as augmentation.json; None where the run made none.
    attacks   as attacks.json; None where the recipe asks for no attacks.
    checks    one dict a check in training, as logs/unlearn/checks.jsonl: step, kfr, krr, ls, ls_share, answers.
    """

    name: str
    metrics: dict[str, Any]
    samples: list[dict[str, Any]] = field(default_factory=list)
    losses: list[dict[str, Any]] = field(default_factory=list)
    manifest: dict[str, Any] = field(default_factory=dict)
    recipe: str = ""
    analysis: dict[str, Any] | None = None
    augmentation: dict[str, Any] | None = None
    attacks: dict[str, Any] | None = None
    checks: list[dict[str, Any]] = field(default_factory=list)

    def answered(self) -> dict[str, int]:
        """How many questions each split (forget, retain, ...) has."""
        counts: dict[str, int] = {}
        for sample in self.samples:
            counts[sample["split"]] = counts.get(sample["split"], 0) + 1
        return counts
