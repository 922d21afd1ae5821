"""The training step: a forget term and weighted retain terms on one model, as a LightningModule.

What belongs to some methods only is a callback or an object of its own: gradient masks (`gradient_masks`), the moving
retain weight of pdu (`dual_weight`), kept reference states (`reference`). Running out of memory is dealt with outside,
in `memory_retry`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import lightning
import torch
from torch.optim.lr_scheduler import LambdaLR

from relearn_lite.core.errors import RecipeError
from relearn_lite.data.batches import Batch
from relearn_lite.models.loaded import Loaded, active_adapters
from relearn_lite.models.logprobs import check_head, score, supervised_hidden, without_dropout
from relearn_lite.models.supervised import LayerStates, Supervised
from relearn_lite.recipe.methods import Method
from relearn_lite.unlearn.losses import terms_of
from relearn_lite.unlearn.losses.rmu import direction, steered_layer
from relearn_lite.unlearn.reference import Reference


@dataclass(frozen=True)
class Schedule:
    """AdamW's settings: the rate rises to `lr` over `warmup_steps` and falls linearly to 0 at `total_steps`.

    constant: it stays at `lr` but for what `UnlearnModule.cooling` says, for training whose end is not known.
    states_8bit: its moments are kept in 8 bits, in blocks with a scale each (Dettmers et al., 2022).
    """

    lr: float
    total_steps: int
    warmup_steps: int = 0
    weight_decay: float = 0.01
    constant: bool = False
    states_8bit: bool = False


class UnlearnModule(lightning.LightningModule):
    """Trains the parameters of `loaded` that require gradients.

    The same module teaches (`finetune`: forget loss `ce` on the answers to learn, no retain loss) and unlearns.

    method: what is minimised, with hyperparameters by their keys under `unlearn`; keep_reference: keeps what the
    vanilla model makes of a row from the first time on; seed: of what a method draws at random.
    """

    strict_loading = False  # checkpoints hold the trained parameters only, not the frozen base

    def __init__(
        self, loaded: Loaded, method: Method, hyperparameters: Mapping[str, Any], schedule: Schedule,
        *, keep_reference: bool = False, seed: int = 0,
    ):  # fmt: skip
        super().__init__()
        self.model, self.vanilla_adapters, self.schedule = loaded.model, loaded.vanilla_adapters, schedule
        check_head(self.model)
        self.terms = terms_of(method, hyperparameters)
        self.retain_scale = hyperparameters["pdu"].start if method.forget == "pdu" else 1.0  # `dual_weight` moves it
        self.reference = Reference(keep_reference)
        config = self.model.config.get_text_config()
        self.layer = self.direction = None
        if any(term.loss.reads == "layer" for term in self.terms):
            self.layer = steered_layer(hyperparameters["rmu"], config.num_hidden_layers)
            self.direction = direction(config.hidden_size, seed)
        self.cooling: Callable[[int], float] = lambda step: 1.0  # of a constant rate; `search` sets it
        self.step_losses: dict[str, torch.Tensor] = {}
        self._step_tokens, self._step_began, self._step_ended, self._rate = 0, 0.0, 0.0, 0.0
        self._random_state: tuple | None = None

    def training_step(self, batch: Batch, batch_idx: int) -> torch.Tensor:
        """A micro-batch's share of the optimizer step's loss.

        Each term is the sum of its values (one a token or one a row) divided by how many the whole step has. So the
        step's gradient is the same however its rows are divided: into micro-batches, into pieces after memory ran out,
        over processes.
        """
        forward = cache(partial(self.forward_part, batch["parts"]))  # retain terms share one forward pass
        loss = torch.zeros((), device=self.device)
        for term in self.terms:
            if not all(part in batch["parts"] for part in term.loss.trains_on):
                continue  # a piece may lack rows of one side; with a gradient mask the sides come one after the other
            answers = [forward(part, term.loss.reads) for part in term.loss.trains_on]
            share = term.loss.values(*answers, *term.hyperparameters).sum() / term.count(batch["row_lengths"])
            share = share if batch["counted"] else 0 * share
            scale = self.retain_scale if term.name.startswith("retain_") else 1.0
            loss = loss + term.weight * scale * share
            self.step_losses[term.name] = self.step_losses.get(term.name, 0) + share.detach()
        self.step_losses["loss"] = self.step_losses.get("loss", 0) + loss.detach()
        self._step_tokens += batch["n_tokens"]
        # Lightning divides by the first factor and DDP by the second; shares need neither.
        return loss * self.trainer.accumulate_grad_batches * self.trainer.world_size

    def forward_part(self, parts: Mapping[str, dict], part: str, reads: str) -> Supervised | LayerStates:
        """What a loss reads of a part's rows: logits at the trained tokens, or the hidden states of one layer there."""
        batch = parts[part]
        forward = partial(supervised_hidden, self.model, batch, self.layer if reads == "layer" else None)
        hidden, labels, rows = forward()
        states = None
        losses = [term.loss for term in self.terms if part in term.loss.trains_on and term.loss.reads == reads]
        if any(loss.needs_reference for loss in losses):
            states = self.reference.states(f"{part} {reads}", batch, rows, lambda: self._vanilla_states(forward))
        n_rows = len(batch["labels"])
        if reads == "layer":
            return LayerStates(hidden, rows, n_rows, self.direction.to(hidden), states)
        vanilla = partial(active_adapters, self.model, self.vanilla_adapters)
        return score(self.model, hidden, labels, rows, n_rows, reference=states, vanilla=vanilla)

    def _vanilla_states(self, forward: Callable[[], tuple[torch.Tensor, ...]]) -> torch.Tensor:
        with torch.no_grad(), without_dropout(self.model), active_adapters(self.model, self.vanilla_adapters):
            return forward()[0]

    def configure_optimizers(self):
        from transformers import get_linear_schedule_with_warmup

        trained, schedule = [p for p in self.model.parameters() if p.requires_grad], self.schedule
        make = torch.optim.AdamW
        if schedule.states_8bit:
            from bitsandbytes.optim import AdamW8bit as make
        optimizer = make(trained, lr=schedule.lr, weight_decay=schedule.weight_decay)
        if schedule.constant:
            warmup = schedule.warmup_steps
            rates = LambdaLR(optimizer, lambda step: (step / warmup if step < warmup else 1.0) * self.cooling(step))
        else:
            rates = get_linear_schedule_with_warmup(optimizer, schedule.warmup_steps, schedule.total_steps)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": rates, "interval": "step"}}

    def begin_step(self) -> None:
        """Forgets the losses of the optimizer step so far."""
        self.step_losses, self._step_tokens = {}, 0

    def ends_step(self, batch_idx: int) -> bool:
        """Whether this micro-batch is the last of its optimizer step."""
        return (batch_idx + 1) % self.trainer.accumulate_grad_batches == 0 or self.trainer.is_last_batch

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        if self._random_state is not None:  # set here, after all that setting up a run draws from it
            self._restore_random_state()
        if batch_idx % self.trainer.accumulate_grad_batches == 0:
            self.begin_step()
            self._step_began = time.perf_counter()

    def optimizer_step(self, epoch: int, batch_idx: int, optimizer: Any, closure: Callable[[], Any]) -> None:
        """Notes the step's rate and its end: a scheduler and callbacks come before the step is logged."""
        self._rate = optimizer.param_groups[0]["lr"]
        super().optimizer_step(epoch, batch_idx, optimizer, closure)
        self._step_ended = time.perf_counter()

    def on_train_batch_end(self, outputs: object, batch: Batch, batch_idx: int) -> None:
        """Logs the optimizer step's mean of every term."""
        if not self.ends_step(batch_idx):
            return
        options, several = {"on_step": True, "on_epoch": False, "batch_size": 1}, self.trainer.world_size > 1
        seconds = max(self._step_ended - self._step_began, 1e-9)
        self.log_dict(self.step_losses, prog_bar=True, sync_dist=several, reduce_fx="sum", **options)
        self.log("tokens_per_s", self._step_tokens / seconds, prog_bar=True, **options)
        self.log("lr", self._rate, **options)

    def on_save_checkpoint(self, checkpoint: dict) -> None:
        trained = {f"model.{name}" for name, p in self.model.named_parameters() if p.requires_grad}
        checkpoint["state_dict"] = {k: v for k, v in checkpoint["state_dict"].items() if k in trained}
        checkpoint["reference"] = self.reference.kept
        checkpoint["random_state"] = self._of_every_process(torch.get_rng_state())
        if torch.cuda.is_available():
            checkpoint["cuda_random_state"] = self._of_every_process(torch.cuda.get_rng_state())

    def on_load_checkpoint(self, checkpoint: dict) -> None:
        self.reference.kept = checkpoint["reference"]
        states, world_size = (checkpoint["random_state"], checkpoint.get("cuda_random_state")), self.trainer.world_size
        if len(states[0].reshape(-1, torch.get_rng_state().numel())) != world_size:
            raise RecipeError(
                f"torchrun: training was begun by another number of processes than {world_size}; start as many as "
                "then, or add --from and this stage to begin it anew"
            )
        mine = self.trainer.global_rank  # cloned, for torch crashes on a state that begins within other memory
        self._random_state = tuple(s if s is None or world_size == 1 else s[mine].clone() for s in states)

    def _of_every_process(self, state: torch.Tensor) -> torch.Tensor:
        """A random state (S,), or with several processes all of theirs (processes, S)."""
        return self.all_gather(state).cpu() if self.trainer.world_size > 1 else state

    def _restore_random_state(self) -> None:
        """Dropout goes on where the checkpoint left it."""
        state, cuda_state = self._random_state
        torch.set_rng_state(state.cpu())
        if cuda_state is not None and torch.cuda.is_available():
            torch.cuda.set_rng_state(cuda_state.cpu())
        self._random_state = None

    def cpu(self) -> UnlearnModule:
        """Does nothing. Lightning calls it when training is over, but the model is only borrowed: it is asked next, on
        the device where it is. And 4-bit weights may come back from a CPU in another order than they went there."""
        return self
