"""A run folder, read back as what the reports tell."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from relearn_lite.core.files import load_json, read_rows
from relearn_lite.recipe.load import read_yaml
from relearn_lite.unlearn.diagnostics import losses, part_of, search_of


@dataclass(frozen=True)
class RunResults:
    """All that a report tells about one run, as the stages left it on disk.

    metrics   metrics.json: by model what `evaluate` gives, "evaluators", "comparable_with_paper",
              "differences_from_paper" (sentences), and of two models "difference" {metric: {mean, low, high, n}}. One
              model alone is "vanilla".
    samples   samples.jsonl, a question each: id, split, query, ground_truth, vanilla and unlearned (the answers),
              scores {model: {metric: value}}, finished {model: bool}.
    losses    an optimizer step each: step, and where known loss, its terms, lr, tokens_per_s.
    manifest  manifest.json: versions, hardware, seed, data, model, stages {stage: {seconds, peak_memory_mb}}.
    recipe    the resolved recipe, YAML.
    analysis, augmentation, attacks  the files of these names; None where the recipe asks for none.
    evaluations  those in training, as logs/unlearn/checks.jsonl: step, kfr, krr, ls, ls_share, answers.
    search    how learning rate and length of training were found, see `unlearn.search`; None where they were given.
    general   general.json: tasks of lm-eval, see `evaluate.general`; None where none were asked.
    known     known.json: what the vanilla model knew when it was asked; None where it was not asked.
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
    evaluations: list[dict[str, Any]] = field(default_factory=list)
    known: dict[str, Any] | None = None
    search: dict[str, Any] | None = None
    general: dict[str, Any] | None = None

    def answered(self) -> dict[str, int]:
        """How many questions each split (forget, retain, ...) has."""
        return dict(Counter(sample["split"] for sample in self.samples))

    @cached_property
    def asked(self) -> dict[str, Any]:
        """The resolved recipe, section by section; not to be changed."""
        import yaml

        return yaml.load(self.recipe, getattr(yaml, "CSafeLoader", yaml.SafeLoader)) or {}  # the quick one, if built


def read_run(folder: Path) -> RunResults:
    """Reads metrics, samples, losses, manifest and recipe of a run whose evaluate stage is done.

    Analysis, attacks and tasks of lm-eval only where its recipe asks for them: what an earlier recipe left is not told.
    """
    asked, search = read_yaml(folder / "recipe.yaml")[0] or {}, search_of(folder)
    recipe = (folder / "recipe.yaml").read_text(encoding="utf-8")
    log = folder / "logs/unlearn" / (part_of(search["lr"]) if search else "") / "checks.jsonl"
    return RunResults(
        folder.name, load_json(folder / "metrics.json"), read_rows(folder / "samples.jsonl"), losses(folder),
        load_json(folder / "manifest.json"), recipe,
        analysis=load_json(folder / "analysis.json") if asked.get("analyze") else None,
        augmentation=load_json(folder / "augmentation.json"),
        attacks=load_json(folder / "attacks.json") if asked.get("attacks") else None,
        evaluations=read_rows(log) if log.exists() else [], known=load_json(folder / "known.json"), search=search,
        general=load_json(folder / "general.json") if (asked.get("evaluate") or {}).get("general") else None,
    )  # fmt: skip
