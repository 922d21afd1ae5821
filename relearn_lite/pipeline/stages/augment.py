"""Stage augment: writes the new answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from relearn_lite.augment import STATISTICS, Settings
from relearn_lite.augment import augment as write_variants
from relearn_lite.augment.existing import read_existing
from relearn_lite.augment.generic import answered
from relearn_lite.augment.semantic import make_semantic_check
from relearn_lite.core.records import QA
from relearn_lite.data.sources import question_texts
from relearn_lite.pipeline.own_answers import own_answers
from relearn_lite.pipeline.run_state import Run
from relearn_lite.report.augmentation import show
from relearn_lite.report.console import stage_progress
from relearn_lite.text.turns import bare, is_passage
from relearn_lite.writers import make_writer


def augment(run: Run) -> dict[str, Any]:
    """Writes augmented.jsonl and dropped.jsonl."""
    section, forget = run.recipe.augment, run.data["forget"]
    existing, general = read_existing(section.from_, forget) if section.from_ else ([], [])
    semantic = make_semantic_check(section.semantic, lambda: run.vanilla)
    settings = Settings.of(section, run.recipe.seed, semantic, tuple(existing), measured(run.data))
    writer = make_writer(section, "augment", run.recipe, lambda: run.vanilla)
    what = "augment, the model's own answers to general requests"
    file = run.folder / "general_answers.jsonl"
    general += answered(run.data["generic"], lambda questions: own_answers(run, questions, file, what))
    with stage_progress(f"augment ({writer.name})", len(forget), run.quiet) as advance:
        counts = write_variants(forget, general, writer, settings, run.folder, advance)
    if not run.quiet:
        show(run.folder / STATISTICS)
    return counts


def measured(data: Mapping[str, Sequence[QA]]) -> tuple[str, ...]:
    """The wordings of forget questions that are reported and not asked in training themselves: paraphrases are not."""
    own = {bare(qa.question) for qa in data.get("forget", ())}
    asked = (qa for qa in data.get("forget_eval", ()) if not is_passage(qa.question))
    return tuple(sorted({text for qa in asked for text in question_texts(qa)} - own))
