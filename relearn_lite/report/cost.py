"""What a run cost and what it ran on, taken from its manifest."""

from __future__ import annotations

from typing import Any

from relearn_lite.report.numbers import duration, memory
from relearn_lite.report.tables import Cell, Row, Table


def stage_table(manifest: dict[str, Any]) -> Table | None:
    """The stages in their order, with their time and peak memory, and a last line for the whole run."""
    measured = manifest.get("stages") or {}
    if not measured:
        return None
    total = sum(stage.get("seconds") or 0 for stage in measured.values())
    peaks = [stage["peak_memory_mb"] for stage in measured.values() if stage.get("peak_memory_mb") is not None]
    whole = {"seconds": total, "peak_memory_mb": max(peaks, default=None),
             "resumed": any(stage.get("resumed") for stage in measured.values())}  # fmt: skip
    columns = {"time": "Time", "memory": "Peak memory", "share": "Share of the time"}
    return Table("Stage", columns, [_row(name, stage, total) for name, stage in (*measured.items(), ("all", whole))])


def _row(name: str, stage: dict[str, Any], total: float) -> Row:
    """One that was stopped and resumed knows only how long its last try took."""
    least = "at least " if stage.get("resumed") else ""
    share = f"{100 * (stage.get('seconds') or 0) / total:.0f} %" if total else "—"
    cells = {"time": least + duration(stage.get("seconds")), "memory": memory(stage.get("peak_memory_mb"))}
    return Row(name, {key: Cell(text) for key, text in (cells | {"share": share}).items()})


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
