"""Runs lightning.Trainer on the module: checkpoints, resume, logging, progress."""

from __future__ import annotations

import logging
import math
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relearn_lite.backends import to_training
from relearn_lite.errors import RecipeError
from relearn_lite.memory import out_of_memory
from relearn_lite.unlearn.loggers import make_loggers
from relearn_lite.unlearn.ranks import Rank, accelerator, together
from relearn_lite.unlearn.terms.declaration import Method

if TYPE_CHECKING:
    from relearn_lite.backends import Loaded
    from relearn_lite.data.batches import UnlearnBatches
    from relearn_lite.schema import Trainer, Training


def train(
    loaded: Loaded,
    batches: UnlearnBatches,
    *,
    terms: Method | tuple[str, Mapping[str, float]],
    beta: float = 0.1,
    settings: Training,
    trainer: Trainer,
    seed: int,
    folder: Path,
    stage: str,
    quiet: bool = False,
    watch: Sequence[Any] = (),
    rank: Rank | None = None,
) -> int:
    """Trains what requires gradients on `loaded`; returns the optimizer steps taken, those of earlier tries included.

    terms: what is minimised, a method or just a forget term and weights of retain terms, with beta. Checkpoints go to
    folder/checkpoints/<stage>, losses to folder/logs/<stage>. A run that was killed goes on from its last checkpoint
    and ends with the same weights as one that was not (with several devices and a cached reference, but for rounding:
    the checkpoint has that of the first one only).
    watch: Lightning callbacks that look on.

    The model stays on its device. Where `trainer` asks for several devices, folder holds a run's recipe and stage is
    one of its stages: other processes are started to train along, each on its share of the batches. In these, rank says
    which one it is, and this ends the process with exit code 0 when training is over.
    """
    import torch

    from relearn_lite.unlearn.module import UnlearnModule

    rank = rank or Rank.first(trainer)
    batches.rank, batches.world = rank.number, rank.world
    if rank.world > 1 and not quiet:
        rows = settings.batch_size * settings.accumulate * rank.world
        print(f"{stage}: {rank.world} devices, so an effective batch of {rows} rows", file=sys.stderr)
    per_epoch = math.ceil(len(batches) / settings.accumulate)
    total = per_epoch * settings.epochs
    module = UnlearnModule(
        loaded,
        terms if isinstance(terms, Method) else Method(*terms, parameters={"beta": beta}),
        lr=settings.lr,
        weight_decay=settings.weight_decay,
        total_steps=total,
        warmup_steps=min(round(per_epoch * settings.warmup_epochs), total // 2),
        reference=getattr(settings, "reference", "recompute"),  # finetune has no reference
        seed=seed,
    )
    torch.manual_seed(seed + rank.number)  # dropout, not the same for the rows of every device
    checkpoints = folder / "checkpoints" / stage
    strategy = rank.strategy(unused=module.leaves_parameters_out) if rank.world > 1 else "auto"
    loggers = make_loggers(trainer.logger, folder, stage)
    fit = _trainer(settings, trainer, strategy, rank.world, checkpoints, loggers, quiet)
    fit.callbacks[:0] = watch  # before checkpoints are written
    to_training(loaded)
    with warnings.catch_warnings():
        _silence_what_is_meant(warnings)
        try:
            with together(rank, folder, stage):
                fit.fit(module, batches, ckpt_path=newest_checkpoint(checkpoints), weights_only=True)
        except RuntimeError as error:
            if not out_of_memory(error):
                raise
            raise RecipeError(_too_little_memory(stage, rank)) from error
    if rank.number > 0:  # all that follows is for one process to do
        sys.exit(0)
    module.zero_grad()  # gradients of the last step, which nothing would free
    loaded.model.eval()
    if any(not torch.isfinite(p).all() for p in module.model.parameters() if p.requires_grad):
        raise RecipeError(
            f"{stage}.lr: training diverged at {settings.lr:g} (weights are not finite); lower it, for example by 10"
        )
    return fit.global_step


def newest_checkpoint(folder: Path) -> Path | None:
    """The checkpoint with the most steps, or None."""
    found = sorted(folder.glob("step=*.ckpt"), key=lambda p: int(p.stem.split("=")[1].split("-")[0]))
    return found[-1] if found else None


def _too_little_memory(stage: str, rank: Rank) -> str:
    if rank.world > 1:
        return (
            f"{stage}.batch_size: memory ran out, and several devices take no smaller pieces by themselves; halve it "
            f"and double {stage}.accumulate, or set trainer.devices to 1"
        )
    return (
        f"{stage}.batch_size: memory ran out even for one row at a time; set model.gradient_checkpointing to "
        "true and model.quantization to 4bit, lower lora.r, or take a smaller model"
    )


def _trainer(
    settings: Training, trainer: Trainer, strategy: Any, world: int, checkpoints: Path, loggers: list[Any], quiet: bool
) -> Any:
    import lightning
    from lightning.pytorch.callbacks import ModelCheckpoint
    from lightning.pytorch.utilities.exceptions import MisconfigurationException

    for name in ("lightning.pytorch", "lightning.fabric"):  # lines on found hardware; the manifest has them
        logging.getLogger(name).setLevel(logging.WARNING)
    callbacks: list[Any] = [
        ModelCheckpoint(
            checkpoints,
            filename="{step}",
            every_n_train_steps=settings.checkpoint_every,
            save_top_k=1,
            monitor="step",
            mode="max",
        )
    ]
    bar = not quiet and sys.stderr.isatty()
    if bar:
        from lightning.pytorch.callbacks import RichProgressBar

        callbacks.append(RichProgressBar(leave=True))
    options = dict(
        accelerator=accelerator(trainer),
        devices=1,  # in this process
        num_nodes=world,
        strategy=strategy,
        precision=_precision(trainer.precision),
        max_epochs=settings.epochs,
        accumulate_grad_batches=settings.accumulate,
        gradient_clip_val=1.0,
        logger=loggers,
        callbacks=callbacks,
        log_every_n_steps=1,
        enable_progress_bar=bar,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    try:
        return lightning.Trainer(**options)
    except (ValueError, MisconfigurationException) as error:
        reason = str(error).splitlines()[0]
        raise RecipeError(
            f"trainer: {reason}; correct accelerator or precision"
        ) from error


def _precision(wanted: str) -> str:
    if wanted != "auto":
        return wanted
    import torch

    if not torch.cuda.is_available():
        return "32-true"
    return "bf16-mixed" if torch.cuda.is_bf16_supported(including_emulation=False) else "16-mixed"


def _silence_what_is_meant(warnings: Any) -> None:
    """Lightning's advice that does not apply here."""
    warnings.filterwarnings("ignore", ".*does not have many workers.*")  # the data lie tokenised in memory
    warnings.filterwarnings("ignore", ".*GPU available but not used.*")
    warnings.filterwarnings(
        "ignore", ".*Checkpoint directory .* exists and is not empty.*"
    )  # that is how a run resumes
    warnings.filterwarnings(
        "ignore", ".*treespec.*LeafSpec.*", category=FutureWarning
    )  # inside Lightning, with torch 2.13
