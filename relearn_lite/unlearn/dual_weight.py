"""The retain weight of PDU, which moves in training so that the retain loss stays below a bound."""

from __future__ import annotations

from typing import Any

import lightning

from relearn_lite.recipe.hyperparameters import PDU


class DualWeight(lightning.Callback):
    """Moves the weight λ of the retain loss: λ <- max(0, λ + step (L_r - bound)) after each optimizer step's batches.

    The loss is L_f + λ (L_r - bound); the constant -λ bound has no gradient and is left out. λ stays at `start` for the
    first `warmup` of training. The published code moves λ after every batch, this after every optimizer step, by the
    step's retain loss: the same without accumulation. See `relearn_lite.unlearn.losses.pdu`.
    """

    def __init__(self, parameters: PDU):
        self.parameters, self.weight = parameters, parameters.start

    def on_train_start(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        module.retain_scale = self.weight

    def on_train_batch_end(self, trainer: lightning.Trainer, module: Any, outputs: Any, batch: Any, at: int) -> None:
        if not module.ends_step(at):
            return
        module.log("dual", self.weight, on_step=True, on_epoch=False, prog_bar=True, batch_size=1)  # of this step
        retained = sum(t.weight * module.step_losses[t.name] for t in module.terms if t.name.startswith("retain_"))
        retained = float(trainer.strategy.reduce(retained, reduce_op="sum"))  # of all processes
        if trainer.global_step - 1 >= self.parameters.warmup * module.schedule.total_steps:
            self.weight = max(0.0, self.weight + self.parameters.step * (retained - self.parameters.bound))
        module.retain_scale = self.weight

    def state_dict(self) -> dict[str, float]:
        return {"weight": self.weight}

    def load_state_dict(self, state: dict[str, float]) -> None:
        self.weight = state["weight"]
