"""Evaluates a model while it is trained: asks it questions, logs its answers, stops what goes wrong, keeps the best."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning

from relearn_lite.core.files import append_jsonl, read_partial
from relearn_lite.recipe import Unlearn
from relearn_lite.unlearn.selection import EvalResult, best, describe, why_stop

PATIENCE = 3  # steps in a row: half precision skips a single step whose loss is no number


class EvalCallback(lightning.Callback):
    """Checks every `settings.evaluate_every` optimizer steps and after the last one.

    ask: has the model, as it is now, answer the check questions. It must leave weights and random state alone. None in
    other processes than the first, which asks for all.
    log: a growing file of results. A run that was killed and does steps again takes their results from there.
    kept: folder for the weights of the best check, as safetensors.

    stopped: why training ended early, in words; None where it did not.
    """

    def __init__(
        self, ask: Callable[[], EvalResult] | None, settings: Unlearn, log: Path, kept: Path,
        tell: Callable[[str], None],
    ):  # fmt: skip
        self._ask, self._settings, self._log, self._kept, self._tell = ask, settings, log, kept, tell
        self._keeps = settings.keep_best is not None or settings.searches
        self._results: dict[int, EvalResult] = {}
        self._step, self._bad_losses = 0, 0
        self.stopped: str | None = None

    @property
    def best(self) -> EvalResult | None:
        """The check whose weights are kept; None where none is."""
        return self._best_of(self._results.values()) if self._keeps else None

    def _best_of(self, results: Iterable[EvalResult]) -> EvalResult | None:
        return best(results)

    def _why_stop(self, result: EvalResult) -> str | None:
        return self.bound(result)

    def bound(self, result: EvalResult) -> str | None:
        """Which bound of `watch` a result has passed, in words; None where none."""
        return why_stop(result, self._settings.watch)

    def on_fit_start(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        self._results = {result.step: result for result in read_partial(self._log, EvalResult)}

    def on_train_start(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        self._step = trainer.global_step  # a run that goes on; where it had been stopped, it stays so
        for result in self._results.values():
            if result.step <= self._step:
                self._stop(trainer, self._why_stop(result))

    def on_train_batch_end(
        self, trainer: lightning.Trainer, module: lightning.LightningModule, outputs: object, batch: object, at: int
    ) -> None:
        if not module.ends_step(at):
            return
        loss = trainer.strategy.reduce(module.step_losses["loss"], reduce_op="sum")  # of all processes
        self._bad_losses = 0 if math.isfinite(loss) else self._bad_losses + 1
        if self._bad_losses >= PATIENCE:
            self._stop(trainer, f"the loss was not a number from step {trainer.global_step - PATIENCE + 1} on")
        elif trainer.global_step != self._step:  # half precision skips a step whose gradients are no numbers
            self._step = trainer.global_step
            ends = (module.schedule.total_steps, trainer.max_steps)
            if self._step % self._settings.evaluate_every == 0 or self._step in ends:
                result = self._evaluate(module) if trainer.is_global_zero else None
                self._stop(trainer, self._why_stop(trainer.strategy.broadcast(result)))

    def on_fit_end(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Puts the weights of the best check back into the model."""
        if self.best is not None:  # in the first process: the one that saves the adapter
            put_back(module.model, self.weights(self.best.step))

    def _stop(self, trainer: lightning.Trainer, why: str | None) -> None:
        if why and self.stopped is None:
            self.stopped, trainer.should_stop = why, True
            self._tell(f"stopped: {why}")

    def _evaluate(self, module: lightning.LightningModule) -> EvalResult:
        if self._step not in self._results:
            result = replace(self._ask(), step=self._step)
            is_best = self._best_of([*self._results.values(), result]) is result
            if self._keeps and is_best:
                self._save(module)  # before the result is noted: what is noted as best is there
            append_jsonl(self._log, [result])
            self._results[self._step] = result
            self._tell(f"check at step {result.step}: {self._describe(result)}{' (best so far)' if is_best else ''}")
            for file in self._kept.glob("best-step=*.safetensors"):
                if self.best is None or file != self.weights(self.best.step):
                    file.unlink()
        return self._results[self._step]

    def _describe(self, result: EvalResult) -> str:
        return describe(result)

    def weights(self, step: int) -> Path:
        """The file with what was trained, as it was at the best check."""
        return self._kept / f"best-step={step}.safetensors"

    def _save(self, module: lightning.LightningModule) -> None:
        from safetensors.torch import save_file

        self._kept.mkdir(parents=True, exist_ok=True)
        parameters = module.model.named_parameters()
        trained = {name: p.detach().cpu().contiguous() for name, p in parameters if p.requires_grad}
        temporary = self.weights(self._step).with_suffix(".tmp")
        save_file(trained, temporary)
        temporary.replace(self.weights(self._step))


def put_back(model: Any, file: Path) -> None:
    """Loads trained weights, as the callback keeps them, into a model."""
    import torch
    from safetensors.torch import load_file

    trained = dict(model.named_parameters())
    with torch.no_grad():
        for name, value in load_file(file).items():
            trained[name].copy_(value)
