"""Stage augment: writes the new answers."""

from __future__ import annotations

from typing import Any

from relearn_lite.augment import Settings
from relearn_lite.augment.existing import read_existing
from relearn_lite.augment.semantic import SemanticCheck
from relearn_lite.core.records import Variant
from relearn_lite.pipeline.run_state import Run
from relearn_lite.recipe import Recipe


def augment(run: Run) -> dict[str, Any]:
    """Writes augmented.jsonl and dropped.jsonl."""
    from relearn_lite.augment import STATISTICS
    from relearn_lite.augment import augment as write_variants
    from relearn_lite.augment.semantic import make_semantic_check
    from relearn_lite.report.augmentation import show
    from relearn_lite.report.console import stage_progress
    from relearn_lite.writers import make_writer

    section, forget = run.recipe.augment, run.data["forget"]
    given, general = read_existing(section.from_, forget) if section.from_ else ([], [])
    semantic = make_semantic_check(section.semantic, lambda: run.vanilla)
    settings = settings_of(run.recipe, semantic, tuple(given))
    writer = make_writer(section, "augment", run.recipe, lambda: run.vanilla)
    with stage_progress(f"augment ({writer.name})", len(forget), run.quiet) as advance:
        done = 0

        def progress(now: int, _: int) -> None:
            nonlocal done
            advance(now - done)
            done = now

        counts = write_variants(forget, [*general, *run.data["generic"]], writer, settings, run.folder, progress)
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
