"""Several processes that train together, started by `torchrun`: which one this is, and how the others wait for it.

`torchrun --nproc-per-node N main.py RECIPE.yaml` starts N processes of the same command. The first one does the run;
the others take part in training and wait in between.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

PATIENCE = timedelta(days=30)  # the others wait while the first one writes and asks, which can take as long as it takes


def world_size() -> int:
    """How many processes take part; 1 where torchrun did not start this one."""
    return int(os.environ["WORLD_SIZE"]) if "TORCHELASTIC_RUN_ID" in os.environ else 1


def rank() -> int:
    """The number of this process, from 0."""
    return int(os.environ["RANK"]) if world_size() > 1 else 0


def local_world_size() -> int:
    """How many of the processes run on this machine."""
    return int(os.environ["LOCAL_WORLD_SIZE"]) if world_size() > 1 else 1


def is_first() -> bool:
    return rank() == 0


def connect() -> None:
    """Joins the processes of one torchrun, each on its own GPU where there are some. Does nothing without torchrun."""
    if world_size() == 1:
        return
    import torch

    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]) % torch.cuda.device_count())
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    if not torch.distributed.is_initialized():
        torch.distributed.init_process_group(backend, timeout=PATIENCE)


def disconnect() -> None:
    """Leaves the group, so that no process waits for one that has ended."""
    if world_size() == 1:
        return
    import torch

    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def from_first(value: Any = None) -> Any:
    """What the first process passes here, in every process; the others wait for it."""
    if world_size() == 1:
        return value
    import torch

    values = [value]
    torch.distributed.broadcast_object_list(values, src=0, device=torch.device("cpu"))
    return values[0]
