"""Requests in flight to a server: as many as it answers faster for, found by trying."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

FIRST, MOST = 4, 64  # requests at a time, to begin with and at most
GAIN = 1.25  # twice as many requests must give so many times the rate: less may be chance


class InFlight:
    """Sends requests, `limit` at a time. Without a fixed number it is doubled as long as that makes the server faster,
    and halved, then for good, where it does not; also where requests are refused or take too long."""

    def __init__(self, fixed: int | None = None):
        self.limit, self.found = fixed or FIRST, fixed is not None
        self._fixed, self._warm, self._best = self.found, False, 0.0

    def map(
        self, send: Callable[[Item], Result], items: Sequence[Item], done: Callable[[], int], failed: Callable[[], int]
    ) -> list[Result]:
        """The result for each item, in order. done, failed: what was written so far, and how many requests failed."""
        results: list[Result] = []
        while len(results) < len(items):
            wave = items[len(results) :] if self.found else items[len(results) : len(results) + self.limit]
            before, faults, begin = done(), failed(), time.monotonic()
            with ThreadPoolExecutor(self.limit) as pool:
                results += pool.map(send, wave)
            if failed() > faults:
                self._lower()
            elif not self.found and len(wave) == self.limit:
                self._raise((done() - before) / (time.monotonic() - begin))
        return results

    def _raise(self, rate: float) -> None:
        if not self._warm:  # connections were made, the server read its model: no measure of it
            self._warm = True
        elif rate < GAIN * self._best:
            self._lower()
        else:
            self._best, self.limit = rate, min(2 * self.limit, MOST)
            self.found = self.limit == MOST

    def _lower(self) -> None:
        if not self._fixed:
            self.limit, self.found = max(1, self.limit // 2), True
