"""What a machine has, as JSON: Python, card, driver, and which packages of requirements*.txt are there or missing.

Needs nothing but Python itself, so that it tells of a machine on which nothing else runs.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
NEEDED = ("requirements.txt", "requirements-gpu.txt", "requirements-real.txt")
ALSO = ("pytest", "pytest-xdist", "triton", "vllm")  # for the tests on a card, Unsloth's kernels, and to know of
SMI = ("name", "driver_version", "memory.total", "memory.used")
PROBE = (
    "import json, torch; on = torch.cuda.is_available(); print(json.dumps({'torch': torch.__version__, "
    "'cuda': torch.version.cuda, 'card': torch.cuda.get_device_name() if on else None, "
    "'bf16': torch.cuda.is_bf16_supported(including_emulation=False) if on else None}))"
)


def packages(*files: str) -> list[str]:
    """The names in requirements files."""
    lines = [line for file in files for line in (ROOT / file).read_text(encoding="utf-8").splitlines()]
    found = (re.match(r"[A-Za-z0-9_.-]+", line) for line in lines if line[:1].isalpha())
    return list(dict.fromkeys(match.group() for match in found if match))


def installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def smi() -> dict[str, str] | None:
    """What nvidia-smi tells; None where it is not there or fails."""
    command = ["nvidia-smi", f"--query-gpu={','.join(SMI)}", "--format=csv,noheader"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return dict(zip(SMI, (each.strip() for each in told.splitlines()[0].split(",")), strict=True))


def probed() -> dict[str, Any]:
    """What torch finds, asked in a process of its own: importing it may fail."""
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True)
    if done.returncode == 0:
        return json.loads(done.stdout.splitlines()[-1])
    return {"torch": None, "card": None, "why": (done.stderr.strip().splitlines() or ["no word"])[-1]}


def environment() -> dict[str, Any]:
    has = {name: installed(name) for name in (*packages(*NEEDED), *ALSO)}
    return {
        "date": time.strftime("%Y-%m-%d"), "python": platform.python_version(), "platform": platform.platform(),
        "processors": os.cpu_count(), "free_disk_gb": round(shutil.disk_usage(ROOT).free / 1e9, 1),
        "nvidia_smi": smi(), **probed(),
        "packages": {name: found for name, found in has.items() if found},
        "missing": [name for name, found in has.items() if not found],
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(environment(), indent=2))
