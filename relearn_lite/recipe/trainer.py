"""The `trainer` section."""

from __future__ import annotations

from typing import Literal

from relearn_lite.recipe.base import Section


class Trainer(Section):
    """Settings of lightning.Trainer. Several GPUs or machines train together when the run is started by torchrun:
    `torchrun --nproc-per-node N main.py RECIPE.yaml`."""

    accelerator: Literal["auto", "cpu", "gpu"] = "auto"
    """What training runs on. `auto`: a CUDA GPU where there is one, else the CPU. `gpu`: a CUDA GPU."""
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed"] = "auto"
    """`auto`: bf16-mixed on cards that support it, 16-mixed on older ones, 32-true on a CPU."""
    logger: Literal["csv", "tensorboard", "wandb", "none"] = "csv"
    """Where losses are logged, besides the run folder's own CSV. wandb runs offline unless you are logged in."""
