"""How long asking and judging will take: some batches are done, and the time of all reckoned. See plan/measure.py."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from relearn_lite.core.records import QA, Answer
from relearn_lite.data.examples import question_ids
from relearn_lite.models.generation import Decoding, batches_of, check_fits, complete
from relearn_lite.models.loaded import Loaded, active_adapters
from relearn_lite.models.shared_prefix import Prefixes
from relearn_lite.pipeline.run_state import Run

JUDGED = 8  # answers of each split that are judged at first, then twice as many: what a call takes for itself fades
Judged = Mapping[str, Sequence[Answer]]  # by split


@dataclass(frozen=True)
class Work:
    """What a stage does: how much of it there is, how much of that was tried, and the seconds that all will take."""

    stage: str
    what: str
    rows: int
    tried: int
    seconds: float


@dataclass(frozen=True)
class Tried:
    """Some of so many rows, done in `spent` seconds; `once`: seconds that are spent once, however many rows."""

    rows: int
    tried: int
    spent: float
    once: float = 0.0
    answers: Judged | None = None

    def work(self, stage: str, what: str) -> Work:
        return Work(stage, what, self.rows, self.tried, self.once + self.spent * self.rows / max(self.tried, 1))


@dataclass(frozen=True)
class Batch:
    """Questions of a split that are asked together. prefixes: what the prompts of the split begin with."""

    split: str
    asked: Sequence[QA]
    prompts: Sequence[Sequence[int]]
    prefixes: Prefixes


def asking(run: Run, model: str, splits: Mapping[str, Sequence[QA]], decoding: Decoding, seconds: float) -> Tried:
    """Some batches and their answers by split: one of the first split, then the fullest, as long as time is left."""
    loaded = run.model(model)
    batches = _batches(loaded, splits, decoding)
    answers: dict[str, list[Answer]] = {}
    spent, tried = 0.0, 0
    with active_adapters(loaded.model, loaded.adapters_of(model)):
        for number, batch in enumerate(batches):
            if number == 0:  # whether the model may share beginnings is tried once, libraries are read once
                complete(loaded, batch.prompts, replace(decoding, max_new_tokens=1), batch.prefixes)
            begin = time.monotonic()
            made = complete(loaded, batch.prompts, decoding, batch.prefixes)
            spent, tried = spent + time.monotonic() - begin, tried + len(batch.asked)
            answers.setdefault(batch.split, []).extend(
                Answer(qa.id, model, batch.split, qa.question, qa.answer, answer.text, answer.finished)
                for qa, answer in zip(batch.asked, made, strict=True)
            )
            if spent > seconds and number:
                break
    return Tried(sum(map(len, splits.values())), tried, spent, answers=answers)


def _batches(loaded: Loaded, splits: Mapping[str, Sequence[QA]], decoding: Decoding) -> list[Batch]:
    """Those of a run, in the order in which they are tried."""
    batches: list[Batch] = []
    for split, asked in splits.items():
        prompts = [question_ids(loaded.tokenizer, qa.question) for qa in asked]
        check_fits(loaded, prompts, decoding)
        prefixes = Prefixes(loaded, [prompts])
        made = [Batch(split, [asked[i] for i in rows], [prompts[i] for i in rows], prefixes)
                for rows in batches_of(prompts, decoding.rows(loaded))]  # fmt: skip
        batches += random.Random(len(batches)).sample(made, len(made))
    return batches[:1] + sorted(batches[1:], key=lambda batch: -len(batch.asked))


def judging(answers: Judged, judge: Callable[[Judged], Any], rows: int, seconds: float) -> Tried:
    """Some of `rows` answers judged, as long as time is left. What judges do once, such as loading, counts once."""

    def judged(some: Judged) -> float:
        begin = time.monotonic()
        judge(some)
        return time.monotonic() - begin

    once = judged({split: given[:1] for split, given in answers.items()})
    spent, tried, last = 0.0, 0, 0.0
    for some in _growing(answers):
        if tried and once + spent + 2 * last > seconds:
            break
        last = judged(some)
        spent, tried = spent + last, tried + sum(map(len, some.values()))
    return Tried(rows, tried, spent, once)


def _growing(answers: Judged) -> Iterator[Judged]:
    """The answers in portions: JUDGED of each split, then twice as many each time; empty splits are left out."""
    start, size = 0, JUDGED
    while some := {split: given[start : start + size] for split, given in answers.items() if given[start:]}:
        yield some
        start, size = start + size, 2 * size
