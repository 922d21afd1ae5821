"""What a recipe will take: parameters, GPU memory a stage, disk, time; and whether it fits on common cards.

From the configuration alone, before any weights are downloaded. Rows are taken to be as long as model.max_length, which
is the most that they may be: with shorter ones a run takes less. What cannot be counted so is named, never taken for 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from relearn_lite.plan.advice import CARDS, advice, fits
from relearn_lite.plan.attack import answers
from relearn_lite.plan.extent import disk, step_seconds
from relearn_lite.plan.models import Counted, count
from relearn_lite.plan.needs import needs
from relearn_lite.plan.pieces import Need
from relearn_lite.recipe import Recipe

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["CARDS", "Counted", "Need", "advice", "count", "disk", "fits", "needs", "plan", "step_seconds"]

TRAINED = {"finetune": "finetune", "unlearn": "unlearn", "attack": "attack, relearning"}
STEPS = {"finetune": "a finetune step", "unlearn": "an unlearning step", "attack": "a step of relearning"}


def plan(recipe: Recipe, write: Callable[[object], None]) -> None:
    """Writes the plan, as lines and tables, with `write`."""
    counted = count(recipe)
    shape = counted.shape
    write(f"{recipe.model.name}: {shape.parameters:,} parameters, {recipe.model.quantization}")
    for stage in counted.loras:
        number = counted.trained(recipe, stage)
        write(f"{TRAINED[stage]}: {number:,} trained parameters ({number / shape.parameters:.2%})")
    write(_stages_table(needs(recipe, counted)))
    for card in CARDS:
        changes = advice(recipe, counted, card)
        told = "no setting fits: take a smaller model" if changes is None else "fits" if not changes else "change "
        write(f"{card:>3} GB: {told}{' '.join(changes or [])}")
    write("disk: " + ", ".join(f"{what} {_gb(size)}" for what, size in disk(recipe, counted).items()))
    times = [f"{step_seconds(recipe, counted, stage):.2g} s {STEPS[stage]}" for stage in counted.loras]
    if times:
        write(f"time: about {', '.join(times)} at most, on a card of 20 TFLOP/s")
    if recipe.attacks:
        write(f"attack: at most {answers(recipe, counted):,} answers")
    for what in counted.unknown:
        write(f"not counted: {what}")
    write(
        "Exact: parameters, LoRA, optimizer, gradient mask, KV cache. Estimates, of rows as long as model.max_length: "
        "the rest. Judges that are encoders: their weights alone."
    )


def _stages_table(stages: list[Need]) -> Table:
    from rich.table import Table

    table = Table(title="GPU memory a stage", title_justify="left")
    for column in ("stage", "GB", "of which"):
        table.add_column(column, justify="right" if column == "GB" else "left")
    for need in stages:
        parts = ", ".join(f"{what} {_gb(size)}" for what, size in need.parts.items() if size)
        table.add_row(need.name, f"{need.total / 1e9:.2f}", parts or "no model on this machine")
    return table


def _gb(size: float) -> str:
    return f"{size / 1e9:.2f} GB" if size >= 1e7 else f"{size / 1e6:.1f} MB"
