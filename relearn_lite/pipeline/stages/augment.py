"""Stage augment: writes the new answers."""

from __future__ import annotations

from typing import Any

from relearn_lite.augment.existing import read_existing
from relearn_lite.pipeline.run_state import Run


def augment(run: Run) -> dict[str, Any]:
    """Writes augmented.jsonl and dropped.jsonl."""
    from relearn_lite.augment import STATISTICS, Settings
    from relearn_lite.augment import augment as write_variants
    from relearn_lite.augment.semantic import make_semantic_check
    from relearn_lite.report.augmentation import show
    from relearn_lite.report.console import stage_progress
    from relearn_lite.writers import make_writer

    section, forget = run.recipe.augment, run.data["forget"]
    given, general = read_existing(section.from_, forget) if section.from_ else ([], [])
    settings = Settings(
        section.questions,
        section.verify_rounds,
        section.completion_fraction,
        section.generic_ratio,
        run.recipe.seed,
        section.answers_per_question,
        make_semantic_check(section.semantic, lambda: run.vanilla),
        tuple(given),
    )
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
