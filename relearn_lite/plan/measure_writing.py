"""How long writing will take: a few questions are written about, and the time of all reckoned. See plan/measure.py."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping, Sequence

from relearn_lite.augment import CHUNK, Settings
from relearn_lite.augment.diversity import Openings
from relearn_lite.augment.drafts import Draft, Outcome, answer_drafts, passage_drafts, question_drafts
from relearn_lite.augment.existing import read_existing
from relearn_lite.augment.semantic import make_semantic_check
from relearn_lite.augment.verify import write_verified
from relearn_lite.core.records import QA
from relearn_lite.models.generation import GREEDY, Decoding
from relearn_lite.pipeline.own_answers import own_answer_tokens
from relearn_lite.pipeline.run_state import Run
from relearn_lite.plan.measure_asking import Work, asking
from relearn_lite.text.turns import is_passage
from relearn_lite.writers import Writer, make_writer
from relearn_lite.writers.rules import RulesWriter


def writing(run: Run, seconds: float) -> Iterator[Work]:
    """New answers to some questions, and general answers where the vanilla model gives these."""
    recipe, forget = run.recipe, run.data["forget"]
    section = recipe.augment
    given = {row.parent_id for row in read_existing(section.from_, forget)[0]} if section.from_ else ()
    if bare := [qa for qa in forget if qa.id not in given]:
        if section.writer == "local" and not section.uses_model(recipe.model.name):
            run.unload_models()  # as stage ask does
        writer = make_writer(section, "augment", recipe, lambda: run.vanilla)
        yield written(run, bare, writer, seconds)
    if open_ := [qa for qa in run.data["generic"] if not qa.answer]:
        decoding = Decoding(own_answer_tokens(recipe), recipe.generate.batch_size, GREEDY)
        what = "general answers of the vanilla model"
        yield asking(run, "vanilla", {"generic": open_}, decoding, seconds / 4).work("augment", what)


def written(run: Run, questions: Sequence[QA], writer: Writer, seconds: float) -> Work:
    """Questions written about: a few in part, so that a slow writer is tried with several too; where there is time for
    it, whole chunks."""
    order = random.Random(0).sample(questions, len(questions))
    loading = time.monotonic()
    _chunk(run, order[:1], RulesWriter(), whole=False)  # word lists are read
    begin = time.monotonic()
    once = begin - loading
    rows, expected = min(CHUNK, len(order)), _chunk(run, order[:CHUNK], writer, whole=False)
    tried, found = 0, 0.0
    while tried < len(order) and time.monotonic() - begin + expected < seconds:
        found += _chunk(run, order[tried : tried + CHUNK], writer, whole=True)
        tried = min(tried + CHUNK, len(order))
    each = found / tried if tried else expected / rows
    what = f"questions written about by {writer.name}"
    return Work("augment", what, len(questions), tried or rows, once + each * len(questions))


def _chunk(run: Run, questions: Sequence[QA], writer: Writer, whole: bool) -> float:
    """The seconds that these questions take with all their variants, of which one each is written where not `whole`."""
    section = run.recipe.augment
    settings = Settings.of(section, run.recipe.seed, make_semantic_check(section.semantic, lambda: run.vanilla))
    kinds, variants = settings.questions, settings.variants if whole else 1
    own = {qa.id: kinds if whole else [kinds[n % len(kinds)]] for n, qa in enumerate(questions) if kinds}
    worded = [qa for qa in questions if not is_passage(qa.question)]
    begin = time.monotonic()
    drafts = [draft for qa in worded for draft in question_drafts([qa], own.get(qa.id, ()), variants)]
    outcomes = write_verified(drafts, writer, settings)
    for_variants = time.monotonic() - begin
    answers: list[Draft] = []
    for qa in questions:
        if is_passage(qa.question):
            count = len(kinds) * settings.variants if whole else 1
            answers += passage_drafts(qa, count, settings.answers_per_question, settings.seed)
        else:
            answers += answer_drafts(qa, own.get(qa.id, ()), outcomes, settings.answers_per_question, variants)[0]
    begin, openings = time.monotonic(), Openings() if writer.judges else None
    write_verified(answers, writer, settings, openings)
    for_answers = time.monotonic() - begin
    all_variants, all_answers = _all_texts(len(questions), len(worded), outcomes, settings)
    return for_variants * all_variants / max(len(drafts), 1) + for_answers * all_answers / max(len(answers), 1)


def _all_texts(questions: int, worded: int, outcomes: Mapping[str, Outcome], settings: Settings) -> tuple[int, float]:
    """How many variants and how many answers so many questions have in all, `worded` of them no passages.

    A passage has a cut for each variant. outcomes: of some variants; of all as large a share is answered.
    """
    passed = sum(outcome.reason is None for outcome in outcomes.values()) / max(len(outcomes), 1)
    each = len(settings.questions) * settings.variants
    answered = questions + each * (worded * passed + questions - worded)
    return worded * each, settings.answers_per_question * answered
