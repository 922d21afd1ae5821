"""Stage augment: writes the new answers."""

from __future__ import annotations

from typing import Any

from relearn_lite.augment.given import read_given
from relearn_lite.pipeline.stages.work import Work


def augment(work: Work) -> dict[str, Any]:
    """Writes augmented.jsonl and dropped.jsonl."""
    from relearn_lite.augment import SIGHT, Settings
    from relearn_lite.augment import augment as write_variants
    from relearn_lite.augment.semantic import make_meaning
    from relearn_lite.report.augmentation import show
    from relearn_lite.report.console import stage_progress
    from relearn_lite.writers.choose import make_writer

    section, forget = work.recipe.augment, work.data["forget"]
    given, general = read_given(section.from_, forget) if section.from_ else ([], [])
    settings = Settings(
        section.questions,
        section.verify_rounds,
        section.completion_fraction,
        section.generic_ratio,
        work.recipe.seed,
        section.answers_per_question,
        make_meaning(section.semantic, lambda: work.vanilla),
        tuple(given),
    )
    writer = make_writer(section, "augment", work.recipe, lambda: work.vanilla)
    with stage_progress(f"augment ({writer.name})", len(forget), work.quiet) as advance:
        done = 0

        def progress(now: int, _: int) -> None:
            nonlocal done
            advance(now - done)
            done = now

        counts = write_variants(forget, [*general, *work.data["generic"]], writer, settings, work.folder, progress)
    if not work.quiet:
        show(work.folder / SIGHT)
    return counts
