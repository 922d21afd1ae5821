"""A comparison in progress, and how one of its runs is tried."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from relearn_lite.core.files import write_text
from relearn_lite.core.records import QA
from relearn_lite.pipeline.fingerprints import fingerprint, inputs
from relearn_lite.pipeline.run_folder import RunFolder
from relearn_lite.pipeline.run_state import Run
from relearn_lite.pipeline.sharing import Sources, StageFailed, run_with
from relearn_lite.recipe import Recipe, Unlearn
from relearn_lite.unlearn.diagnostics import explain
from relearn_lite.unlearn.loss_log import losses

FAILED = "failed.json"
AFTER_NUMBERS = ("analyze", "attack", "report")  # if one of these fails, the method is measured all the same


@dataclass(frozen=True)
class Comparison:
    """A comparison in progress: its recipe, folder and data, and the sweep's points so far."""

    recipe: Recipe
    folder: Path
    data: dict[str, list[QA]]
    quiet: bool
    points: dict[str, Any] = field(default_factory=dict)

    @property
    def vanilla(self) -> Path:
        return self.folder / "methods" / "vanilla"

    def say(self, text: str) -> None:
        if not self.quiet:
            print(text, file=sys.stderr)


@dataclass(frozen=True)
class Failure:
    stage: str
    reason: str


def child(recipe: Recipe, name: str, unlearn: Unlearn | None) -> Recipe:
    """The recipe of one run of a comparison; None: of the vanilla model alone.

    All report the same questions, whether they choose by others or not.
    """
    data = recipe.data.model_copy(update={"select_fraction": recipe.select_fraction})
    return recipe.model_copy(update={"name": name, "unlearn": unlearn, "compare": None, "data": data})


def attempt(
    job: Comparison, recipe: Recipe, root: Path, sources: Sources, method: str, until: str = "report",
    after: Callable[[Run], None] = lambda _: None,
) -> RunFolder | Failure:  # fmt: skip
    """A run, or why it failed. A failure is kept: a stage that failed is not tried again with the same inputs."""
    kept = root / recipe.name / FAILED
    if kept.exists():
        failure = json.loads(kept.read_text(encoding="utf-8"))
        if failure["fingerprint"] == fingerprint(inputs(recipe, job.data, failure["stage"])):
            job.say(f"{recipe.name}: failed before; add --again {method} to try again")
            return Failure(failure["stage"], failure["reason"])
        kept.unlink()
    way_out = f"give the method another name, or add --again {method} to do it again"
    try:
        return run_with(
            recipe, root, sources, job.data, until=until, way_out=way_out, quiet=job.quiet, after=after
        )
    except StageFailed as error:
        told = [] if error.stage in AFTER_NUMBERS else explain(losses(kept.parent))
        failed = Failure(error.stage, " ".join([f"{str(error).rstrip('.')}.", *told]))
    job.say(f"{recipe.name}: failed: {failed.reason}")
    mark = fingerprint(inputs(recipe, job.data, failed.stage))
    failure = {"stage": failed.stage, "fingerprint": mark, "reason": failed.reason}
    write_text(kept, json.dumps(failure, ensure_ascii=False) + "\n")
    return failed
