"""How many requests a server gets at a time, with real servers on loopback that take only so many."""

from __future__ import annotations

import threading
import time

import pytest
from test_server import VAGUE, chat_reply, server_writer, serving

from relearn_lite.writers import Task

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


@pytest.mark.parametrize("room", [4, 16])
def test_as_many_as_make_the_server_faster(room):
    running: list[int] = []
    with serving(answering(room, running)) as (url, seen):
        writer = server_writer(url, "tiny")
        assert writer.write(TASKS) == [VAGUE] * len(TASKS)
    assert writer.in_flight.found and writer.in_flight.limit == room
    assert max(running) <= 2 * room and len(seen) == len(TASKS)


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
