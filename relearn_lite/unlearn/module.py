"""The training step as a LightningModule: a forget term and weighted retain terms on one model."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial

import lightning
import torch
from lightning.pytorch.strategies import SingleDeviceStrategy

from relearn_lite.backends import Loaded, active_adapters
from relearn_lite.errors import RecipeError
from relearn_lite.memory import free_memory, out_of_memory, tell_once
from relearn_lite.unlearn.logprobs import check_head, layer_hidden, score, supervised_hidden, without_dropout
from relearn_lite.unlearn.losses import (
    FORGET_TERMS,
    RETAIN_TERMS,
    Method,
    factors,
    forget_loss,
    parameter,
    retained,
    total,
)
from relearn_lite.unlearn.masks import Sides
from relearn_lite.unlearn.pieces import Batch, split
from relearn_lite.unlearn.reference import ReferenceCache
from relearn_lite.unlearn.supervised import Layer, Supervised
from relearn_lite.unlearn.terms.pdu import Dual
from relearn_lite.unlearn.terms.rmu import direction


class UnlearnModule(lightning.LightningModule):
    """Trains the parameters of `loaded` that require gradients.

    The same module teaches (`finetune`: forget term `ce` on the answers to learn, no retain term) and unlearns.

    method: what is minimised; total_steps and warmup_steps: optimizer steps of the linear schedule; reference:
    `recompute` or `cached`; seed: of what a method draws at random.

    Where memory runs out, all batches since the last optimizer step are computed again in pieces of half as many rows,
    whose gradients add up to the same effective batch. So forward and backward pass of a batch are one thing here:
    `training_step` only hands Lightning a 1, and `backward` gets it back with the scale that Lightning puts on a loss
    (gradient accumulation, fp16). Several devices would fall out of step by this; they get a plain loss.
    """

    strict_loading = False  # checkpoints hold the trained parameters only, not the frozen base

    def __init__(
        self,
        loaded: Loaded,
        method: Method,
        *,
        lr: float,
        weight_decay: float,
        total_steps: int,
        warmup_steps: int,
        reference: str = "recompute",
        seed: int = 0,
    ):
        super().__init__()
        self.model, self.vanilla = loaded.model, loaded.vanilla
        check_head(self.model)
        self.method, self.forget = method, FORGET_TERMS[method.forget]
        self.lr, self.weight_decay = lr, weight_decay
        self.total_steps, self.warmup_steps = total_steps, warmup_steps
        self.pieces = 1
        self._cache = ReferenceCache() if reference == "cached" else None
        trained = {name: p for name, p in self.model.named_parameters() if p.requires_grad}
        self._sides = Sides(trained, parameter(method, method.mask)) if method.mask != "none" else None
        self._dual = Dual(parameter(method, "pdu")) if self.forget.constrained else None
        self._layer = self._direction = None
        if "layer" in (self.forget.sees, *(RETAIN_TERMS[name].sees for name in method.retain)):
            config = self.model.config.get_text_config()
            self._layer = _layer_number(parameter(method, "rmu").layer, config.num_hidden_layers)
            self._direction = direction(config.hidden_size, seed)
        self._repeatable, self._window = False, []
        self._random_state: torch.Tensor | None = None
        self._tick = time.perf_counter()

    def cpu(self) -> UnlearnModule:
        """Does nothing. Lightning calls it when training is over, but the model is only borrowed: it is asked next, on
        the device where it is. And 4-bit weights may come back from a CPU in another order than they went there."""
        return self

    @property
    def leaves_parameters_out(self) -> bool:
        """Whether a loss may not reach every trained parameter: a layer's states do not depend on later layers."""
        return self._layer is not None

    def on_train_start(self) -> None:
        self._repeatable = isinstance(self.trainer.strategy, SingleDeviceStrategy)
        if self._sides and not self._repeatable:
            raise RecipeError(
                f"unlearn.gradient_mask: {self.method.mask} works on one device only; set trainer.devices and "
                "num_nodes to 1 and strategy to auto, or take a method without a mask"
            )

    def on_before_zero_grad(self, optimizer: torch.optim.Optimizer) -> None:
        self._window = []
        if self._sides:
            self._sides.clear()

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Gradients are whole here, and not yet clipped."""
        if self._sides:
            self._sides.mask()
        if self._dual:
            self._dual.step(self.trainer.global_step / self.total_steps)

    def training_step(self, batch: Batch, _: int) -> torch.Tensor:
        if not self._repeatable:
            terms = self._terms(batch)
            loss = self._loss(terms)
            self._finish(terms, batch)
            return loss
        self._next = batch
        return torch.ones((), device=self.device, requires_grad=True)

    def backward(self, loss: torch.Tensor) -> None:
        if not self._repeatable:
            loss.backward()
            return
        scale, self._window = loss.detach(), [*self._window, self._next]
        todo = self._window[-1:]
        while True:
            try:
                for batch in todo:
                    terms = self._add_gradients(batch, scale)
                break
            except RuntimeError as error:
                if not out_of_memory(error) or self.pieces >= max(len(part["labels"]) for part in self._next.values()):
                    raise
            self._take_smaller_pieces()
            todo = self._window
        self._finish(terms, self._next)

    def _add_gradients(self, batch: Batch, scale: torch.Tensor) -> dict[str, torch.Tensor]:
        """Adds a batch's gradients, piece by piece; returns its terms. A row counts the same in every piece."""
        total: dict[str, torch.Tensor] = {}
        for piece, shares in split(batch, self.pieces):
            with self.trainer.precision_plugin.train_step_context():
                terms = self._terms(piece)
                for name, term in terms.items():
                    share = shares["retain" if name.startswith("retain_") else self.forget.batches[0]]
                    terms[name] = term if share == 1 else share * term
                loss = self._loss(terms)
            if self._sides:
                self._backward_apart(terms, scale)
            else:
                (loss * scale).backward()
            for name, term in terms.items():
                total[name] = total.get(name, 0) + term.detach()
        return total

    def _backward_apart(self, terms: Mapping[str, torch.Tensor], scale: torch.Tensor) -> None:
        """The same gradients as of the whole loss, and those of each side for the gradient mask."""
        forget, retain = factors(self.method, self._dual_weight)
        unscale = 1 / (float(scale) * self.trainer.accumulate_grad_batches)  # without fp16's loss scale
        if "forget" in terms:
            sign = -1 if self.forget.ascends else 1
            self._sides.backward("forget", sign * terms["forget"] * scale, sign * forget, unscale)
        if any(f"retain_{name}" in terms for name in self.method.retain):
            self._sides.backward("retain", retained(self.method, terms) * scale, retain, unscale)

    def _take_smaller_pieces(self) -> None:
        self.pieces *= 2
        if self._sides:
            self._sides.clear()
        for trained in self.parameters():
            trained.grad = None
        free_memory()
        tell_once(
            "Out of memory: batches are computed in pieces of half as many rows from here on (a quarter, if it happens "
            "again), as if batch_size were halved and accumulate doubled. The effective batch stays the same."
        )

    def _terms(self, batch: Batch) -> dict[str, torch.Tensor]:
        """The forget term and the retain terms of a batch, not weighted. A piece of a batch may lack rows of a part."""
        terms = {}
        if all(part in batch for part in self.forget.batches):
            see, needed = self._see(self.forget.sees), self.forget.needs_reference
            terms["forget"] = forget_loss(
                self.method, {part: see(part, batch[part], needed) for part in self.forget.batches}
            )
        if "retain" in batch:
            wanted = {name: RETAIN_TERMS[name] for name in self.method.retain}
            for sees in dict.fromkeys(term.sees for term in wanted.values()):
                alike = {name: term for name, term in wanted.items() if term.sees == sees}
                needed = any(term.needs_reference for term in alike.values())
                kept = self._see(sees)("retain", batch["retain"], needed)
                terms |= {f"retain_{name}": term.loss(kept) for name, term in alike.items()}
        return terms

    @property
    def _dual_weight(self) -> float | None:
        return self._dual.weight if self._dual else None

    def _loss(self, terms: Mapping[str, torch.Tensor]) -> torch.Tensor:
        return total(self.method, terms, self._dual_weight)

    def _see(self, what: str) -> Callable[[str, dict[str, torch.Tensor], bool], Supervised | Layer]:
        return self._score if what == "answer" else self._steered

    def _score(self, part: str, batch: dict[str, torch.Tensor], reference: bool) -> Supervised:
        """The supervised positions of a part, by the model in training and, where asked, by the vanilla model."""
        hidden, labels, rows = supervised_hidden(self.model, batch)
        states = self._reference(part, batch, rows, supervised_hidden) if reference else None
        return score(
            self.model, hidden, labels, rows, len(batch["labels"]), reference=states,
            vanilla=lambda: active_adapters(self.model, self.vanilla),
        )

    def _steered(self, part: str, batch: dict[str, torch.Tensor], reference: bool) -> Layer:
        """The same for terms that look at a layer's hidden states."""
        see = partial(layer_hidden, layer=self._layer)
        hidden, _, rows = see(self.model, batch)
        states = self._reference(f"{part}, layer", batch, rows, see) if reference else None
        return Layer(hidden, rows, len(batch["labels"]), self._direction.to(hidden), states)

    def _reference(self, part: str, batch: dict[str, torch.Tensor], rows: torch.Tensor, see: Callable) -> torch.Tensor:
        def compute() -> torch.Tensor:
            with torch.no_grad(), without_dropout(self.model), active_adapters(self.model, self.vanilla):
                return see(self.model, batch)[0]

        return self._cache.states(part, batch, rows, compute) if self._cache else compute()

    def _finish(self, terms: Mapping[str, torch.Tensor], batch: Batch) -> None:
        self._log(terms, batch)
        if self._dual:
            seen = torch.as_tensor(retained(self.method, terms)).detach()
            self._dual.see(float(self.all_gather(seen).mean()))  # the same weight on every device

    def _log(self, terms: Mapping[str, torch.Tensor], batch: Batch) -> None:
        now = time.perf_counter()
        tokens = sum(int(part["attention_mask"].sum()) for part in batch.values())
        values = {"loss": self._loss(terms).detach(), **{name: term.detach() for name, term in terms.items()}}
        if self._dual:
            values["dual"] = self._dual.weight
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
        if self._dual:
            checkpoint["dual"] = self._dual.weight
        if self._cache:
            checkpoint["reference"] = self._cache.kept
        checkpoint["random_state"] = self._of_every_device(torch.get_rng_state())
        if torch.cuda.is_available():
            checkpoint["cuda_random_state"] = self._of_every_device(torch.cuda.get_rng_state())

    def _of_every_device(self, state: torch.Tensor) -> torch.Tensor:
        """A random state (S,), or with several devices all of theirs (devices, S)."""
        return self.all_gather(state).cpu() if self.trainer.world_size > 1 else state

    def on_load_checkpoint(self, checkpoint: dict) -> None:
        if self._dual:
            self._dual.weight = checkpoint["dual"]
        if self._cache:
            self._cache.kept = checkpoint.get("reference", {})  # older code kept none
        states = (checkpoint["random_state"], checkpoint.get("cuda_random_state"))
        world = self.trainer.world_size
        if len(states[0].reshape(-1, torch.get_rng_state().numel())) != world:
            raise RecipeError(
                f"trainer.devices: training was begun on another number of devices than {world}; take as many as then, "
                "or add --from and this stage to begin it anew"
            )
        mine = self.trainer.global_rank  # cloned, for torch crashes on a state that begins within other memory
        self._random_state = tuple(s if s is None or world == 1 else s[mine].clone() for s in states)

    def on_train_batch_start(self, batch: object, batch_idx: int) -> None:
        """Dropout goes on where the checkpoint left it; set here, after all that setting up a run draws from it."""
        if self._random_state is not None:
            state, cuda_state = self._random_state
            torch.set_rng_state(state.cpu())
            if cuda_state is not None and torch.cuda.is_available():
                torch.cuda.set_rng_state(cuda_state.cpu())
            self._random_state = None


def _layer_number(asked: int | None, depth: int) -> int:
    """Number of the steered layer, from 0; a quarter of the depth where none is asked for."""
    if asked is not None and asked >= depth:
        raise RecipeError(
            f"unlearn.rmu.layer: {asked} does not exist, the model has layers 0 to {depth - 1}; give one of these, or "
            "null for a quarter of the depth"
        )
    return max(0, depth // 4 - 1) if asked is None else asked
