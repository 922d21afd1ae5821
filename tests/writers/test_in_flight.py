"""How many requests a server gets at a time: with real servers on loopback that take only so many, and by a clock of
the test's own where the number itself is asked for, since a busy machine's clock would not always give it."""

from __future__ import annotations

import threading
import time

import pytest
from test_server import VAGUE, chat_reply, server_writer, serving

from relearn_lite.writers import Task
from relearn_lite.writers.in_flight import InFlight

TASKS = [Task("answer", f"Where does person number {i} live?", "In Kyoto.", seed=i) for i in range(80)]
SECONDS = 0.4  # of a reply, where the server is not too busy


def answering(room: int, running: list[int], status=200):
    """A server that answers `room` requests in SECONDS and takes its time in proportion for more."""
    lock = threading.Lock()

    def answer(*_):
        with lock:
            running.append(running[-1] + 1 if running else 1)
        time.sleep(SECONDS / 4)  # until all of a wave are here
        with lock:
            busy = running[-1]
        time.sleep(SECONDS * max(1.0, busy / room) - SECONDS / 4)
        with lock:
            running.append(running[-1] - 1)
        return status, chat_reply(VAGUE)

    return answer


def test_a_server_that_has_room_gets_more_and_not_much_more_than_that():
    running: list[int] = []
    with serving(answering(16, running)) as (url, seen):
        writer = server_writer(url, "tiny")
        assert writer.write(TASKS) == [VAGUE] * len(TASKS)
    assert 4 < max(running) <= 32 and len(seen) == len(TASKS)


def limit_found(room: int, *, slow_waves=()) -> int:
    """The limit found for a server that answers `room` requests in a second, and for more takes so much longer.
    slow_waves: numbers of the waves, from 0, that take three times as long because something else ran."""
    now, waves, sent = [0.0], [], []

    def clock() -> float:
        if len(sent) > sum(waves):  # at the end of a wave
            waves.append(len(sent) - sum(waves))
            now[0] += max(1.0, waves[-1] / room) * (3 if len(waves) - 1 in slow_waves else 1)
        return now[0]

    in_flight = InFlight(clock=clock)
    results = in_flight.map(lambda item: sent.append(item) or item, range(600), lambda: len(sent), lambda: 0)
    assert results == list(range(600)) and in_flight.found
    return in_flight.limit


@pytest.mark.parametrize("room", [4, 8, 16, 32, 64])
def test_as_many_as_make_the_server_faster(room):
    assert limit_found(room) == room


@pytest.mark.parametrize("slow", [0, 1, 2, 3, 4])
def test_one_slow_wave_does_not_lower_it(slow):
    assert limit_found(16, slow_waves=[slow]) >= 16


def test_a_server_that_refuses_gets_fewer():
    with serving(answering(4, [], status=503)) as (url, _):
        writer = server_writer(url, "tiny", max_retries=0)
        assert writer.write(TASKS[:3]) == [None] * 3
    assert writer.in_flight.limit == 2


def test_a_number_in_the_recipe_stays():
    running: list[int] = []
    with serving(answering(2, running)) as (url, _):
        writer = server_writer(url, "tiny", concurrency=6)
        writer.write(TASKS[:12])
    assert writer.in_flight.limit == max(running) == 6
