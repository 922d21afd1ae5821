"""The training step as a LightningModule: a forget term and weighted retain terms on one model."""

from __future__ import annotations

import time
from collections.abc import Mapping

import lightning
import torch

from relearn_lite.backends import Loaded, active_adapters
from relearn_lite.unlearn.logprobs import head_logits, supervised_hidden
from relearn_lite.unlearn.losses import FORGET_TERMS, RETAIN_TERMS, Supervised, forget_loss


class UnlearnModule(lightning.LightningModule):
    """Trains the parameters of `loaded` that require gradients.

    The same module teaches (`finetune`: forget term `ce` on the answers to learn, no retain term) and unlearns.

    forget: name of a forget term; retain: weights of retain terms; beta: of npo and dpo; total_steps and warmup_steps:
    optimizer steps of the linear schedule.
    """

    strict_loading = False  # checkpoints hold the trained parameters only, not the frozen base

    def __init__(
        self,
        loaded: Loaded,
        forget: str,
        retain: Mapping[str, float],
        *,
        beta: float,
        lr: float,
        weight_decay: float,
        total_steps: int,
        warmup_steps: int,
    ):
        super().__init__()
        self.model, self.vanilla = loaded.model, loaded.vanilla
        self.forget, self.retain, self.beta = FORGET_TERMS[forget], dict(retain), beta
        self.lr, self.weight_decay = lr, weight_decay
        self.total_steps, self.warmup_steps = total_steps, warmup_steps
        self._random_state: torch.Tensor | None = None
        self._tick = time.perf_counter()

    def training_step(self, batch: dict[str, dict[str, torch.Tensor]], _: int) -> torch.Tensor:
        reference = self.forget.needs_reference
        parts = {part: self._score(batch[part], reference) for part in self.forget.batches}
        terms = {"forget": forget_loss(self.forget, parts, self.beta)}
        if self.retain:
            kept = self._score(batch["retain"], any(RETAIN_TERMS[name].needs_reference for name in self.retain))
            terms |= {f"retain_{name}": RETAIN_TERMS[name].loss(kept) for name in self.retain}
        loss = terms["forget"] + sum(weight * terms[f"retain_{name}"] for name, weight in self.retain.items())
        self._log(loss, terms, batch)
        return loss

    def _score(self, batch: dict[str, torch.Tensor], reference: bool) -> Supervised:
        """Logits at supervised positions, of the model in training and, where asked, of the vanilla model."""
        hidden, labels, rows = supervised_hidden(self.model, batch)
        logits, reference_logits = head_logits(self.model, hidden), None
        if reference:
            with torch.no_grad(), active_adapters(self.model, self.vanilla):
                reference_logits = head_logits(self.model, supervised_hidden(self.model, batch)[0])
        return Supervised(logits, labels, rows, batch["labels"].shape[0], reference_logits)

    def _log(
        self, loss: torch.Tensor, terms: dict[str, torch.Tensor], batch: dict[str, dict[str, torch.Tensor]]
    ) -> None:
        now = time.perf_counter()
        tokens = sum(int(part["attention_mask"].sum()) for part in batch.values())
        values = {"loss": loss.detach(), **{name: term.detach() for name, term in terms.items()}}
        self.log_dict(values, prog_bar=True)
        self.log("tokens_per_s", tokens / max(now - self._tick, 1e-9), prog_bar=True)
        self.log("lr", self.trainer.optimizers[0].param_groups[0]["lr"])
        self._tick = now

    def configure_optimizers(self):
        from transformers import get_linear_schedule_with_warmup

        trained = [p for p in self.model.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(trained, lr=self.lr, weight_decay=self.weight_decay)
        schedule = get_linear_schedule_with_warmup(optimizer, self.warmup_steps, self.total_steps)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict) -> None:
        trained = {f"model.{name}" for name, p in self.model.named_parameters() if p.requires_grad}
        checkpoint["state_dict"] = {k: v for k, v in checkpoint["state_dict"].items() if k in trained}
        checkpoint["random_state"] = torch.get_rng_state()
        if torch.cuda.is_available():
            checkpoint["cuda_random_state"] = torch.cuda.get_rng_state()

    def on_load_checkpoint(self, checkpoint: dict) -> None:
        self._random_state = (checkpoint["random_state"], checkpoint.get("cuda_random_state"))

    def on_train_batch_start(self, batch: object, batch_idx: int) -> None:
        """Dropout goes on where the checkpoint left it; set here, after all that setting up a run draws from it."""
        if self._random_state is not None:
            state, cuda_state = self._random_state
            torch.set_rng_state(state.cpu())
            if cuda_state is not None and torch.cuda.is_available():
                torch.cuda.set_rng_state(cuda_state.cpu())
            self._random_state = None
