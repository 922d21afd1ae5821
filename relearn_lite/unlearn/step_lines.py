"""How far training is, where no terminal shows a bar."""

from __future__ import annotations

import sys
from typing import Any

import lightning

from relearn_lite.core.progress import ProgressLines


class StepLines(lightning.Callback):
    """A line every half minute on standard error: optimizer steps done and of how many at most."""

    def __init__(self, stage: str):
        self._stage = stage

    def on_train_start(self, trainer: Any, module: Any) -> None:
        total = trainer.max_steps if trainer.max_steps > 0 else module.schedule.total_steps
        self._lines = ProgressLines(total, self._say, "steps", before=trainer.global_step)

    def on_train_batch_end(self, trainer: Any, module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        if trainer.is_global_zero:  # of several processes one speaks
            self._lines.tell(trainer.global_step)

    def _say(self, line: str) -> None:
        print(f"{self._stage}: {line}", file=sys.stderr)
