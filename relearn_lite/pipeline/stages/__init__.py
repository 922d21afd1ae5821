"""The stages: what each does, on what it depends, and what it leaves in the run folder.

A stage reads records and writes records; it can be killed at any moment and started again. Which stages run, and when
one is done, is decided in `relearn_lite.pipeline.pipeline`. Each has a file of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from relearn_lite.pipeline.run_state import Run
from relearn_lite.pipeline.stages.analyze import analyze
from relearn_lite.pipeline.stages.attack import attack
from relearn_lite.pipeline.stages.augment import augment
from relearn_lite.pipeline.stages.evaluate import evaluate, scores_of
from relearn_lite.pipeline.stages.finetune import finetune
from relearn_lite.pipeline.stages.generate import generate
from relearn_lite.pipeline.stages.report import report
from relearn_lite.pipeline.stages.unlearn import learns_new_answers, unlearn
from relearn_lite.recipe import Recipe

__all__ = ["STAGES", "Stage", "Run", "learns_new_answers", "scores_of", "stages_of"]


@dataclass(frozen=True)
class Stage:
    """A stage: what it does, the recipe sections and data parts it depends on, the stages it builds on, its output.

    The recipe may add to these: see `relearn_lite.pipeline.fingerprints.inputs`.
    version: raise it when the stage's code changes what it writes, so that older results are not taken for new ones.
    """

    run: Callable[[Run], dict[str, Any]]
    sections: tuple[str, ...]
    data: tuple[str, ...]
    after: tuple[str, ...]
    output: tuple[str, ...]
    version: int = 1


STAGES: dict[str, Stage] = {
    "finetune": Stage(
        finetune,
        ("seed", "model", "finetune", "trainer"),
        ("forget", "retain", "finetune"),
        (),
        ("vanilla", "checkpoints/finetune", "logs/finetune"),
    ),
    "augment": Stage(
        augment,
        ("seed", "augment"),
        ("forget", "generic"),
        (),
        ("augmented.jsonl", "dropped.jsonl", "augmentation.json", "augmented.partial.jsonl", "replies.partial.jsonl"),
        version=4,
    ),
    "unlearn": Stage(
        unlearn,
        ("seed", "model", "unlearn", "trainer"),
        ("forget", "retain"),
        ("finetune", "augment"),
        ("adapter", "checkpoints/unlearn", "logs/unlearn"),
    ),
    "generate": Stage(
        generate,
        ("seed", "model", "generate", "unlearned"),
        ("forget_eval", "retain_eval"),
        ("finetune", "unlearn"),
        ("answers",),
    ),
    "evaluate": Stage(
        evaluate,
        ("evaluate",),
        ("forget_eval", "retain_eval", "holdout", "real_authors", "world_facts"),
        ("generate",),
        ("metrics.json", "samples.jsonl"),
        version=3,
    ),
    "analyze": Stage(
        analyze,
        ("model", "analyze", "unlearned"),
        ("forget_eval", "retain_eval"),
        ("finetune", "unlearn"),
        ("analysis.json", "analysis.partial.json"),
    ),
    "attack": Stage(
        attack,
        ("seed", "model", "augment", "generate", "evaluate", "trainer", "attacks", "unlearned"),
        ("forget", "retain", "generic", "forget_eval", "retain_eval"),
        ("finetune", "augment", "unlearn"),
        ("attacks.json", "attacks"),
    ),
    "report": Stage(
        report, ("report",), (), ("evaluate", "analyze", "attack", "unlearn"), ("report.md", "report.html"), version=2
    ),
}


def stages_of(recipe: Recipe) -> list[str]:
    """The stages that this recipe needs, in order."""
    left_out = set()
    if recipe.finetune is None:
        left_out.add("finetune")
    if recipe.analyze is None:
        left_out.add("analyze")
    if recipe.attacks is None:
        left_out.add("attack")
    if recipe.unlearn is None:
        left_out |= {"augment", "unlearn"}
    elif not learns_new_answers(recipe.unlearn):
        left_out.add("augment")
    return [name for name in STAGES if name not in left_out]
