"""A run folder, read back as what the reports tell."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from relearn_lite.unlearn.loss_log import losses


@dataclass(frozen=True)
class RunResults:
    """All that a report tells about one run, as the stages left it on disk.

    metrics   as metrics.json: {"vanilla": {...}, "unlearned": {...}, "evaluators": {role: name},
              "comparable_with_paper": bool}. A model's values are keyed by metric; None means that it could not be
              had. Besides them: "missing" {metric: answers left out}, "intervals" {metric: [low, high]} (optional).
              Where there are two models, "difference" {metric: {mean, low, high, n}}. One model alone is "vanilla".
    samples   one dict a question: id, split, query, ground_truth, vanilla and unlearned (the answers), scores
              {"vanilla": {metric: value}, "unlearned": {...}}. Read from the scores: kfr (1 forgotten, 0 leaked), krr
              (1 kept, 0 lost), rougeL. Optional: finished {"vanilla": bool, "unlearned": bool}.
    losses    one dict an optimizer step: step, and where known loss, forget_ce, retain_ce, retain_kl, lr,
              tokens_per_second.
    manifest  versions, hardware, seed, data hashes, model, stages {stage: {seconds, peak_memory_mb}}, augment.
    recipe    the resolved recipe, YAML.
    analysis  as analysis.json; None where the recipe asks for no analysis.
    augmentation  as augmentation.json; None where the run made none.
    attacks   as attacks.json; None where the recipe asks for no attacks.
    checks    one dict an evaluation in training, as logs/unlearn/checks.jsonl: step, kfr, krr, ls, ls_share, answers.
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
        return dict(Counter(sample["split"] for sample in self.samples))


def read_run(folder: Path) -> RunResults:
    """Reads metrics, samples, losses, manifest and recipe of a run whose evaluate stage is done.

    Analysis and attacks only where its recipe asks for them: what an earlier recipe left is not told.
    """
    import yaml

    recipe = (folder / "recipe.yaml").read_text(encoding="utf-8")
    asked, checks = yaml.safe_load(recipe) or {}, folder / "logs/unlearn/checks.jsonl"
    return RunResults(
        folder.name, _read(folder / "metrics.json"), _rows(folder / "samples.jsonl"), losses(folder),
        _read(folder / "manifest.json"), recipe,
        analysis=_read(folder / "analysis.json") if asked.get("analyze") else None,
        augmentation=_read(folder / "augmentation.json"),
        attacks=_read(folder / "attacks.json") if asked.get("attacks") else None,
        checks=_rows(checks) if checks.exists() else [],
    )  # fmt: skip


def _read(path: Path) -> dict[str, Any] | None:
    """None where the file is not there."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def _rows(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:  # not splitlines: answers may hold U+2028
        return [json.loads(line) for line in lines]
