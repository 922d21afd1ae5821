"""Relearning attack: a few steps of fine-tuning on a few examples, on a copy of the unlearned model.

The copy is a new adapter on top of the unlearned model's; it is removed afterwards, no other weight is touched. What
comes back on questions that were not among the examples was never gone, only covered.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from relearn_lite.attacks.answering import Advance, AttackAnswer, Target, collect_answers, plain_prompts
from relearn_lite.core.files import read_jsonl, write_jsonl
from relearn_lite.core.records import QA
from relearn_lite.data.batches import TrainingRows
from relearn_lite.data.examples import check_lengths, encode_answers
from relearn_lite.models import backends
from relearn_lite.models.generation import context_length
from relearn_lite.models.loaded import Loaded, active_adapters
from relearn_lite.recipe import Relearning, Trainer, Training
from relearn_lite.text.turns import bare
from relearn_lite.unlearn.selection import spread
from relearn_lite.unlearn.train import TrainingRun, train

ADAPTER = "relearned"


@dataclass(frozen=True)
class RelearningPlan:
    """What is taught, and what is asked: examples by source, questions by side without what the examples tell."""

    settings: Relearning
    examples: dict[str, list[QA]]
    questions: dict[str, list[QA]]

    @classmethod
    def of(
        cls, settings: Relearning, sources: Mapping[str, Sequence[QA]], questions: Mapping[str, Sequence[QA]]
    ) -> RelearningPlan:
        """Examples spread evenly over each source, of those rows that are not to be asked where these are enough.

        Every curve asks the same questions: those that share neither question nor answer with any example.
        """
        examples = {}
        for name in dict.fromkeys(settings.sources):
            free = _sharing_nothing(sources[name], questions)
            examples[name] = spread(settings.examples, free if len(free) >= settings.examples else sources[name])
        return cls(settings, examples, {side: _sharing_nothing(rows, examples) for side, rows in questions.items()})

    def why_not(self, source: str) -> str | None:
        """Why there can be no curve for a source; None where there can."""
        if not self.examples[source]:
            part = "generic" if source == "unrelated" else source
            return f"data.{part} holds no examples"
        if not self.questions["forget"]:
            fewer = self.settings.examples > 1
            way_out = "lower attacks.relearn.examples" if fewer else "ask more questions (data.forget_eval)"
            return f"every forget question that is asked stands among the examples, or its answer does; {way_out}"
        return None


def _sharing_nothing(rows: Sequence[QA], others: Mapping[str, Sequence[QA]]) -> list[QA]:
    """Those rows whose question and answer stand in none of the others; case and the mark at the end do not count."""
    texts = {bare(text) for each in others.values() for qa in each for text in (qa.question, qa.answer)}
    return [qa for qa in rows if bare(qa.question) not in texts and bare(qa.answer) not in texts]


def measured_steps(settings: Relearning) -> list[int]:
    """The steps at which the curve is measured: every so many, and the last."""
    return sorted({*range(settings.measure_every, settings.steps + 1, settings.measure_every), settings.steps})


def relearn(
    target: Target, plan: RelearningPlan, source: str, trainer: Trainer, file: Path, advance: Advance
) -> None:
    """Trains the copy on a source's examples and writes its answers at each point of the curve to `file`.

    A curve that was stopped is begun anew. Leaves the target as it was: without the new adapter, in evaluation mode.
    """
    settings, steps = plan.settings, measured_steps(plan.settings)
    if file.exists():
        advance(len(steps))
        return
    scratch = file.with_suffix("")
    shutil.rmtree(scratch, ignore_errors=True)
    loaded, copy = target.loaded, replace(target, adapters=(*target.adapters, ADAPTER))
    _remove_adapter(loaded)
    backends.add_adapter(loaded, ADAPTER, settings.lora, target.seed)

    def measure(step: int) -> None:
        collect_answers(copy, plain_prompts(plan.questions, f"step {step}"), scratch / f"{step}.jsonl")
        advance(1)

    try:
        with active_adapters(loaded.model, copy.adapters):
            _train(target, plan.examples[source], settings, trainer, scratch, measure)
    finally:
        _remove_adapter(loaded)
        loaded.model.eval()
    answers = [answer for step in steps for answer in read_jsonl(scratch / f"{step}.jsonl", AttackAnswer)]
    write_jsonl(file, answers)
    shutil.rmtree(scratch)


def _train(
    target: Target, examples: Sequence[QA], settings: Relearning, trainer: Trainer, scratch: Path,
    measure: Callable[[int], None],
) -> None:  # fmt: skip
    """Each step is on all examples. Losses are not logged: nobody but this attack is concerned."""
    from lightning.pytorch.callbacks import LambdaCallback

    loaded, left = target.loaded, set(measured_steps(settings))
    rows = encode_answers(loaded.tokenizer, examples)
    if limit := context_length(loaded):
        check_lengths(rows, limit, "the examples of attacks.relearn", limit)
    training = Training(
        epochs=settings.steps, lr=settings.lr, batch_size=len(rows), accumulate=1, weight_decay=0.0, warmup_epochs=0.0,
        checkpoint_every=settings.steps,
    )  # fmt: skip
    silent = trainer.model_copy(update={"logger": "none"})
    run = TrainingRun("attacks.relearn", scratch, target.seed, silent, quiet=True)

    def after_step(trainer, *_) -> None:
        if trainer.global_step in left:
            left.discard(trainer.global_step)
            measure(trainer.global_step)

    callback = LambdaCallback(on_train_batch_end=after_step)
    train(loaded, TrainingRows([{"augmented": row} for row in rows.values()]), training, run, [callback])


def _remove_adapter(loaded: Loaded) -> None:
    """Removes the copy's adapter, if it is there."""
    if ADAPTER in getattr(loaded.model, "peft_config", {}):
        loaded.model.delete_adapter(ADAPTER)
        loaded.model.requires_grad_(False)
