"""Relearning attack: a few steps of fine-tuning on a few examples, on a copy of the unlearned model.

The copy is a new adapter on top of the unlearned model's; it is removed afterwards, no other weight is touched. What
comes back on questions that were not among the examples was never gone, only covered.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from relearn_lite.attacks.asking import Advance, Attempt, Target, ask, plainly
from relearn_lite.core.files import read_jsonl, write_jsonl
from relearn_lite.core.records import QA
from relearn_lite.data.examples import check_lengths, encode_answer
from relearn_lite.models import backends
from relearn_lite.models.loaded import Loaded, active_adapters
from relearn_lite.unlearn.selection import spread

if TYPE_CHECKING:
    from relearn_lite.recipe import Relearning, Trainer

ADAPTER = "relearned"


@dataclass(frozen=True)
class Plan:
    """What is taught, and what is asked: examples by source, questions by side without what the examples tell."""

    examples: dict[str, list[QA]]
    questions: dict[str, list[QA]]

    @classmethod
    def of(
        cls, settings: Relearning, sources: Mapping[str, Sequence[QA]], questions: Mapping[str, Sequence[QA]]
    ) -> Plan:
        """Examples spread evenly over each source, of those rows that are not to be asked where these are enough.

        Every curve asks the same questions: those that share neither question nor answer with any example.
        """
        asked = {text for rows in questions.values() for qa in rows for text in (qa.question, qa.answer)}
        examples = {}
        for name in dict.fromkeys(settings.sources):
            free = [qa for qa in sources[name] if qa.question not in asked and qa.answer not in asked]
            pool = free if len(free) >= settings.examples else sources[name]
            examples[name] = spread(settings.examples, pool)
        told = {text for rows in examples.values() for qa in rows for text in (qa.question, qa.answer)}
        left = {
            side: [qa for qa in rows if qa.question not in told and qa.answer not in told]
            for side, rows in questions.items()
        }
        return cls(examples, left)

    def why_not(self, source: str) -> str | None:
        """Why there can be no curve for a source; None where there can."""
        if not self.examples[source]:
            part = "generic" if source == "unrelated" else source
            return f"data.{part} holds no examples"
        if not self.questions["forget"]:
            return "every forget question that is asked stands among the examples; lower attacks.relearn.examples"
        return None


def points(settings: Relearning) -> list[int]:
    """The steps at which the curve is measured: every so many, and the last."""
    return sorted({*range(settings.measure_every, settings.steps + 1, settings.measure_every), settings.steps})


def relearn(
    target: Target, plan: Plan, source: str, settings: Relearning, trainer: Trainer, file: Path, advance: Advance
) -> None:
    """Trains the copy on a source's examples and writes its answers at each point of the curve to `file`.

    A curve that was stopped is begun anew. Leaves the target as it was: without the new adapter, in evaluation mode.
    """
    if file.exists():
        advance(len(points(settings)))
        return
    scratch = file.with_suffix("")
    shutil.rmtree(scratch, ignore_errors=True)
    loaded, adapters = target.loaded, (*target.adapters, ADAPTER)
    _drop(loaded)
    backends.add_adapter(loaded, ADAPTER, settings.lora, target.seed)
    copy = replace(target, adapters=adapters)

    def look(step: int) -> None:
        ask(copy, plainly(plan.questions, f"step {step}"), scratch / f"{step}.jsonl")
        advance(1)

    try:
        with active_adapters(loaded.model, adapters):
            _train(target, plan.examples[source], settings, trainer, scratch, look)
    finally:
        _drop(loaded)
        loaded.model.eval()
    answers = [attempt for step in points(settings) for attempt in read_jsonl(scratch / f"{step}.jsonl", Attempt)]
    write_jsonl(file, answers)
    shutil.rmtree(scratch)


def _train(target: Target, examples: Sequence[QA], settings: Relearning, trainer: Trainer, scratch: Path, look) -> None:
    from relearn_lite.attacks.at_steps import AtSteps
    from relearn_lite.recipe import Training
    from relearn_lite.unlearn.train import TrainingRun, train

    loaded = target.loaded
    rows = {qa.id: encode_answer(loaded.tokenizer, qa.question, qa.answer) for qa in examples}
    limit = getattr(loaded.model.config.get_text_config(), "max_position_embeddings", None)
    if limit:
        check_lengths(rows, limit, "the examples of attacks.relearn")
    training = Training(
        epochs=settings.steps, lr=settings.lr, batch_size=len(rows), accumulate=1, weight_decay=0.0, warmup_epochs=0.0,
        checkpoint_every=settings.steps,
    )  # fmt: skip
    # Its losses are nobody's concern but this attack's.
    run = TrainingRun(
        "attacks.relearn", scratch, target.seed, trainer.model_copy(update={"logger": "none"}), quiet=True
    )
    train(loaded, [{"augmented": row} for row in rows.values()], [], training, run, [AtSteps(points(settings), look)])


def _drop(loaded: Loaded) -> None:
    """Removes the copy's adapter, if it is there."""
    if ADAPTER in getattr(loaded.model, "peft_config", {}):
        loaded.model.delete_adapter(ADAPTER)
        loaded.model.requires_grad_(False)
