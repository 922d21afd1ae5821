"""Stage generate: asks every model every question."""

from __future__ import annotations

from typing import Any

from relearn_lite.core.files import read_jsonl, write_text
from relearn_lite.core.records import Answer
from relearn_lite.pipeline.stages.work import Work


def generate(work: Work) -> dict[str, Any]:
    """Answers of every model to every question: answers/<model>_<split>.jsonl."""
    from relearn_lite.models.generation import generate as answer
    from relearn_lite.report.console import stage_progress

    settings = work.recipe.generate
    total = len(work.models) * sum(map(len, work.questions.values()))
    for split in work.questions if work.vanilla_run else ():  # answered before: generate leaves them alone
        name = f"answers/vanilla_{split}.jsonl"
        write_text(work.folder / name, (work.vanilla_run / name).read_text(encoding="utf-8"))
    with stage_progress("generate", total, work.quiet) as advance:
        for model in work.models:
            answer(
                work.hold(model),
                work.questions,
                settings,
                model=model,
                seed=work.recipe.seed,
                folder=work.folder / "answers",
                advance=advance,
            )
    return {"answers": total}


def read_answers(work: Work, model: str) -> dict[str, list[Answer]]:
    """A model's answers by split."""
    return {
        split: list(read_jsonl(work.folder / "answers" / f"{model}_{split}.jsonl", Answer)) for split in work.questions
    }
