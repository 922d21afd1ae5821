"""What the vanilla model itself says, greedily: to general requests, and to questions whose answers are a few words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from relearn_lite.core.files import read_jsonl, write_in_batches
from relearn_lite.core.records import Reply
from relearn_lite.data.examples import question_ids
from relearn_lite.models.generation import GREEDY, Decoding, batches_of, check_fits, complete
from relearn_lite.models.loaded import active_adapters
from relearn_lite.models.shared_prefix import Prefixes
from relearn_lite.pipeline.run_state import Run
from relearn_lite.recipe import Recipe
from relearn_lite.report.console import stage_progress

MOST_TOKENS = 48  # of an answer: a sentence or two


def own_answer_tokens(recipe: Recipe) -> int:
    """New tokens of an answer at most: it and its question are to fit in a row."""
    return min(MOST_TOKENS, recipe.model.max_length // 2)


def own_answers(run: Run, questions: Sequence[str], file: Path, what: str) -> list[tuple[str, bool]]:
    """Each answer, and whether it came to an end. Finished batches survive a kill, in `file`. what: for the console."""
    loaded = run.vanilla
    decoding = Decoding(own_answer_tokens(run.recipe), run.recipe.generate.batch_size, GREEDY, run.recipe.seed)
    prompts = {question: question_ids(loaded.tokenizer, question) for question in questions}
    check_fits(loaded, list(prompts.values()), decoding)
    prefixes, asked = Prefixes(loaded, [list(prompts.values())]), list(prompts)

    def replies(_: int, batch: Sequence[str]) -> list[Reply]:
        made = complete(loaded, [prompts[question] for question in batch], decoding, prefixes)
        return [Reply(question, 0, each.text, each.finished) for question, each in zip(batch, made, strict=True)]

    batches = ([asked[i] for i in rows] for rows in batches_of(list(prompts.values()), decoding.rows(loaded)))
    with (
        stage_progress(what, len(asked), run.quiet) as advance,
        active_adapters(loaded.model, loaded.vanilla_adapters),
    ):
        write_in_batches(file, Reply, asked, batches, replies, lambda x: getattr(x, "question", x), advance)
    given = {reply.question: (reply.text, reply.finished) for reply in read_jsonl(file, Reply)}
    return [given[question] for question in questions]
