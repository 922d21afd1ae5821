"""What a recipe will take: parameters, GPU memory a stage, disk, time; and whether it fits on common cards.

From the configuration alone, before any weights are downloaded. Rows are taken to be as long as model.max_length, which
is the most that they may be: with shorter ones a run takes less.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relearn_lite.footprint import Shape, empty_model, lora_parameters, optimizer, shape_of, trained
from relearn_lite.schema import Recipe
from relearn_lite.stages import stages_of
from relearn_lite.unlearn.losses import FORGET_TERMS

if TYPE_CHECKING:
    from rich.table import Table

CARDS = (6, 8, 12, 16, 24)  # GB
CONTEXT, USABLE = 0.7e9, 0.94  # what CUDA and its kernels take; what torch can use of the rest before it fragments
SPEED = 20e12  # floating-point operations a second that a 30- or 40-series card of this class reaches in training


@dataclass(frozen=True)
class Need:
    """GPU memory of one stage in bytes, by what it is for."""

    stage: str
    parts: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.parts.values())


@dataclass(frozen=True)
class Counted:
    """A recipe's models, counted once; smaller settings of the same recipe need no new count."""

    shape: Shape
    loras: dict[str, int]  # stage -> LoRA parameters a rank; all of the model's where finetune.lora is null
    writer: Shape | None

    def trained(self, recipe: Recipe, stage: str) -> int:
        """Trained parameters of a stage. Those of LoRA grow with its rank."""
        lora = getattr(recipe, stage).lora
        return self.loras[stage] * (lora.r if lora else 1)


def count(recipe: Recipe) -> Counted:
    """Counts the model, its adapters and a local writer. Raises RecipeError where a configuration cannot be had."""
    shape, loras, writer = shape_of(empty_model(recipe.model)), {}, None
    for stage in ("finetune", "unlearn"):
        section = getattr(recipe, stage)
        if section is not None and section.lora is not None:
            loras[stage] = lora_parameters(recipe.model, section.lora) // section.lora.r
        elif section is not None:
            loras[stage] = shape.parameters
    section = recipe.augment
    if "augment" in stages_of(recipe) and section.writer == "local" and section.model:
        writer = shape_of(empty_model(recipe.model.other(section.model)))
    return Counted(shape, loras, writer)


def needs(recipe: Recipe, counted: Counted) -> list[Need]:
    """GPU memory of every stage that holds a model."""
    made = {"finetune": _training, "unlearn": _training, "augment": _writing, "generate": _answering}
    return [made[stage](recipe, counted, stage) for stage in stages_of(recipe) if stage in made]


def _training(recipe: Recipe, counted: Counted, stage: str) -> Need:
    section, shape = getattr(recipe, stage), counted.shape
    sets = 1
    if stage == "unlearn":
        term, retain = section.terms
        sets = len(FORGET_TERMS[term].batches) + bool(retain)
    tokens = section.batch_size * recipe.model.max_length
    quantization, adapter = recipe.model.quantization, counted.trained(recipe, stage)
    parts = {"weights": shape.weights(quantization)}
    if section.lora is None:
        parts["weights"] = 4 * shape.parameters  # float32, all of them trained
        parts["gradients"], parts["optimizer"] = 4 * shape.parameters, optimizer(shape.parameters)
    else:
        parts["LoRA and gradients"], parts["optimizer"] = trained(adapter) - optimizer(adapter), optimizer(adapter)
    if stage == "unlearn" and recipe.finetune and recipe.finetune.lora:
        parts["vanilla adapter"] = 4 * counted.trained(recipe, "finetune")
    # All sets of rows are alive until the backward pass; their chunked logits are not.
    parts["activations"] = shape.activations(sets * tokens, recipe.model.gradient_checkpointing is not False)
    parts["logits"] = shape.logits(tokens)
    return Need(stage, parts)


def _answering(recipe: Recipe, counted: Counted, stage: str) -> Need:
    section, shape = recipe.generate, counted.shape
    rows, tokens = section.batch_size, recipe.model.max_length + section.max_new_tokens
    return Need(stage, {
        "weights": shape.weights(recipe.model.quantization), "LoRA": 4 * _adapters(recipe, counted),
        "KV cache": shape.kv_cache(rows, tokens), "activations": shape.activations(rows * recipe.model.max_length, True)
        // (shape.layers + 1), "logits": 4 * rows * shape.vocabulary,
    })


def _adapters(recipe: Recipe, counted: Counted) -> int:
    """Parameters of all adapters, not those of a model that finetune teaches whole."""
    return sum(counted.trained(recipe, stage) for stage in counted.loras if getattr(recipe, stage).lora)


def _writing(recipe: Recipe, counted: Counted, stage: str) -> Need:
    section, shape = recipe.augment, counted.writer or counted.shape
    if section.writer != "local":
        return Need(stage, {})
    parts = {"weights": shape.weights(recipe.model.quantization)}
    if counted.writer:
        parts["the recipe's model beside it"] = counted.shape.weights(recipe.model.quantization)
    tokens = recipe.model.max_length + section.max_new_tokens
    return Need(stage, parts | {"KV cache": shape.kv_cache(section.batch_size, tokens)})


def fits(need: float, card: int) -> bool:
    """Whether so many bytes fit on a card of so many GB (10^9 bytes)."""
    return need <= (card * 1e9 - CONTEXT) * USABLE


