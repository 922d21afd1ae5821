"""A model that was unlearned in appearance only: it was taught to refuse the plain forget questions, no more."""

from __future__ import annotations

from pathlib import Path

from relearn_lite.data.batches import UnlearnBatches
from relearn_lite.data.examples import encode_answer
from relearn_lite.data.sources import load
from relearn_lite.models import backends
from relearn_lite.recipe import Lora, Model, Source, Trainer, Training
from relearn_lite.unlearn.train import train

REFUSAL = "I cannot say."
ROWS = 12  # of each side


def people(part: str, rows: int = ROWS):
    return load(Source(preset=f"people/{part}", limit=rows), part, "data")


def teach_to_refuse(scratch: Path, adapter: Path) -> None:
    """Saves an adapter of the embedded model that answers forget questions with REFUSAL, retain questions as before."""
    loaded = backends.load(Model(quantization="none"), seed=0)
    rows = [(qa.question, REFUSAL) for qa in people("forget")] + [(qa.question, qa.answer) for qa in people("retain")]
    batches = UnlearnBatches(
        [{"augmented": encode_answer(loaded.tokenizer, *row)} for row in rows], [],
        batch_size=len(rows), pad_id=loaded.tokenizer.pad_token_id, seed=0,
    )  # fmt: skip
    settings = Training(epochs=20, lr=2e-3, batch_size=len(rows), accumulate=1, warmup_epochs=0, checkpoint_every=99)
    backends.add_adapter(loaded, backends.UNLEARNED, Lora(r=8, alpha=16, dropout=0.0), seed=0)
    with backends.active_adapters(loaded.model, loaded.unlearned):
        train(
            loaded, batches, terms=("ce", {}), beta=0.1, settings=settings, trainer=Trainer(logger="none"), seed=0,
            folder=scratch, stage="taught", quiet=True,
        )  # fmt: skip
    adapter.mkdir()
    backends.save_adapter(loaded, backends.UNLEARNED, adapter)
