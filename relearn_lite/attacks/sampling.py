"""Sampling attack: what a model does not say at once it may say when it is asked often (leak@k)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from relearn_lite.attacks.asking import Advance, Attempt, Target
from relearn_lite.core.files import append_jsonl, cut_torn_line, read_jsonl, write_jsonl
from relearn_lite.core.records import QA
from relearn_lite.judges.evaluated_model import Context, EvaluatedModel

NEXT_DRAW = 1_000_003  # between the seeds of two draws, as EvaluatedModel.samples has it


def sample(
    target: Target, questions: Mapping[str, Sequence[QA]], draws: int, file: Path, advance: Advance = lambda _: None
) -> None:
    """Writes `draws` answers to each forget question and one to each retain question, sampled as published.

    questions: by side. The answers are those of `EvaluatedModel.samples`, draw by draw, so that finished ones are kept.
    """
    turns = {"forget": draws, "retain": 1}
    if file.exists():
        advance(sum(turns[side] * len(asked) for side, asked in questions.items()))
        return
    model = EvaluatedModel(target.loaded, target.adapters, Context(generate=target.generate))
    partial = file.with_suffix(".partial.jsonl")
    cut_torn_line(partial)
    attempts = list(read_jsonl(partial, Attempt)) if partial.exists() else []
    done = {(attempt.side, attempt.way, attempt.id) for attempt in attempts}
    for side, asked in questions.items():
        for turn in range(turns[side]):
            way = f"draw {turn + 1}"
            if any((side, way, qa.id) not in done for qa in asked):
                seed = target.seed + NEXT_DRAW * turn
                texts = model.samples([qa.question for qa in asked], 1, seed)
                new = [
                    Attempt(qa.id, way, side, qa.question, qa.question, qa.answer, text)
                    for qa, (text,) in zip(asked, texts, strict=True) if (side, way, qa.id) not in done
                ]
                append_jsonl(partial, new)
                attempts += new
            advance(len(asked))
    write_jsonl(file, attempts)
    partial.unlink(missing_ok=True)
