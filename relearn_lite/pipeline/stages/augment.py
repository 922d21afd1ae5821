"""Stage augment: writes the new answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from relearn_lite.augment import STATISTICS, Settings
from relearn_lite.augment import augment as write_variants
from relearn_lite.augment.existing import read_existing
from relearn_lite.augment.generic import answered
from relearn_lite.augment.semantic import make_semantic_check
from relearn_lite.core.files import read_jsonl, write_in_batches
from relearn_lite.core.records import QA, Reply
from relearn_lite.data.examples import question_ids
from relearn_lite.data.sources import question_texts
from relearn_lite.models.generation import GREEDY, Decoding, batches_of, check_fits, complete
from relearn_lite.models.loaded import active_adapters
from relearn_lite.models.shared_prefix import Prefixes
from relearn_lite.pipeline.run_state import Run
from relearn_lite.recipe import Recipe
from relearn_lite.report.augmentation import show
from relearn_lite.report.console import stage_progress
from relearn_lite.text.turns import is_passage
from relearn_lite.writers import make_writer

OWN_ANSWER_TOKENS = 48  # of a general answer that the vanilla model gives: a sentence or two


def augment(run: Run) -> dict[str, Any]:
    """Writes augmented.jsonl and dropped.jsonl."""
    section, forget = run.recipe.augment, run.data["forget"]
    existing, general = read_existing(section.from_, forget) if section.from_ else ([], [])
    semantic = make_semantic_check(section.semantic, lambda: run.vanilla)
    settings = Settings.of(section, run.recipe.seed, semantic, tuple(existing), measured(run.data))
    writer = make_writer(section, "augment", run.recipe, lambda: run.vanilla)
    general += answered(run.data["generic"], lambda questions: _own_answers(run, questions))
    with stage_progress(f"augment ({writer.name})", len(forget), run.quiet) as advance:
        counts = write_variants(forget, general, writer, settings, run.folder, advance)
    if not run.quiet:
        show(run.folder / STATISTICS)
    return counts


def measured(data: Mapping[str, Sequence[QA]]) -> tuple[str, ...]:
    """The wordings of forget questions that are reported and not those of the forget set."""
    own = {text for qa in data.get("forget", ()) for text in question_texts(qa)}
    asked = (qa for qa in data.get("forget_eval", ()) if not is_passage(qa.question))
    return tuple(sorted({text for qa in asked for text in question_texts(qa)} - own))


def own_answer_tokens(recipe: Recipe) -> int:
    """New tokens of a general answer at most: it and its question are to fit in a row."""
    return min(OWN_ANSWER_TOKENS, recipe.model.max_length // 2)


def _own_answers(run: Run, questions: Sequence[str]) -> list[tuple[str, bool]]:
    """What the vanilla model answers, greedily, and whether it came to an end. Finished batches survive a kill."""
    loaded = run.vanilla
    decoding = Decoding(own_answer_tokens(run.recipe), run.recipe.generate.batch_size, GREEDY, run.recipe.seed)
    prompts = {question: question_ids(loaded.tokenizer, question) for question in questions}
    check_fits(loaded, list(prompts.values()), decoding)
    prefixes, asked = Prefixes(loaded, [list(prompts.values())]), list(prompts)

    def replies(_: int, batch: Sequence[str]) -> list[Reply]:
        made = complete(loaded, [prompts[question] for question in batch], decoding, prefixes)
        return [Reply(question, 0, each.text, each.finished) for question, each in zip(batch, made, strict=True)]

    batches = ([asked[i] for i in rows] for rows in batches_of(list(prompts.values()), decoding.rows(loaded)))
    file = run.folder / "general_answers.jsonl"
    with (
        stage_progress("augment, the model's own answers to general requests", len(asked), run.quiet) as advance,
        active_adapters(loaded.model, loaded.vanilla_adapters),
    ):
        write_in_batches(file, Reply, asked, batches, replies, lambda x: getattr(x, "question", x), advance)
    given = {reply.question: (reply.text, reply.finished) for reply in read_jsonl(file, Reply)}
    return [given[question] for question in questions]
