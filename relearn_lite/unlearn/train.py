"""Runs lightning.Trainer on the module: checkpoints, resume, logging, progress."""

from __future__ import annotations

import logging
import math
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relearn_lite.errors import RecipeError
from relearn_lite.memory import out_of_memory
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
) -> int:
    """Trains what requires gradients on `loaded`; returns the optimizer steps taken, those of earlier tries included.

    terms: what is minimised, a method or just a forget term and weights of retain terms, with beta. Checkpoints go to
    folder/checkpoints/<stage>, losses to folder/logs/<stage>. A run that was killed goes on from its last checkpoint
    and ends with the same weights as one that was not. watch: Lightning callbacks that look on.
    """
    import torch

    from relearn_lite.unlearn.module import UnlearnModule

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
    torch.manual_seed(seed)  # dropout
    checkpoints = folder / "checkpoints" / stage
    fit = _trainer(settings, trainer, folder, stage, checkpoints, quiet)
    fit.callbacks[:0] = watch  # before checkpoints are written
    loaded.model.train()
    with warnings.catch_warnings():
        _silence_what_is_meant(warnings)
        try:
            fit.fit(module, batches, ckpt_path=newest_checkpoint(checkpoints), weights_only=True)
        except RuntimeError as error:
            if not out_of_memory(error):
                raise
            raise RecipeError(
                f"{stage}.batch_size: memory ran out even for one row at a time; set model.gradient_checkpointing to "
                "true and model.quantization to 4bit, lower lora.r, or take a smaller model"
            ) from error
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


def _trainer(settings: Training, trainer: Trainer, folder: Path, stage: str, checkpoints: Path, quiet: bool) -> Any:
    import lightning
    from lightning.pytorch.callbacks import ModelCheckpoint
    from lightning.pytorch.utilities.exceptions import MisconfigurationException

    logging.getLogger("lightning.pytorch").setLevel(
        logging.WARNING
    )  # its lines on found hardware; the manifest has them
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
        accelerator=trainer.accelerator,
        devices=trainer.devices,
        strategy=trainer.strategy,
        num_nodes=trainer.num_nodes,
        precision=_precision(trainer.precision),
        max_epochs=settings.epochs,
        accumulate_grad_batches=settings.accumulate,
        gradient_clip_val=1.0,
        logger=_loggers(trainer.logger, folder, stage),
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
            f"trainer: {reason}; correct accelerator, devices, strategy, num_nodes or precision"
        ) from error


def _precision(wanted: str) -> str:
    if wanted != "auto":
        return wanted
    import torch

    if not torch.cuda.is_available():
        return "32-true"
    return "bf16-mixed" if torch.cuda.is_bf16_supported(including_emulation=False) else "16-mixed"


def _loggers(wanted: str, folder: Path, stage: str) -> list[Any]:
    """The run folder's own CSV, which the report's curve is drawn from, and the logger that the recipe names."""
    from lightning.pytorch import loggers

    logs = folder / "logs"
    made: list[Any] = [loggers.CSVLogger(logs, name=stage, flush_logs_every_n_steps=10)]
    try:
        if wanted == "tensorboard":
            made.append(loggers.TensorBoardLogger(logs, name=f"{stage}-tensorboard"))
        elif wanted == "wandb":
            made.append(loggers.WandbLogger(name=f"{folder.name}-{stage}", save_dir=logs, project="relearn-lite"))
    except ModuleNotFoundError as error:
        raise RecipeError(
            f"trainer.logger: {wanted} is not installed; run `pip install {wanted}`, or use csv ({error})"
        ) from error
    return made


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
