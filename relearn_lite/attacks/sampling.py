"""Sampling attack: what a model does not say at once it may say when it is asked often (leak@k)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from pathlib import Path

from relearn_lite.attacks.answering import Advance, AttackAnswer, AttackPrompt, Target, plain_prompts
from relearn_lite.core.files import write_in_batches
from relearn_lite.core.records import QA
from relearn_lite.judges.evaluated_model import Context, EvaluatedModel
from relearn_lite.models.generation import NEXT_DRAW, Completion


def sample_answers(
    target: Target, questions: Mapping[str, Sequence[QA]], draws: int, file: Path, advance: Advance = lambda _: None
) -> None:
    """Writes `draws` answers to each forget question and one to each retain question, sampled as published.

    questions: by side. The answers are those of `EvaluatedModel.samples`, draw by draw, so that finished ones are kept.
    """
    model = EvaluatedModel(target.loaded, target.adapters, Context(generate=target.generate))
    batches = [
        (draw, plain_prompts({side: asked}, f"draw {draw + 1}"))
        for side, asked in questions.items() for draw in range(draws if side == "forget" else 1)
    ]  # fmt: skip

    def answers(number: int, batch: Sequence[AttackPrompt]) -> list[AttackAnswer]:
        texts = model.samples([prompt.query for prompt in batch], 1, target.seed + NEXT_DRAW * batches[number][0])
        return [
            AttackAnswer(
                p.id, p.way, p.side, p.query, p.query, p.ground_truth,
                Completion(text, True).held_to(p.query, p.ground_truth).text,
            )
            for p, (text,) in zip(batch, texts, strict=True)
        ]  # fmt: skip

    prompts = [prompt for _, batch in batches for prompt in batch]
    key = attrgetter("way", "side", "id")
    write_in_batches(file, AttackAnswer, prompts, (batch for _, batch in batches), answers, key, advance)
