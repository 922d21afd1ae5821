"""What this run runs on: versions, hardware, and how to keep libraries quiet."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

PACKAGES = (
    "torch", "transformers", "peft", "bitsandbytes", "lightning", "datasets", "unsloth", "sentence-transformers",
    "openai",
)
MALICIOUS = {"lightning": ("2.6.2", "2.6.3")}  # stole credentials on import: Lightning-AI/pytorch-lightning issue 21691


def versions() -> dict[str, str]:
    """Installed versions of what results depend on."""
    from relearn_lite import __version__

    found = {"relearn-lite": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def unsafe_versions() -> list[str]:
    """One sentence for each installed release that must never be imported. Looks at metadata only."""
    found = versions()
    return [
        f"{package} {found[package]} is a malicious release that steals credentials when it is imported; remove it "
        f"(`pip uninstall {package}`), change your passwords and tokens, then `pip install -r requirements.txt`"
        for package, bad in MALICIOUS.items() if found.get(package) in bad
    ]


def hardware() -> dict[str, Any]:
    """Processor, memory, and the GPU where there is one."""
    import psutil
    import torch

    memory = round(psutil.virtual_memory().total / 1e9, 1)
    found: dict[str, Any] = {"platform": platform.platform(), "cpu_cores": os.cpu_count(), "memory_gb": memory}
    if torch.cuda.is_available():
        card = torch.cuda.get_device_properties(0)
        found |= {"gpu": card.name, "gpu_memory_gb": round(card.total_memory / 1e9, 1)}
    return found


def share_cores() -> None:
    """Threads of torch that wait for one another soon sleep; what is set already stays. Works until torch is imported.

    By default they spin first, and on cores that others use too each spins away the time that the other needs: of two
    runs at once on two cores a step took 6 times as long as of two one after the other, answering 17 times. Threads
    that sleep at once lose time where a run has the cores to itself: as a share of theirs, a step takes 0.83 and
    answering 0.73 with this many turns, beside another run 1.0 and 1.4. Measured with SmolLM2.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ["OMP_WAIT_POLICY"] = "PASSIVE"  # of any OpenMP; GNU's goes by the next, where it is set
        os.environ.setdefault("GOMP_SPINCOUNT", "500")


def quiet_libraries() -> None:
    """Keeps libraries from writing between our lines. Each of these says nothing that a user could act on."""
    import logging
    import warnings

    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # else a warning at every fork
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1" if not sys.stderr.isatty() else "0")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    for name in ("lightning.pytorch", "lightning.fabric", "bitsandbytes"):
        logging.getLogger(name).setLevel(logging.ERROR)
    # peft warns that the embedded base has tied embeddings and that a base was not found on the hub while saving
    warnings.filterwarnings("ignore", module="peft")
