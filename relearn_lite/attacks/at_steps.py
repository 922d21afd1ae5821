"""Calls back at some steps of a training. Imports Lightning, as `unlearn.module` does: import it inside functions."""

from __future__ import annotations

from collections.abc import Callable, Collection

import lightning


class AtSteps(lightning.Callback):
    """Calls `look(step)` after each of these optimizer steps. It must leave the model's weights alone."""

    def __init__(self, steps: Collection[int], look: Callable[[int], None]):
        self._left, self._look = set(steps), look

    def on_train_batch_end(
        self, trainer: lightning.Trainer, module: lightning.LightningModule, outputs: object, batch: object, at: int
    ) -> None:
        if trainer.global_step in self._left:
            self._left.discard(trainer.global_step)
            self._look(trainer.global_step)
