"""Stage finetune: teaches the model what it is to forget and to keep."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from relearn_lite.core import distributed
from relearn_lite.core.files import replace_folder
from relearn_lite.core.records import QA
from relearn_lite.data.batches import TrainingRows
from relearn_lite.data.examples import Example, check_lengths, encode_answer
from relearn_lite.models import backends
from relearn_lite.models.generation import context_length
from relearn_lite.models.loaded import VANILLA
from relearn_lite.pipeline.run_state import Run
from relearn_lite.text.turns import is_passage
from relearn_lite.unlearn.train import TrainingRun, train


def finetune(run: Run) -> dict[str, Any]:
    """Teaches the model the data; vanilla/ holds an adapter, or all weights where finetune.lora is null."""
    recipe, settings = run.recipe, run.recipe.finetune
    # Training all weights needs them in float32, and is nothing that Unsloth would speed up.
    base = recipe.model if settings.lora else recipe.model.for_backend("transformers")
    loaded = run.load(base, full_precision=settings.lora is None)
    records = run.given.get("finetune") or [*run.given["forget"], *run.given["retain"]]
    encoded = {qa.id: _taught(loaded.tokenizer, qa) for qa in records}
    check_lengths(encoded, recipe.model.max_length, "the data that finetune teaches", context_length(loaded))
    rows = [{"augmented": encoded[qa.id]} for qa in records]  # a record may come more than once
    if settings.lora:
        backends.add_adapter(loaded, VANILLA, settings.lora, recipe.seed)
    else:
        loaded.model.requires_grad_(True)
    rate = settings.rate(loaded.hidden_size)
    training = TrainingRun("finetune", run.folder, recipe.seed, recipe.trainer, run.quiet, shared=True)
    steps = train(loaded, TrainingRows(rows), settings.model_copy(update={"lr": rate}), training)

    def save(folder: Path) -> None:
        if settings.lora:
            backends.save_adapter(loaded, VANILLA, folder)
        else:
            loaded.model.save_pretrained(folder)
            loaded.tokenizer.save_pretrained(folder)

    if distributed.is_first():
        replace_folder(run.folder / "vanilla", save)
    return {"rows": len(rows), "steps": steps, "lr": rate}


def _taught(tokenizer, qa: QA) -> Example:
    """A question with its answer, which is learned; a passage is learned from its first word on."""
    row = encode_answer(tokenizer, qa.question, qa.answer, qa.ends)
    return replace(row, n_prompt=1) if is_passage(qa.question) else row
