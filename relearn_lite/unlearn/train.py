"""Runs lightning.Trainer on the module: checkpoints, resume, logging, progress."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from relearn_lite.core import distributed
from relearn_lite.core.errors import RecipeError, first_line
from relearn_lite.core.memory import out_of_memory
from relearn_lite.data.batches import MicroBatches, TrainingRows
from relearn_lite.models.backends import set_training
from relearn_lite.models.loaded import Loaded
from relearn_lite.recipe import Trainer, Training, Unlearn
from relearn_lite.recipe.methods import Method
from relearn_lite.unlearn.loggers import make_loggers

EXPECTED_WARNINGS = (  # Lightning's advice that does not apply here
    ".*does not have many workers.*",  # rows are tokenized before training
    ".*GPU available but not used.*",
    ".*Checkpoint directory .* exists and is not empty.*",  # that is how a run resumes
    ".*treespec.*LeafSpec.*",  # inside Lightning, with torch 2.13
)


@dataclass(frozen=True)
class TrainingRun:
    """Where one training writes and how it is run.

    Checkpoints go to folder/checkpoints/<stage>, losses to folder/logs/<stage>; part: to folders of this name in them.
    shared: all processes of a torchrun take part; else this one trains alone. until: the optimizer step after which it
    pauses; called again with a later one, it goes on as if there had been no pause.
    """

    stage: str
    folder: Path
    seed: int
    trainer: Trainer = Trainer()
    quiet: bool = False
    shared: bool = False
    part: str = ""
    until: int | None = None

    @property
    def checkpoints(self) -> Path:
        return self.folder / "checkpoints" / self.stage / self.part

    @property
    def logs(self) -> Path:
        return self.folder / "logs" / self.stage / self.part


class Diverged(RecipeError):
    """Training ended with weights that are no numbers."""


def train(
    loaded: Loaded, rows: TrainingRows, settings: Training, run: TrainingRun, callbacks: Sequence[Any] = ()
) -> int:
    """Trains what requires gradients on `loaded`; returns the optimizer steps taken, those of earlier tries included.

    settings: of a training stage; `Unlearn` says what is minimised, any other learns the rows. callbacks: Lightning
    callbacks that look on. A run that was killed goes on from its last checkpoint and ends with the same weights as one
    that was not (with several processes and a kept reference, but for rounding: the checkpoint has that of the first
    one only).

    The model stays on its device.
    """
    import torch

    from relearn_lite.unlearn.module import Schedule, UnlearnModule

    method, hyperparameters = Method("ce"), Unlearn().hyperparameters
    keep_reference, retain_rows = False, 1
    if isinstance(settings, Unlearn):
        retain_rows = settings.retain_rows
        method, hyperparameters = settings.objective, settings.hyperparameters
        method = method if rows.generic else replace(method, generic=0.0)
        keep_reference = settings.reference == "cached"
    rank, world_size = (distributed.rank(), distributed.world_size()) if run.shared else (0, 1)
    batches = MicroBatches(
        rows, batch_size=settings.batch_size, pad_id=loaded.tokenizer.pad_token_id, seed=run.seed,
        accumulate=settings.accumulate, retain_rows=retain_rows, sides_apart=method.mask != "none", rank=rank,
        world_size=world_size,
    )  # fmt: skip
    _tell_effective_batch(settings, run, rank, world_size)
    total = settings.total_steps(batches.steps_per_epoch)
    warmup = min(round(batches.steps_per_epoch * settings.warmup_epochs), total // 2)
    schedule = Schedule(
        settings.lr, total, warmup, settings.weight_decay, constant=settings.epochs == "auto",
        states_8bit=settings.optimizer == "adamw_8bit",
    )  # fmt: skip
    module = UnlearnModule(
        loaded, method, hyperparameters, schedule, keep_reference=keep_reference, seed=run.seed
    )
    torch.manual_seed(run.seed + rank)  # dropout, not the same for the rows of every process
    options = {"accumulate_grad_batches": batches.per_step, **_strategy(run.trainer, module, world_size)}
    fit = _trainer(settings, run, [*callbacks, *_method_callbacks(method, hyperparameters)], options)
    set_training(loaded)
    with warnings.catch_warnings():
        for message in EXPECTED_WARNINGS:
            warnings.filterwarnings("ignore", message)
        try:
            fit.fit(module, batches, ckpt_path=newest_checkpoint(run.checkpoints), weights_only=True)
        except RuntimeError as error:
            if not out_of_memory(error):
                raise
            raise RecipeError(_too_little_memory(run.stage, world_size)) from error
    module.zero_grad()  # gradients of the last step, which nothing would free
    loaded.model.eval()
    if any(not torch.isfinite(p).all() for p in module.model.parameters() if p.requires_grad):
        raise Diverged(
            f"{run.stage}.lr: training diverged at {settings.lr:g} (weights are not finite); lower it, for example "
            "by 10"
        )
    return fit.global_step


def _tell_effective_batch(settings: Training, run: TrainingRun, rank: int, world_size: int) -> None:
    if world_size > 1 and rank == 0 and not run.quiet:
        rows = settings.batch_size * settings.accumulate * world_size
        print(f"{run.stage}: {world_size} processes, so an effective batch of {rows} rows", file=sys.stderr)


def newest_checkpoint(folder: Path) -> Path | None:
    """The checkpoint with the most steps, or None."""
    found = sorted(folder.glob("step=*.ckpt"), key=_step_of)
    return found[-1] if found else None


def newest_step(folder: Path) -> int:
    """The optimizer steps of the newest checkpoint; 0 where there is none."""
    found = newest_checkpoint(folder)
    return _step_of(found) if found else 0


def _step_of(checkpoint: Path) -> int:
    return int(checkpoint.stem.split("=")[1].split("-")[0])


def _method_callbacks(method: Method, hyperparameters: Mapping[str, Any]) -> list[Any]:
    """What some methods need beside the training step."""
    from relearn_lite.unlearn.dual_weight import DualWeight
    from relearn_lite.unlearn.gradient_masks import GradientMask

    masks = [GradientMask(hyperparameters[method.mask])] if method.mask != "none" else []
    return [*masks, *([DualWeight(hyperparameters["pdu"])] if method.forget == "pdu" else [])]


def _strategy(trainer: Trainer, module: Any, world_size: int) -> dict[str, Any]:
    """One device with another try where memory runs out, or DDP over the processes of torchrun."""
    import torch
    from lightning.pytorch.strategies import DDPStrategy

    from relearn_lite.unlearn.memory_retry import RetryOutOfMemory

    # Lightning's own choice would be MPS on a Mac, where the model is not.
    gpu = torch.cuda.is_available() if trainer.accelerator == "auto" else trainer.accelerator == "gpu"
    accelerator = "cuda" if gpu else "cpu"
    if world_size == 1:
        device = torch.device("cuda", torch.cuda.current_device()) if gpu else torch.device("cpu")
        return {"accelerator": accelerator, "strategy": RetryOutOfMemory(device), "devices": 1}
    # A layer's hidden states do not depend on later layers, so their adapters get no gradient.
    unused = module.layer is not None
    local = distributed.local_world_size()
    return {
        "accelerator": accelerator, "devices": local, "num_nodes": world_size // local,
        "strategy": DDPStrategy(find_unused_parameters=unused, timeout=distributed.PATIENCE),
    }  # fmt: skip


def _too_little_memory(stage: str, world_size: int) -> str:
    if world_size > 1:
        return (
            f"{stage}.batch_size: memory ran out, and several processes take no smaller pieces by themselves; halve it "
            f"and double {stage}.accumulate, or start it without torchrun"
        )
    return (
        f"{stage}.batch_size: memory ran out even for one row at a time; set model.gradient_checkpointing to "
        "true, model.quantization to 4bit and model.offload_embeddings to true, lower lora.r, or take a smaller model"
    )


def _trainer(settings: Training, run: TrainingRun, callbacks: list[Any], options: dict[str, Any]) -> Any:
    import lightning
    from lightning.pytorch.callbacks import RichProgressBar
    from lightning.pytorch.utilities.exceptions import MisconfigurationException

    from relearn_lite.unlearn.checkpoints import Checkpoints, WholeCheckpoints
    from relearn_lite.unlearn.step_lines import StepLines

    for name in ("lightning.pytorch", "lightning.fabric"):  # lines on found hardware; the manifest has them
        logging.getLogger(name).setLevel(logging.WARNING)
    # Those that look on come before checkpoints are written.
    checkpoint = Checkpoints(
        run.checkpoints, filename="{step}", every_n_train_steps=settings.checkpoint_every, save_top_k=1, monitor="step",
        mode="max",
    )  # fmt: skip
    length = {"max_epochs": -1 if settings.epochs == "auto" else settings.epochs, "max_steps": run.until or -1}
    name = f"{run.stage}/{run.part}" if run.part else run.stage
    bar = not run.quiet and sys.stderr.isatty()
    shown = [RichProgressBar(leave=True)] if bar else [] if run.quiet else [StepLines(run.stage)]
    try:
        return lightning.Trainer(
            precision=_precision(run.trainer.precision), **length,
            gradient_clip_val=settings.gradient_clip, logger=make_loggers(run.trainer.logger, run.folder, name),
            callbacks=[*callbacks, checkpoint, *shown], plugins=[WholeCheckpoints()], log_every_n_steps=1,
            enable_progress_bar=bar, enable_model_summary=False, num_sanity_val_steps=0, **options,
        )  # fmt: skip
    except (ValueError, MisconfigurationException) as error:
        raise RecipeError(f"trainer: {first_line(error)}; correct accelerator or precision") from error


def _precision(wanted: str) -> str:
    if wanted != "auto":
        return wanted
    import torch

    if not torch.cuda.is_available():
        return "32-true"
    return "bf16-mixed" if torch.cuda.is_bf16_supported(including_emulation=False) else "16-mixed"
