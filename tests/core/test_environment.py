"""What torch's threads are told before torch is there."""

import os

import pytest

from relearn_lite.core.environment import share_cores


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, ("PASSIVE", "500")),
        ({"OMP_WAIT_POLICY": "ACTIVE"}, ("ACTIVE", None)),  # a spin count would undo it
        ({"GOMP_SPINCOUNT": "5"}, ("PASSIVE", "5")),
    ],
)
def test_threads_that_wait_spin_shortly_unless_it_is_set_otherwise(given, found, monkeypatch):
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT"):
        monkeypatch.setenv(name, "")  # so that it is put back
        monkeypatch.delenv(name)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    share_cores()
    assert (os.environ.get("OMP_WAIT_POLICY"), os.environ.get("GOMP_SPINCOUNT")) == found
