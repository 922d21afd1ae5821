"""What a run shows in the terminal: progress, the verdict and one table."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relearn_lite.core.files import load_json
from relearn_lite.core.progress import PATIENCE, ProgressLines, duration
from relearn_lite.report import attacks
from relearn_lite.report.metric_table import headline, judged_by, metric_table
from relearn_lite.report.next_steps import next_steps
from relearn_lite.report.review import collected
from relearn_lite.report.run_results import RunResults, read_run
from relearn_lite.report.search import told
from relearn_lite.report.tables import Cell, Row
from relearn_lite.report.untrusted import visible
from relearn_lite.report.verdict import unjudged

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from relearn_lite.judges import Evaluators
    from relearn_lite.report.tables import Table as MetricTable


def show_run(folder: Path) -> None:
    """The verdict, the table and where the report is; or, for a run not evaluated yet, how far it is."""
    from rich.console import Console

    console = Console(markup=False, highlight=False)
    if not (folder / "metrics.json").exists():
        if (file := folder / "collect.json").exists():
            console.print(f"{collected(load_json(file))} See {folder / 'review.html'}")
        console.print(f"Stopped before evaluation; the run is in {folder}")
        return
    results = read_run(folder)
    console.print(summary_table(results))
    console.print(told(results))
    for sentence in next_steps(results):
        console.print(f"Next: {sentence}")
    _tell_unjudged(console, results.metrics)
    if results.attacks:
        console.print(attacks.console_table(results.attacks))
    report = folder / "report.html"
    if report.exists():
        console.print(f"Report: {report}", soft_wrap=True)
    if results.asked.get("unlearn"):
        place = f'"{folder}"' if " " in str(folder) else folder
        console.print(f"Talk to it, before and after: python main.py chat {place}", soft_wrap=True)


def show_scores(scores: dict[str, Any], evaluators: Evaluators) -> None:
    """The table of one model's answers, and who judged them."""
    from rich.console import Console

    console = Console(markup=False, highlight=False)
    metrics = {"vanilla": scores, "evaluators": evaluators.names(), "comparable_with_paper": False}
    console.print(summary_table(RunResults("score", metrics)))
    _tell_unjudged(console, metrics)


def show_export(table: MetricTable, lost: Sequence[str], same: int, asked: int, name: str) -> bool:
    """The numbers before, with the adapter and exported, and a red line for what came back; whether something did."""
    from rich.console import Console

    console = Console(markup=False, highlight=False)
    console.print(table.console(f"{name}, exported"))
    console.print(f"{same} of {asked} answers are word for word those of the run's adapter.")
    for sentence in lost:
        console.print(sentence, style="bold red")
    return bool(lost)


def _tell_unjudged(console: Console, metrics: dict[str, Any]) -> None:
    if sentence := unjudged(metrics):
        console.print(visible(sentence), style="yellow")


def summary_table(results: RunResults) -> Table:
    """The headline metrics before and after: which way is good, intervals and gaps if any, and who judged.

    Answers from files get all their metrics: there is no report to look them up in.
    """
    table = metric_table(results.metrics, results.answered())
    last = "unlearned" if "unlearned" in table.columns else "vanilla"
    rows, more = list(table.rows), []
    if last == "unlearned" or results.samples:
        rows, more = headline(table)

    def told(row: Row) -> Row:
        spread, missing = Cell(row.at(last)[0].spread), Cell("; ".join(row.notes), tone="warn")
        return replace(row, cells={**row.cells, "interval": spread, "missing": missing})

    shown = replace(table, rows=[told(row) for row in rows], left=("good", "missing"))
    columns = shown.columns | {"interval": "95 % interval", "missing": "Missing"}
    columns = {key: name for key, name in columns.items() if any(row.at(key)[0].text for row in shown.rows)}
    columns.pop("change", None)
    caption = judged_by(results.metrics) + (f" The report has {len(more)} more numbers." if more else "")
    return shown.only(columns).console(results.name, caption)


@contextmanager
def stage_progress(
    description: str, total: int | None, quiet: bool = False, console: Console | None = None
) -> Iterator[Callable[..., None]]:
    """Yields a function `advance(count=1, doing="")`: how many more items are done, and what is being done now.

    The bar appears only in a terminal, when not `quiet`, once the work has lasted two seconds, and goes with its end.
    Without a terminal, work that lasts has a line every half minute. What stays in either case, unless the work fails,
    is one line: description, items, time. total: None where it is not known.
    """
    from rich import progress as rich
    from rich.console import Console

    console = console or Console(stderr=True)
    progress = rich.Progress(
        rich.TextColumn("{task.description}", markup=False), rich.BarColumn(), rich.MofNCompleteColumn(),
        rich.TimeElapsedColumn(), rich.TimeRemainingColumn(), console=console, transient=True, refresh_per_second=2,
        disable=quiet or not console.is_terminal,
    )  # fmt: skip
    task = progress.add_task(description, total=total)
    start, done = time.monotonic(), 0
    lines = ProgressLines(total, lambda line: console.print(f"{description}: {line}", markup=False, highlight=False))

    def advance(count: float = 1, doing: str = "") -> None:
        nonlocal done
        done += count
        if not console.is_terminal and not quiet:
            lines.tell(done)
        progress.update(task, description=f"{description}: {doing}" if doing else description)
        if not progress.live.is_started and time.monotonic() - start > PATIENCE:
            progress.start()
        progress.advance(task, count)

    try:
        yield advance
    finally:
        progress.stop()
    took = duration(time.monotonic() - start)
    console.print(f"{description}: {round(done):,} in {took}", markup=False, highlight=False)
