"""Where losses are written while a model is trained."""

from __future__ import annotations

import netrc
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from relearn_lite.core.errors import RecipeError, first_line


def make_loggers(wanted: str, folder: Path, stage: str) -> list[Any]:
    """The run folder's own CSV, which the report's curve is drawn from, and the logger that the recipe names.

    Raises RecipeError where that one is not installed.
    """
    from lightning.pytorch import loggers

    logs = folder / "logs"
    made: list[Any] = [loggers.CSVLogger(logs, name=stage)]
    try:
        if wanted == "tensorboard":
            made.append(loggers.TensorBoardLogger(logs, name=f"{stage}-tensorboard"))
        elif wanted == "wandb":
            made.append(
                loggers.WandbLogger(
                    name=f"{folder.name}-{stage}", save_dir=logs, project="relearn-lite", offline=not _may_upload()
                )
            )
    except ModuleNotFoundError as error:
        raise RecipeError(
            f"trainer.logger: {wanted} is not installed; run `pip install {wanted}`, or use csv ({first_line(error)})"
        ) from error
    return made


def _may_upload() -> bool:
    """Whether wandb is logged in, or told by its own WANDB_MODE what to do."""
    host = urlsplit(os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai")).hostname
    if os.environ.get("WANDB_MODE") or os.environ.get("WANDB_API_KEY"):
        return True
    try:
        return host in netrc.netrc(os.environ.get("NETRC")).hosts
    except (OSError, netrc.NetrcParseError):
        return False
