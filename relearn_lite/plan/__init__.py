"""What a recipe will take: parameters, memory a stage, disk, time; whether it fits here, and on common cards.

What matters on the machine that is asked comes first: without a GPU that is its memory and the time on a CPU.

From the configuration alone, before any weights are downloaded. Rows are taken to be as long as model.max_length, which
is the most that they may be: with shorter ones a run takes less. What cannot be counted so is named, never taken for 0.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from rich.table import Table

from relearn_lite.core.progress import duration
from relearn_lite.models.batch_sizes import AUTO, CPU_MOST, CPU_SHARE, DRAWN, GPU_MOST, GPU_SHARE
from relearn_lite.models.folder import as_stored
from relearn_lite.models.transformers_backend import empty_model
from relearn_lite.pipeline.check import check
from relearn_lite.plan.advice import CARDS, advice, fits
from relearn_lite.plan.attack import most_answers
from relearn_lite.plan.disk_and_time import CPU_SPEED, SPEED, disk, step_seconds
from relearn_lite.plan.estimate import Estimate, StageMemory
from relearn_lite.plan.machine import Machine, this_machine, told, verdict
from relearn_lite.plan.measure import TRIAL, trial
from relearn_lite.plan.model_sizes import ModelSizes, model_sizes
from relearn_lite.plan.stages import memory_of_stages
from relearn_lite.recipe import Recipe
from relearn_lite.recipe.base import value_of
from relearn_lite.recipe.unlearn import FEWEST_STEPS

__all__ = [
    "CARDS", "ModelSizes", "StageMemory", "advice", "disk", "fits", "memory_of_stages", "model_sizes", "plan",
    "step_seconds",
]  # fmt: skip

TRAINED = {"finetune": "finetune", "unlearn": "unlearn", "attack": "attack, relearning"}
# Sections whose batch_size may be auto, and what that does.
ASKING = ("generate", "augment", "collect.proposals", "evaluate.evaluators.entities", "evaluate.evaluators.judge")
FILLED = (
    f"a run fills {GPU_SHARE:.0%} of the card's memory that is then free, {GPU_MOST} rows at most (on a CPU "
    f"{CPU_SHARE:.0%} of the machine's, {CPU_MOST} at most), and takes {DRAWN} where texts are drawn"
)
NO_TOTAL = "no total time: asking, writing and judging are known by trying alone; --measure tries them on this machine"
STEPS = {"finetune": "a finetune step", "unlearn": "an unlearning step", "attack": "a step of relearning"}


def plan(recipe: Recipe, write: Callable[[object], None], measured: bool = False) -> None:
    """Writes the plan, as lines and tables, with `write`. measured: the models are loaded and tried too."""
    recipe = recipe.model_copy(update={"model": as_stored(recipe.model, empty_model(recipe.model).config)})
    sizes = model_sizes(recipe)
    parameters = sizes.shape.parameters
    write(f"{recipe.model.name}: {parameters:,} parameters, {recipe.model.quantization}")
    for stage in sizes.loras:
        number = sizes.trained(recipe, stage)
        write(f"{TRAINED[stage]}: {number:,} trained parameters ({number / parameters:.2%})")
    stages, here = memory_of_stages(recipe, sizes), this_machine()
    write(f"this machine: {told(recipe, sizes, here)}")
    write(_stages_table(stages, here))
    cards = [f"{card:>3} GB card: {verdict(recipe, sizes, card)}" for card in CARDS]
    on_card = _steps(recipe, sizes, SPEED, "a card of 20 TFLOP/s")
    on_cpu = _steps(recipe, sizes, CPU_SPEED, "two CPU cores of 30 GFLOP/s")
    total = [] if measured else [NO_TOTAL]
    size = ["disk: " + ", ".join(f"{what} {_gb(size)}" for what, size in disk(recipe, sizes).items())]
    for line in [*cards, *on_card, *total, *size, *on_cpu] if here.gpu else [*on_cpu, *total, *size, *cards, *on_card]:
        write(line)
    for section in ASKING:
        if value_of(recipe, f"{section}.batch_size") == AUTO:
            write(f"{section}.batch_size: auto is counted as 1, the least; {FILLED}")
    if recipe.unlearn and recipe.unlearn.searches:
        write(_search(recipe, sizes))
    if recipe.attacks:
        write(f"attack: at most {most_answers(Estimate(recipe, sizes)):,} answers")
    for what in sizes.unknown:
        write(f"not counted: {what}")
    write(
        "Exact: parameters, LoRA, optimizer, gradient mask, KV cache. Estimates, of rows as long as model.max_length: "
        "the rest. Judges that are encoders: their weights alone."
    )
    if measured:
        _measure(recipe, write)


def _steps(recipe: Recipe, sizes: ModelSizes, speed: float, machine: str) -> list[str]:
    """A line on the time of a step; none where nothing is trained."""
    times = [f"{step_seconds(recipe, sizes, stage, speed):.2g} s {STEPS[stage]}" for stage in sizes.loras]
    return [f"time: about {', '.join(times)} at most, on {machine}"] if times else []


def _measure(recipe: Recipe, write: Callable[[object], None]) -> None:
    """Writes how long writing, asking and judging will take here, found by doing some of each."""
    data = check(recipe)
    if not data["forget"]:
        write("not measured: the questions of data.forget are yet to be found by stage collect")
        return
    write(f"time of writing, asking and judging, from a trial of about {TRIAL:g} s on this machine:")
    total, begin = 0.0, time.monotonic()
    for work in trial(recipe, data, TRIAL):
        tried = f", {work.tried} tried" if work.tried else ""
        write(f"  {work.stage}: {duration(work.seconds)} ({work.rows} x {work.what}{tried})")
        total += work.seconds if work.stage != "unlearn" else 0.0  # one check in training, of how many is not known
    more = ["training with its checks"] if recipe.finetune or recipe.unlearn else []
    more += [name for name in ("analyze", "attacks", "compare") if getattr(recipe, name)]
    more += ["general tasks"] if recipe.evaluate.general else []
    more += ["answers of a served unlearned model"] if recipe.unlearned and recipe.unlearned.server else []
    all_of_it = f"about {duration(total)}; the trial took {duration(time.monotonic() - begin)}"
    if more:
        verb = "is" if len(more) == 1 else "are"
        write(f"no total: {', '.join(more)} {verb} not measured; the rest takes {all_of_it}")
    else:
        write(f"in all: {all_of_it}")


def _search(recipe: Recipe, sizes: ModelSizes) -> str:
    """What finding learning rate or length takes, as far as it is known before the rows are."""
    settings = recipe.unlearn
    rates = ", ".join(f"{rate:g}" for rate in settings.rates(sizes.shape.hidden))
    if settings.epochs != "auto":
        return f"unlearn: tries the learning rates {rates}, each as far as a first check, and goes on with one"
    most = settings.budget or f"{FEWEST_STEPS}, or 4 epochs where these are more,"
    return f"unlearn: until it has forgotten, {most} optimizer steps at most, learning rates {rates}"


def _stages_table(stages: list[StageMemory], here: Machine) -> Table:
    in_16_bit = "Memory a stage, counted in 16 bit as on a card; a CPU has 32, up to twice as much"
    table = Table("stage", title="GPU memory a stage" if here.gpu else in_16_bit, title_justify="left")
    table.add_column("GB", justify="right")
    table.add_column("of which")
    for stage in stages:
        parts = ", ".join(f"{what} {_gb(size)}" for what, size in stage.parts.items() if size)
        table.add_row(stage.name, f"{stage.total / 1e9:.2f}", parts or "no model on this machine")
    return table


def _gb(size: float) -> str:
    return f"{size / 1e9:.2f} GB" if size >= 1e7 else f"{size / 1e6:.1f} MB"
