"""What a run shows in the terminal: calm progress and one table."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from relearn_lite.report import RunResults
from relearn_lite.report.cost import duration
from relearn_lite.report.rows import judged_by, rows
from relearn_lite.report.untrusted import visible

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table

PATIENCE = 2.0  # seconds of work before a bar appears: shorter work needs none


def summary_table(results: RunResults) -> Table:
    """The metrics before and after: which way is good, intervals and gaps where there are any, and who judged."""
    from rich.table import Table
    from rich.text import Text

    lines = rows(results.metrics, results.answered())
    spans, gaps = any(line.after_interval for line in lines), any(line.missing for line in lines)
    table = Table(
        title=Text(visible(results.name), style="bold"),
        caption=Text(judged_by(results.metrics)),
        caption_justify="left",
        title_justify="left",
    )
    table.add_column("metric", overflow="fold")
    table.add_column("vanilla", justify="right", no_wrap=True)
    table.add_column("unlearned", justify="right", no_wrap=True)
    table.add_column("good is", overflow="fold")
    if spans:
        table.add_column("95 % interval", justify="right", no_wrap=True)
    if gaps:
        table.add_column("missing", overflow="fold")
    colours = {True: "green", False: "red", None: ""}
    for line in lines:
        cells = [Text(line.label), Text(line.before), Text(line.after, style=colours[line.better]), Text(line.goal)]
        cells += [Text(line.after_interval)] if spans else []
        cells += [Text(line.missing, style="yellow")] if gaps else []
        table.add_row(*cells)
    return table


@contextmanager
def stage_progress(
    description: str, total: int | None, quiet: bool = False, console: Console | None = None
) -> Iterator[Callable[[int], None]]:
    """Yields a function that is told how many more items are done, and shows them as a bar.

    The bar appears only in a terminal, only when not `quiet`, and only once the work has lasted two seconds; it goes
    when the work ends. What stays, everywhere, is one line: description, items, time. A failure leaves no such line.
    `total` None: not known how much there is. Writes to standard error unless given a console.
    """
    from rich.console import Console

    console = console or Console(stderr=True)
    progress = _bar(console, disable=quiet or not console.is_terminal)
    task = progress.add_task(description, total=total)
    start, done = time.monotonic(), 0

    def advance(count: int = 1) -> None:
        nonlocal done
        done += count
        if not progress.live.is_started and time.monotonic() - start > PATIENCE:
            progress.start()
        progress.advance(task, count)

    try:
        yield advance
    finally:
        progress.stop()
    console.print(f"{description}: {done:,} in {duration(time.monotonic() - start)}", markup=False, highlight=False)


def _bar(console: Console, disable: bool) -> Progress:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        refresh_per_second=2,
        disable=disable,
    )