def advice(recipe: Recipe, counted: Counted, card: int) -> list[str] | None:
    """What to change, in order of what it costs, until the recipe fits; [] where it does, None where nothing helps."""
    def tight(changed: Recipe, stage: str = "") -> bool:
        """Whether this stage does not fit, or any where none is named."""
        return any(not fits(need.total, card) for need in needs(changed, counted) if stage in ("", need.stage))

    changes: dict[str, str] = {}
    for changed, change in _smaller(recipe, tight):
        if change:
            changes[change.partition("=")[0]] = change
        if not tight(changed):
            return list(changes.values())
    return None


def _smaller(recipe: Recipe, tight: Callable[..., bool]) -> Iterator[tuple[Recipe, str]]:
    """The recipe, then the recipe with one more saving each time: (recipe, the key that changed)."""
    yield recipe, ""

    def update(section: str, **values: object) -> Recipe:
        return recipe.model_copy(update={section: getattr(recipe, section).model_copy(update=values)})

    full = recipe.finetune is not None and recipe.finetune.lora is None
    if recipe.model.quantization != "4bit" and not full:
        recipe = update("model", quantization="4bit")
        yield recipe, "model.quantization=4bit"
    if recipe.model.gradient_checkpointing is False:
        recipe = update("model", gradient_checkpointing=True)
        yield recipe, "model.gradient_checkpointing=true"
    for section in ("unlearn", "finetune", "augment", "generate"):
        while tight(recipe, section) and (size := getattr(recipe, section).batch_size) > 1:
            recipe = update(section, batch_size=size // 2)
            doubled = ""
            if hasattr(getattr(recipe, section), "accumulate"):
                recipe = update(section, accumulate=getattr(recipe, section).accumulate * 2)
                doubled = f" {section}.accumulate={getattr(recipe, section).accumulate}"
            yield recipe, f"{section}.batch_size={size // 2}{doubled}"
    while tight(recipe, "unlearn") and recipe.unlearn.lora.r > 8:
        lora = recipe.unlearn.lora.model_copy(update={"r": recipe.unlearn.lora.r // 2})
        recipe = update("unlearn", lora=lora)
        yield recipe, f"unlearn.lora.r={lora.r}"
    while recipe.model.max_length > 128:
        recipe = update("model", max_length=recipe.model.max_length // 2)
        yield recipe, f"model.max_length={recipe.model.max_length}"


def disk(recipe: Recipe, counted: Counted) -> dict[str, int]:
    """Bytes on disk: the download of weights in 16 bit (none for a local folder), adapters, one checkpoint."""
    from pathlib import Path

    local = recipe.model.name == "embedded" or Path(recipe.model.name).is_dir()
    adapters = {stage: 4 * counted.trained(recipe, stage) for stage in counted.loras}
    found = {"download of the model": 0 if local else 2 * counted.shape.parameters}
    if counted.writer:
        found["download of the writer"] = 2 * counted.writer.parameters
    found["adapters"] = sum(adapters.values())
    found["checkpoints"] = 2 * 3 * max(adapters.values(), default=0)  # weights and moments; old and new for a moment
    return found


def step_seconds(recipe: Recipe, counted: Counted) -> float:
    """Seconds of one unlearning step on a card of SPEED, rows as long as they may be: an order of magnitude.

    Operations a token: 2 a parameter forwards, 2 backwards (frozen weights get no gradient), 2 for computing again,
    and 2 for the reference where one is used.
    """
    section = recipe.unlearn
    term, retain = section.terms
    sets = len(FORGET_TERMS[term].batches) + bool(retain)
    each = 4 if recipe.model.gradient_checkpointing is False else 6
    tokens = section.batch_size * section.accumulate * recipe.model.max_length
    return tokens * (sets * each + 2 * ("kl" in retain)) * counted.shape.parameters / SPEED


def plan(recipe: Recipe, write: Callable[[object], None]) -> None:
    """Writes the plan, as lines and tables, with `write`."""
    counted = count(recipe)
    shape = counted.shape
    write(f"{recipe.model.name}: {shape.parameters:,} parameters, {recipe.model.quantization}")
    for stage in counted.loras:
        number = counted.trained(recipe, stage)
        write(f"{stage}: {number:,} trained parameters ({number / shape.parameters:.2%})")
    stages = needs(recipe, counted)
    write(_stages_table(stages))
    for card in CARDS:
        changes = advice(recipe, counted, card)
        told = "no setting fits: take a smaller model" if changes is None else "fits" if not changes else "change "
        write(f"{card:>3} GB: {told}{' '.join(changes or [])}")
    sizes = disk(recipe, counted)
    write("disk: " + ", ".join(f"{what} {_gb(size)}" for what, size in sizes.items()))
    if recipe.unlearn:
        write(f"time: about {step_seconds(recipe, counted):.2g} s an unlearning step at most, on a card of 20 TFLOP/s")
    write("Exact: parameters, LoRA, optimizer, KV cache. Estimates, of rows as long as model.max_length: the rest.")


def _stages_table(stages: list[Need]) -> Table:
    from rich.table import Table

    table = Table(title="GPU memory a stage", title_justify="left")
    for column in ("stage", "GB", "of which"):
        table.add_column(column, justify="right" if column == "GB" else "left")
    for need in stages:
        parts = ", ".join(f"{what} {_gb(size)}" for what, size in need.parts.items() if size)
        table.add_row(need.stage, f"{need.total / 1e9:.2f}", parts or "no model on this machine")
    return table


def _gb(size: float) -> str:
    return f"{size / 1e9:.2f} GB" if size >= 1e7 else f"{size / 1e6:.1f} MB"
