"""Stage augment: writes the new answers."""

from __future__ import annotations

from typing import Any

from relearn_lite.augment import STATISTICS, Settings
from relearn_lite.augment import augment as write_variants
from relearn_lite.augment.existing import read_existing
from relearn_lite.augment.semantic import SemanticCheck, make_semantic_check
from relearn_lite.core.records import Variant
from relearn_lite.pipeline.run_state import Run
from relearn_lite.recipe import Recipe
from relearn_lite.report.augmentation import show
from relearn_lite.report.console import stage_progress
from relearn_lite.writers import make_writer


def augment(run: Run) -> dict[str, Any]:
    """Writes augmented.jsonl and dropped.jsonl."""
    section, forget = run.recipe.augment, run.data["forget"]
    existing, general = read_existing(section.from_, forget) if section.from_ else ([], [])
    semantic = make_semantic_check(section.semantic, lambda: run.vanilla)
    settings = settings_of(run.recipe, semantic, tuple(existing))
    writer = make_writer(section, "augment", run.recipe, lambda: run.vanilla)
    with stage_progress(f"augment ({writer.name})", len(forget), run.quiet) as advance:
        counts = write_variants(forget, [*general, *run.data["generic"]], writer, settings, run.folder, advance)
    if not run.quiet:
        show(run.folder / STATISTICS)
    return counts


def settings_of(
    recipe: Recipe, semantic: SemanticCheck | None = None, existing: tuple[Variant, ...] = ()
) -> Settings:
    """What the augmentation reads of a recipe."""
    section = recipe.augment
    return Settings(
        section.questions, section.verify_rounds, section.completion_fraction, section.generic_ratio, recipe.seed,
        section.answers_per_question, semantic, existing,
    )  # fmt: skip
