"""Stage generate: asks the unlearned model every question; the vanilla model was asked first, in stage ask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from relearn_lite.core.files import read_jsonl, write_in_batches
from relearn_lite.core.records import QA, Answer
from relearn_lite.data.examples import question_ids
from relearn_lite.models.generation import Decoding, batches_of, check_fits, complete
from relearn_lite.models.loaded import active_adapters
from relearn_lite.models.shared_prefix import Prefixes
from relearn_lite.pipeline.run_state import Run
from relearn_lite.pipeline.served_answers import ServedAnswers
from relearn_lite.report.console import stage_progress


def generate(run: Run) -> dict[str, Any]:
    """Answers of the unlearned model to every question: answers/unlearned_<split>.jsonl."""
    total, named = sum(map(len, run.questions.values())), run.recipe.unlearned
    server = ServedAnswers(named, run.recipe.generate, run.recipe.seed) if named and named.server else None
    loaded = None if server else run.model("unlearned")
    with stage_progress("generate", total, run.quiet) as advance:
        for split, asked in run.questions.items():
            if server:
                server.answer(run.folder / "answers", split, asked, advance)
            else:
                answer_questions(run, loaded, "unlearned", split, asked, advance)
    return {"answers": total}


def answer_questions(
    run: Run, loaded, model: str, split: str, asked: Sequence[QA], advance: Callable[..., None]
) -> None:
    """One model's answers to the questions of a split; finished batches survive a kill."""
    prompts = {qa.id: question_ids(loaded.tokenizer, qa.question) for qa in asked}
    decoding = Decoding.of(run.recipe.generate, run.recipe.seed)
    check_fits(loaded, list(prompts.values()), decoding, list(prompts))
    prefixes = Prefixes(loaded, [list(prompts.values())])

    def answers(number: int, batch: Sequence[QA]) -> list[Answer]:
        seeded = Decoding.of(run.recipe.generate, run.recipe.seed + number)
        made = complete(loaded, [prompts[qa.id] for qa in batch], seeded, prefixes)
        made = [answer.held_to(qa.question, qa.answer) for qa, answer in zip(batch, made, strict=True)]
        return [
            Answer(qa.id, model, split, qa.question, qa.answer, answer.text, answer.finished)
            for qa, answer in zip(batch, made, strict=True)
        ]

    batches = ([asked[i] for i in rows] for rows in batches_of(list(prompts.values()), decoding.rows(loaded)))
    target = run.folder / "answers" / f"{model}_{split}.jsonl"
    with active_adapters(loaded.model, loaded.adapters_of(model)):
        write_in_batches(target, Answer, asked, batches, answers, lambda row: row.id, advance)


def read_answers(run: Run, model: str) -> dict[str, list[Answer]]:
    """A model's answers by split, to the questions that are evaluated."""
    found = {}
    for split, asked in run.questions.items():
        ids = {qa.id for qa in asked}
        rows = read_jsonl(run.folder / "answers" / f"{model}_{split}.jsonl", Answer)
        found[split] = [row for row in rows if row.id in ids]
    return found
