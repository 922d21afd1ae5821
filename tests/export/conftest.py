"""The finished run that is exported."""

import finished
import pytest


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory):
    return finished.make(tmp_path_factory.mktemp("finished"))
