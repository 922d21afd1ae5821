"""When checkpoints are written, and how: a kill leaves one whole or not at all, and only the newest stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.plugins.io import TorchCheckpointIO


class WholeCheckpoints(TorchCheckpointIO):
    """Writes each checkpoint beside its place, then renames it.

    Lightning's own way goes through the system's temporary folder, which may be too small, or on another disk: from
    there it is copied, and what a kill leaves of it would be the newest checkpoint.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        import torch

        place = Path(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        temporary = place.with_name(f".{place.name}.tmp")
        try:
            with temporary.open("wb") as file:  # by name torch writes itself, and does not say that a disk is full
                torch.save(checkpoint, file)
            temporary.replace(place)
            for older in {*place.parent.glob("step=*.ckpt")} - {place}:  # Lightning keeps what it went on from
                older.unlink()
        finally:
            temporary.unlink(missing_ok=True)


class Checkpoints(ModelCheckpoint):
    """The newest checkpoint: one every so many optimizer steps, and one where training pauses (`TrainingRun.until`)."""

    def on_train_batch_end(self, trainer: Any, *args: Any) -> None:
        super().on_train_batch_end(trainer, *args)
        if self._last_global_step_saved != trainer.global_step == trainer.max_steps:
            self._save_topk_checkpoint(trainer, self._monitor_candidates(trainer))
