from __future__ import annotations

import pytest
from pair_of_models import Pair, shaken


@pytest.fixture(scope="session")
def pair() -> Pair:
    return shaken("none", 0.08)
