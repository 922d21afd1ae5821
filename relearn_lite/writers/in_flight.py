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
    and halved, then for good, where it twice does not; also where requests are refused or take too long.

    clock: seconds, as time.monotonic tells them."""

    def __init__(self, fixed: int | None = None, clock: Callable[[], float] = time.monotonic):
        self.limit, self.found = fixed or FIRST, fixed is not None
        self._fixed, self._clock = self.found, clock
        self._warm, self._doubted, self._best = False, False, 0.0

    def map(
        self, send: Callable[[Item], Result], items: Sequence[Item], done: Callable[[], int], failed: Callable[[], int]
    ) -> list[Result]:
        """The result for each item, in order. done, failed: what was written so far, and how many requests failed."""
        results: list[Result] = []
        while len(results) < len(items):
            wave = items[len(results) :] if self.found else items[len(results) : len(results) + self.limit]
            before, faults, begin = done(), failed(), self._clock()
            with ThreadPoolExecutor(self.limit) as pool:
                results += pool.map(send, wave)
            if failed() > faults:
                self._lower()
            elif not self.found and len(wave) == self.limit:
                self._raise((done() - before) / (self._clock() - begin))
        return results

    def _raise(self, rate: float) -> None:
        if not self._warm:  # connections were made, the server read its model: no measure of it
            self._warm = True
        elif rate < GAIN * self._best:
            if self._doubted:
                self._lower()
            self._doubted = True  # one slow wave may be a busy machine: it is tried once more
        else:
            self._doubted = False
            self.found = self.limit == MOST
            self._best, self.limit = rate, min(2 * self.limit, MOST)

    def _lower(self) -> None:
        if not self._fixed:
            self.limit, self.found = max(1, self.limit // 2), True
