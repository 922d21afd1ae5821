"""Says what this machine has, and what is missing or unsafe. Changes nothing and calls nobody."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from relearn_lite.core.environment import hardware, unsafe_versions, versions
from relearn_lite.core.errors import first_line

NEEDED = ("torch", "transformers", "peft", "lightning", "datasets")  # no run without these
MIN_MEMORY_GB, MIN_DISK_GB = 3, 2  # what the quickstart takes, with room
COLOURS = {"fine": "green", "note": "yellow", "bad": "bold red"}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. state: fine, note (a run works without it), bad (no run works)."""

    about: str
    state: str
    text: str


def doctor() -> None:
    """Prints every finding and a verdict of one line. Exit code 1 where no run would work, else 0."""
    found = examine()
    table = Table(show_header=False, box=None, pad_edge=False)
    for finding in found:
        table.add_row(finding.about, Text(finding.state, style=COLOURS[finding.state]), Text(finding.text))
    console = Console(highlight=False)
    console.print(table)
    console.print(Text(verdict(found), style="bold"))
    if any(finding.state == "bad" for finding in found):
        sys.exit(1)


def verdict(found: list[Finding]) -> str:
    """One line: whether runs work here, and what stops them."""
    bad = [finding.about for finding in found if finding.state == "bad"]
    if bad:
        return f"No run works here yet. Fix first: {', '.join(bad)}."
    notes = [finding.about for finding in found if finding.state == "note"]
    return "Runs work here." + (f" Worth a look: {', '.join(notes)}." if notes else "")


def examine() -> list[Finding]:
    """Looks at everything, the most harmful first."""
    installed = versions()
    found = [Finding("security", "bad", problem) for problem in unsafe_versions()]
    found.append(Finding("versions", "fine", ", ".join(f"{name} {number}" for name, number in installed.items())))
    missing = [name for name in NEEDED if name not in installed]
    if missing:
        text = f"{', '.join(missing)} not installed; run `pip install -r requirements.txt`"
        return [*found, Finding("packages", "bad", text), _disk(Path.cwd())]
    if broken := _broken_torch():
        return [*found, broken, _disk(Path.cwd()), _hub_token()]
    found += [_import_of_models(), *_hardware()]
    if sys.dont_write_bytecode:  # as images for containers often have it: 13 s instead of 6 to load a model's class
        text = "keeps nothing that it compiled, so each command starts seconds later; unset PYTHONDONTWRITEBYTECODE"
        found.append(Finding("Python", "note", text))
    if "bitsandbytes" not in installed:
        text = "not installed: set model.quantization to none, or run `pip install -r requirements.txt`"
        found.append(Finding("bitsandbytes", "note", text))
    return [*found, _unsloth(), _disk(Path.cwd()), _hub_token()]


def _broken_torch() -> Finding | None:
    """Whether torch cannot be imported, as where a library of the card's is missing: nothing else can be asked then."""
    try:
        import torch  # noqa: F401
    except Exception as error:  # whatever it is, runs would die of it
        hint = "remove it (`pip uninstall torch`) and run `pip install -r requirements.txt` again"
        return Finding("torch", "bad", f"cannot be imported ({first_line(error)}); {hint}")
    return None


def _import_of_models() -> Finding:
    """Imports a model class: a torchvision that was built for another torch breaks this, and nothing says why."""
    try:
        from transformers import LlamaForCausalLM  # noqa: F401
    except Exception as error:  # whatever it is, runs would die of it
        cause = str(error).strip().splitlines()
        hint = "run `pip install -r requirements.txt` again"
        if find_spec("torchvision"):
            hint = "torchvision is probably built for another torch; text needs none: `pip uninstall torchvision`"
        return Finding("transformers", "bad", f"cannot load a model class ({cause[-1] if cause else error!r}); {hint}")
    return Finding("transformers", "fine", "model classes load")


def _hardware() -> list[Finding]:
    machine = hardware()
    cores, memory = machine["cpu_cores"], machine["memory_gb"]
    small = memory is not None and memory < MIN_MEMORY_GB
    advice = f"; the quickstart needs about {MIN_MEMORY_GB} GB" if small else ""
    found = [Finding("processor", "note" if small else "fine", f"{cores} cores, {memory} GB of memory{advice}")]
    if "gpu" not in machine:
        text = "none found: small models train on the processor in 32-bit, large ones need a GPU"
        return [*found, Finding("GPU", "note", text)]
    import torch

    bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
    precision = "bf16" if bf16 else "fp16 (this card has no bf16)"
    return [*found, Finding("GPU", "fine", f"{machine['gpu']}, {machine['gpu_memory_gb']} GB, trains in {precision}")]


def _unsloth() -> Finding:
    import torch

    if find_spec("unsloth"):
        return Finding("Unsloth", "fine", "installed; model.backend: auto takes it where there is a GPU")
    if not torch.cuda.is_available():
        return Finding("Unsloth", "fine", "not installed, and not needed without a GPU")
    text = "not installed: runs work, slower and with more memory; run `pip install --no-deps -r requirements-gpu.txt`"
    return Finding("Unsloth", "note", text)


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free / 1e9
    low = free < MIN_DISK_GB
    advice = (
        f"; a run needs about {MIN_DISK_GB} GB and its model: use --runs and HF_HOME to go elsewhere" if low else ""
    )
    return Finding("disk", "note" if low else "fine", f"{free:.1f} GB free in {folder}{advice}")


def _hub_token() -> Finding:
    """Whether there is a token for the hub. Its value is never shown."""
    from huggingface_hub import get_token

    if get_token():
        return Finding("hub token", "fine", "present")
    return Finding("hub token", "fine", "none; only gated models (Llama, Gemma) need one: `hf auth login`")
