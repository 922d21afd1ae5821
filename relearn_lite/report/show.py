"""What a command prints at its end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from relearn_lite.report import RunResults
from relearn_lite.report.attacks import console_table as attacks_table
from relearn_lite.report.console import summary_table
from relearn_lite.report.folder import read_run
from relearn_lite.report.untrusted import visible
from relearn_lite.report.verdict import unjudged, verdict

if TYPE_CHECKING:
    from rich.console import Console

    from relearn_lite.judges import Evaluators


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
    _tell_unjudged(console, results.metrics)
    if results.attacks:
        console.print(attacks_table(results.attacks))
    report = folder / "report.html"
    if report.exists():
        console.print(f"Report: {report}", markup=False, highlight=False, soft_wrap=True)


def show_scores(scores: dict[str, Any], evaluators: Evaluators) -> None:
    """The table of one model's answers, and who judged them."""
    from rich.console import Console

    console = Console()
    metrics = {"vanilla": scores, "evaluators": evaluators.names(), "comparable_with_paper": False}
    console.print(summary_table(RunResults("score", metrics)))
    _tell_unjudged(console, metrics)


def _tell_unjudged(console: Console, metrics: dict[str, Any]) -> None:
    if sentence := unjudged(metrics):
        console.print(visible(sentence), markup=False, highlight=False, style="yellow")
