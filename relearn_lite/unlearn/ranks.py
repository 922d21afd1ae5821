"""Training in several processes, one a device: who starts them, how they find each other, how they end.

Lightning would start `main.py` once more for every device, and each of these would do the whole run. Here the run is
one process, number 0. For the time of one training it starts the others, which load the model, take part, and end with
it (`relearn_lite.join`). Each sees one device only, so nothing else in the project has to know of this.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relearn_lite.errors import RecipeError

if TYPE_CHECKING:
    from relearn_lite.schema import Trainer

PACKAGE = Path(__file__).parents[1]
GRACE = 30  # seconds that one process may still take when another one has ended
NOTICE = 10  # seconds between feeling that another process is gone and seeing it


@dataclass(frozen=True)
class Rank:
    """Which of the processes that train together this one is. Number 0 does the run, the others only take part."""

    number: int = 0
    world: int = 1
    port: int = 0

    @classmethod
    def first(cls, trainer: Trainer) -> Rank:
        """Number 0 of as many processes as `trainer` asks for. Raises RecipeError where there are fewer devices."""
        world = _devices(trainer)
        if world == 1:
            return cls()
        from lightning.fabric.plugins.environments.lightning import find_free_network_port

        return cls(0, world, find_free_network_port())

    def strategy(self, unused: bool) -> Any:
        """Lightning's DDP for this process: a machine of one device, as far as Lightning is concerned.

        unused: whether a loss may leave out some of the trained parameters.
        """
        from lightning.pytorch.plugins.environments import LightningEnvironment
        from lightning.pytorch.strategies import DDPStrategy

        rank = self

        class Here(LightningEnvironment):
            creates_processes_externally = True
            main_address, main_port = "127.0.0.1", rank.port

            def local_rank(self) -> int:
                return 0

            def node_rank(self) -> int:
                return rank.number

        return DDPStrategy(cluster_environment=Here(), find_unused_parameters=unused)


def accelerator(trainer: Trainer) -> str:
    """`cuda` or `cpu`: where the model is. Lightning's own choice would be MPS on a Mac, on which it is not."""
    import torch

    if trainer.accelerator == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return "cuda" if trainer.accelerator == "gpu" else "cpu"


@contextmanager
def together(rank: Rank, folder: Path, stage: str) -> Iterator[None]:
    """Holds one training. Number 0 starts the others for a stage of a run folder, and leaves nothing of them behind.

    Where another process fails, training ends here too: with RecipeError if that is what the other one ended with.
    """
    if rank.world == 1:
        yield
        return
    import torch

    threads, before = torch.get_num_threads(), dict(os.environ)
    others = []
    if rank.number == 0:
        os.environ["OMP_NUM_THREADS"] = str(max(1, threads // rank.world))
        torch.set_num_threads(max(1, threads // rank.world))
        others = [_Other(rank, number, folder, stage) for number in range(1, rank.world)]
    try:
        yield
    except Exception as error:
        if why := _first_failure(others):
            raise why from error
        raise
    else:
        _part()  # before waiting: some ways of leaving need both sides
        for other in others:
            with suppress(subprocess.TimeoutExpired):
                other.process.wait(GRACE)
    finally:
        for other in others:
            other.end()
        _part()
        torch.set_num_threads(threads)
        for name in ("OMP_NUM_THREADS", "MASTER_ADDR", "MASTER_PORT"):
            os.environ.pop(name, None)
            if name in before:
                os.environ[name] = before[name]


class _Other:
    """A process that takes part. It ends when this one does, however that ends: its input is then at an end."""

    def __init__(self, rank: Rank, number: int, folder: Path, stage: str):
        self._left = threading.Event()
        self._name, self._said = f"{stage}: process {number + 1} of {rank.world}", tempfile.TemporaryFile()
        arguments = [str(each) for each in (folder, stage, number, rank.world, rank.port)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", f"{PACKAGE.name}.join", *arguments],
            env=os.environ | _its_card(number) | {"PYTHONPATH": _with_package(os.environ.get("PYTHONPATH"))},
            stdin=subprocess.PIPE, stdout=self._said, stderr=self._said, start_new_session=True,
        )  # fmt: skip
        threading.Thread(target=self._watch, daemon=True).start()

    def why(self) -> Exception | None:
        """What it failed of; None where it did not, or has not yet."""
        if not self.process.poll():
            return None
        self._said.seek(0)
        said = self._said.read().decode(errors="replace").strip()
        if self.process.returncode == 2:
            return RecipeError(said.splitlines()[-1].removeprefix("error: "))
        return RuntimeError(f"{self._name} ended with code {self.process.returncode}; it said:\n{said}")

    def end(self) -> None:
        self._left.set()
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self._said.close()

    def _watch(self) -> None:
        """Some exchanges between devices never return where one side is gone."""
        if self.process.wait() != 0 and not self._left.wait(GRACE):
            why = self.why()
            print(f"error: {why}", file=sys.stderr, flush=True)
            os._exit(2 if isinstance(why, RecipeError) else 1)


def _part() -> None:
    import torch

    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def _first_failure(others: list[_Other]) -> Exception | None:
    """Why another process failed. That it did may be felt here a moment before it has ended."""
    until = time.monotonic() + NOTICE
    while others and time.monotonic() < until:
        for other in others:
            if why := other.why():
                return why
        time.sleep(0.05)
    return None


def _devices(trainer: Trainer) -> int:
    import torch

    if accelerator(trainer) == "cpu":
        return 1 if trainer.devices == "auto" else trainer.devices
    found = torch.cuda.device_count()
    if trainer.devices == "auto":
        return max(1, found)
    if trainer.devices > max(1, found):
        raise RecipeError(
            f"trainer.devices: {trainer.devices}, but {found} GPUs are found here; lower it, or set it to auto"
        )
    return trainer.devices


def _its_card(number: int) -> dict[str, str]:
    """The one GPU that a process is to see, of those that this one sees."""
    import torch

    if not torch.cuda.is_available():
        return {}
    seen = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
    cards = seen if seen != [""] else [str(card) for card in range(torch.cuda.device_count())]
    return {"CUDA_VISIBLE_DEVICES": cards[number % len(cards)]}  # on the CPU there may be more processes than cards


def _with_package(path: str | None) -> str:
    return os.pathsep.join([str(PACKAGE.parent), *([path] if path else [])])
