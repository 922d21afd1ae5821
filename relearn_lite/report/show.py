"""What a command prints at its end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from relearn_lite.report import RunResults
from relearn_lite.report.console import summary_table
from relearn_lite.report.folder import read_run
from relearn_lite.report.verdict import verdict


def show_run(folder: Path) -> None:
    """The verdict, the table and where the report is; or, for a run not evaluated yet, how far it is."""
    from rich.console import Console

    console = Console()
    if not (folder / "metrics.json").exists():
        console.print(f"Stopped before evaluation; the run is in {folder}", markup=False, highlight=False)
        return
    results = read_run(folder)
    console.print(summary_table(results))
    console.print(verdict(results.metrics, results.answered()), markup=False, highlight=False)
    report = folder / "report.html"
    if report.exists():
        console.print(f"Report: {report}", markup=False, highlight=False, soft_wrap=True)


def show_scores(scores: dict[str, Any]) -> None:
    """The table of one model's answers."""
    from rich.console import Console

    from relearn_lite.evaluators import embedded_evaluators

    evaluators = {"evaluators": embedded_evaluators().names(), "comparable_with_paper": False}
    Console().print(summary_table(RunResults("score", {"vanilla": scores, **evaluators})))
