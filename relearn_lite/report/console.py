"""What a run shows in the terminal: calm progress and one table."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from relearn_lite.report import RunResults
from relearn_lite.report.cost import duration
from relearn_lite.report.rows import headline, judged_by, rows
from relearn_lite.report.untrusted import visible

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table

PATIENCE = 2.0  # seconds of work before a bar appears: shorter work needs none


def summary_table(results: RunResults) -> Table:
    """The headline metrics before and after: which way is good, intervals and gaps if any, and who judged.

    Answers from files get all their metrics: there is no report to look them up in.
    """
    from rich.table import Table
    from rich.text import Text

    lines, more = rows(results.metrics, results.answered()), []
    models = [model for model in ("vanilla", "unlearned") if results.metrics.get(model)]
    after = models[-1:] == ["unlearned"]
    if after or results.samples:
        lines, more = headline(lines)
    spans = [line.after_interval if after else line.before_interval for line in lines]
    table = Table(
        title=Text(visible(results.name), style="bold"),
        caption=Text(judged_by(results.metrics) + (f" The report has {len(more)} more numbers." if more else "")),
        caption_justify="left",
        title_justify="left",
    )
    table.add_column("metric", overflow="fold")
    for model in models:
        table.add_column(model if after else "value", justify="right", no_wrap=True)
    table.add_column("good is", overflow="fold")
    if any(spans):
        table.add_column("95 % interval", justify="right", no_wrap=True)
    if any(line.missing for line in lines):
        table.add_column("missing", overflow="fold")
    colours = {True: "green", False: "red", None: ""}
    for line, span in zip(lines, spans, strict=True):
        values = {"vanilla": Text(line.before), "unlearned": Text(line.after, style=colours[line.better])}
        cells = [Text(line.label), *(values[model] for model in models), Text(line.goal)]
        cells += [Text(span)] if any(spans) else []
        cells += [Text(visible(line.missing), style="yellow")] if any(each.missing for each in lines) else []
        table.add_row(*cells)
    return table


@contextmanager
def stage_progress(
    description: str, total: int | None, quiet: bool = False, console: Console | None = None
) -> Iterator[Callable[..., None]]:
    """Yields a function `advance(count=1, doing="")`: how many more items are done, and what is being done now.

    The bar appears only in a terminal, only when not `quiet`, and only once the work has lasted two seconds; it goes
    when the work ends. What stays, everywhere, is one line: description, items, time. A failure leaves no such line.
    `total` None: not known how much there is. Writes to standard error unless given a console.
    """
    from rich.console import Console

    console = console or Console(stderr=True)
    progress = _bar(console, disable=quiet or not console.is_terminal)
    task = progress.add_task(description, total=total)
    start, done = time.monotonic(), 0

    def advance(count: float = 1, doing: str = "") -> None:
        nonlocal done
        done += count
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


def _bar(console: Console, disable: bool) -> Progress:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

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
