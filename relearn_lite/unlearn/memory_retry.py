"""A training step that did not fit in memory is computed again in pieces of fewer rows, with the same gradient."""

from __future__ import annotations

from typing import Any

import torch
from lightning.pytorch.strategies import SingleDeviceStrategy

from relearn_lite.core.memory import free_memory, out_of_memory, tell_once
from relearn_lite.data.batches import Batch, split_batch


class RetryOutOfMemory(SingleDeviceStrategy):
    """Lightning's way to run a step on one device, with another try where memory runs out.

    It has the module compute the forward pass of a micro-batch (`training_step`) and then its gradients (`backward`).
    Where one of them does not fit, gradients of all micro-batches since the last optimizer step are thrown away and
    computed again, each micro-batch in twice as many pieces. From then on pieces are the rule: forward and backward
    pass of all pieces happen in `backward`, and `training_step` hands Lightning a 0 in the meantime.
    """

    def __init__(self, device: Any):
        super().__init__(device=device)
        self.splits = 1
        self._window: list[Batch] = []  # the micro-batches since the last optimizer step
        self._failed = False

    def training_step(self, batch: Batch, batch_idx: int) -> torch.Tensor:
        if batch_idx % self.lightning_module.trainer.accumulate_grad_batches == 0:
            self._window = []
        self._window.append(batch)
        self._failed = False
        if self.splits == 1:
            try:
                return super().training_step(batch, batch_idx)
            except RuntimeError as error:
                self._failed = self._may_retry(error)
        return torch.zeros((), device=self.root_device, requires_grad=True)

    def backward(self, closure_loss: torch.Tensor, optimizer: Any, *args: Any, **kwargs: Any) -> torch.Tensor:
        todo = self._window[-1:]
        if self.splits == 1 and not self._failed:
            try:
                return super().backward(closure_loss, optimizer, *args, **kwargs)
            except RuntimeError as error:
                self._failed = self._may_retry(error)
        closure_loss.detach_()  # what is left of the failed attempt's graph would take memory beside the pieces
        while True:
            if self._failed:
                self._split_further()
                todo = self._window
            try:
                for batch in todo:
                    self._add_gradients(batch, optimizer)
                return closure_loss
            except RuntimeError as error:
                self._failed = self._may_retry(error)

    def _add_gradients(self, batch: Batch, optimizer: Any) -> None:
        for piece in split_batch(batch, self.splits):
            loss = super().training_step(piece, 0)
            super().backward(loss / self.lightning_module.trainer.accumulate_grad_batches, optimizer)

    def _may_retry(self, error: RuntimeError) -> bool:
        """Whether memory ran out and there are still rows to divide; else the error goes on."""
        most = max(len(part["labels"]) for part in self._window[-1]["parts"].values())
        if not out_of_memory(error) or self.splits >= most:
            raise error
        return True

    def _split_further(self) -> None:
        self.splits, self._failed = 2 * self.splits, False
        self.lightning_module.begin_step()
        for trained in self.lightning_module.parameters():
            trained.grad = None
        free_memory()
        tell_once(
            "Out of memory: batches are computed in pieces of half as many rows from here on (a quarter, if it happens "
            "again), as if batch_size were halved and accumulate doubled. The result is the same."
        )
