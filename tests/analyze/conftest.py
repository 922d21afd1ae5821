from __future__ import annotations

import math

import pytest
from pair_of_models import Pair, shaken

from relearn_lite.analyze.architecture import find_architecture


@pytest.fixture(scope="session")
def pair() -> Pair:
    return shaken("none", 0.08)


@pytest.fixture
def no_numbers(pair):
    """The vanilla model while its last norm makes no numbers, as half precision does where it is too small."""
    hook = find_architecture(pair.loaded.model).norm.register_forward_hook(lambda _, __, out: out * math.nan)
    yield {"vanilla": pair.models["vanilla"]}
    hook.remove()
