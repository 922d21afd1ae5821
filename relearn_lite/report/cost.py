"""What a run cost and what it ran on, taken from its manifest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

BOOKKEEPING = ("fingerprint", "inputs", "finished", "seconds", "peak_memory_mb", "resumed")


@dataclass(frozen=True)
class Stage:
    name: str
    time: str
    memory: str  # peak; a dash where it was not measured
    share: float  # of the time of all stages, 0 to 1


def stages(manifest: dict[str, Any]) -> list[Stage]:
    """The stages in their order, with their time and peak memory, and a last line for the whole run."""
    measured = manifest.get("stages") or {}
    total = sum(stage.get("seconds") or 0 for stage in measured.values())
    peaks = [stage["peak_memory_mb"] for stage in measured.values() if stage.get("peak_memory_mb") is not None]
    lines = [
        Stage(
            name, _at_least(duration(stage.get("seconds")), stage), memory(stage.get("peak_memory_mb")),
            _share(stage, total),
        )
        for name, stage in measured.items()
    ]
    whole = _at_least(duration(total), *measured.values())
    return [*lines, Stage("all", whole, memory(max(peaks, default=None)), 1.0)] if lines else []


def _at_least(time: str, *measured: dict[str, Any]) -> str:
    """The time of stages. One that was stopped and resumed knows only how long its last try took."""
    return f"at least {time}" if any(stage.get("resumed") for stage in measured) else time


def _share(stage: dict[str, Any], total: float) -> float:
    return (stage.get("seconds") or 0) / total if total else 0.0


def duration(seconds: float | None) -> str:
    """`0.4 s`, `12 s`, `3 min 5 s`, `2 h 10 min`; a dash where it is not known."""
    if seconds is None:
        return "—"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def memory(megabytes: float | None) -> str:
    """`512 MB`, `5.4 GB`; a dash where it is not known."""
    if megabytes is None:
        return "—"
    return f"{megabytes:,.0f} MB" if megabytes < 1000 else f"{megabytes / 1000:,.1f} GB"


def augmentation(manifest: dict[str, Any]) -> list[tuple[str, str]]:
    """What augmentation made and dropped, as (what, how many)."""
    noted = manifest.get("augment") or (manifest.get("stages") or {}).get("augment") or {}
    return facts({key: value for key, value in noted.items() if key not in BOOKKEEPING})


def surroundings(manifest: dict[str, Any]) -> list[tuple[str, str]]:
    """What the run ran on and with: hardware, versions, seed, model, data."""
    return facts({key: manifest[key] for key in ("hardware", "model", "seed", "data", "versions") if key in manifest})


def facts(values: Any, path: str = "") -> list[tuple[str, str]]:
    """Nested plain data as lines: {"model": {"name": "x"}} -> [("model, name", "x")]. Leaves out what is empty."""
    if isinstance(values, dict):
        return [fact for key, value in values.items() for fact in facts(value, f"{path}, {key}" if path else str(key))]
    if isinstance(values, list | tuple):
        values = ", ".join(str(value) for value in values)
    return [] if values is None or values == "" else [(path.replace("_", " "), str(values))]
