"""The stages: what each does, on what it depends, and what it leaves in the run folder.

A stage reads records and writes records; it can be killed at any moment and started again. Which stages run, and when
one is done, is decided in `relearn_lite.pipeline.pipeline`. Each has a file of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from relearn_lite.pipeline.run_state import Run
from relearn_lite.pipeline.stages.analyze import analyze
from relearn_lite.pipeline.stages.ask import ask
from relearn_lite.pipeline.stages.attack import attack
from relearn_lite.pipeline.stages.augment import augment
from relearn_lite.pipeline.stages.collect import collect
from relearn_lite.pipeline.stages.evaluate import evaluate, scores_of
from relearn_lite.pipeline.stages.finetune import finetune
from relearn_lite.pipeline.stages.general import general
from relearn_lite.pipeline.stages.generate import generate
from relearn_lite.pipeline.stages.report import report
from relearn_lite.pipeline.stages.unlearn import learns_new_answers, unlearn
from relearn_lite.recipe import Recipe

__all__ = ["STAGES", "Stage", "Run", "learns_new_answers", "scores_of", "stages_of"]


@dataclass(frozen=True)
class Stage:
    """A stage: what it does, and what it depends on and leaves; stages.yaml says what each field means."""

    run: Callable[[Run], dict[str, Any]]
    sections: Sequence[str]
    data: Sequence[str]
    after: Sequence[str]
    output: Sequence[str]
    version: int


_RUN = (collect, finetune, ask, augment, unlearn, generate, evaluate, general, analyze, attack, report)
_TABLE = yaml.safe_load(Path(__file__).with_name("stages.yaml").read_text(encoding="utf-8"))
STAGES: dict[str, Stage] = {run.__name__: Stage(run, **_TABLE[run.__name__]) for run in _RUN}


def stages_of(recipe: Recipe) -> list[str]:
    """The stages that this recipe needs, in order."""
    needed = {
        "collect": recipe.data.collects, "finetune": recipe.finetune,
        "augment": recipe.unlearn and learns_new_answers(recipe.unlearn),
        "unlearn": recipe.unlearn, "general": recipe.evaluate.general, "analyze": recipe.analyze,
        "attack": recipe.attacks,
        "generate": recipe.unlearn or recipe.unlearned,  # else one model alone, which was asked first
    }  # fmt: skip
    return [name for name in STAGES if needed.get(name, True)]
