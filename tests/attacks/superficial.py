"""A model that was unlearned in appearance only: it was taught to refuse the plain forget questions, no more."""

from __future__ import annotations

from pathlib import Path

from relearn_lite.data.batches import TrainingRows
from relearn_lite.data.examples import encode_answer
from relearn_lite.data.sources import load
from relearn_lite.models import backends
from relearn_lite.models.loaded import UNLEARNED, active_adapters
from relearn_lite.recipe import Lora, Model, Source, Trainer, Training
from relearn_lite.unlearn.train import TrainingRun, train

REFUSAL = "I cannot say."
ROWS = 12  # of each side


def people(part: str, rows: int = ROWS):
    return load(Source(preset=f"people/{part}", limit=rows), part, "data")


def teach_to_refuse(scratch: Path, adapter: Path) -> None:
    """Saves an adapter of the embedded model that answers forget questions with REFUSAL, retain questions as before."""
    loaded = backends.load(Model(quantization="none"), seed=0)
    rows = [(qa.question, REFUSAL) for qa in people("forget")] + [(qa.question, qa.answer) for qa in people("retain")]
    settings = Training(epochs=20, lr=2e-3, batch_size=len(rows), accumulate=1, warmup_epochs=0, checkpoint_every=99)
    backends.add_adapter(loaded, UNLEARNED, Lora(r=8, alpha=16, dropout=0.0), seed=0)
    with active_adapters(loaded.model, loaded.unlearned_adapters):
        encoded = [{"augmented": encode_answer(loaded.tokenizer, *row)} for row in rows]
        run = TrainingRun("taught", scratch, 0, Trainer(logger="none"), quiet=True)
        train(loaded, TrainingRows(encoded), settings, run)
    adapter.mkdir()
    backends.save_adapter(loaded, UNLEARNED, adapter)
