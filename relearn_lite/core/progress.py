"""Progress in words, where no terminal shows a bar: in a saved log, or a notebook's server."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 2.0  # seconds of work before anything is shown of it: shorter work needs nothing
BETWEEN_LINES = 30.0  # seconds


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


class ProgressLines:
    """A line every half minute: how much is done, of how much, in what time, and how long the rest will take.

    total: None where it is not known. say: is given each line. unit: of what is counted. before: done by an earlier
    try.
    """

    def __init__(self, total: int | None, say: Callable[[str], None], unit: str = "", before: float = 0):
        self._total, self._say, self._unit, self._before = total, say, unit, before
        self._began = self._said = time.monotonic()

    def tell(self, done: float) -> None:
        """Says how far it is, if that was not said within half a minute."""
        now = time.monotonic()
        if now - self._said < BETWEEN_LINES:
            return
        self._said, took = now, now - self._began
        line = " ".join(filter(None, [f"{round(done):,}", self._total and f"of {self._total:,}", self._unit]))
        line += f" in {duration(took)}"
        if self._total and done > self._before:
            line += f", some {duration(took / (done - self._before) * max(0.0, self._total - done))} left"
        self._say(line)
