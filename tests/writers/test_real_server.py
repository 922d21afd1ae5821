"""A writer on `transformers serve`, an OpenAI-compatible server that this project did not write."""

from __future__ import annotations

import importlib.util
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from relearn_lite.augment import Settings, augment
from relearn_lite.errors import RecipeError
from relearn_lite.records import QA, Dropped, Variant, read_jsonl
from relearn_lite.writers import QUESTION_KINDS
from relearn_lite.writers.server import ServerWriter

FORGET = [QA("f0", "Where does Hiro Tanaka live?", "Hiro Tanaka lives at 4 Sakura Street in Kyoto.")]


@pytest.fixture(scope="module")
def real_server(tiny_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with the tiny model."""
    if not (importlib.util.find_spec("fastapi") and importlib.util.find_spec("uvicorn")):
        pytest.skip('needs pip install "transformers[serving]"')
    port, log = _free_port(), tmp_path_factory.mktemp("serve") / "log.txt"
    command = ["serve", str(tiny_model_dir), "--host", "127.0.0.1", "--port", str(port)]
    run = "from transformers.cli.transformers import main; main()"
    with log.open("wb") as file:
        process = subprocess.Popen([sys.executable, "-c", run, *command], stdout=file, stderr=file)
    try:
        _wait_until_healthy(process, f"http://127.0.0.1:{port}/health", log)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait(30)


def _wait_until_healthy(process: subprocess.Popen, url: str, log: Path, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            pytest.fail(f"transformers serve ended: {log.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.3)
    pytest.fail(f"transformers serve did not answer within {seconds:g} s: {log.read_text()[-2000:]}")


def test_whole_augmentation_through_a_real_server(real_server, tiny_model_dir, tmp_path):
    """The model behind it is random and writes nonsense: nothing of it may count as a success."""
    writer = ServerWriter(real_server, str(tiny_model_dir), concurrency=4, max_tokens=16)
    settings = Settings(QUESTION_KINDS, verify_rounds=1, completion_fraction=0.25, generic_ratio=1.2, seed=0)
    counts = augment(FORGET, [], writer, settings, tmp_path)
    pairs = [p for p in read_jsonl(tmp_path / "augmented.jsonl", Variant) if p.kind != "completion"]
    dropped = list(read_jsonl(tmp_path / "dropped.jsonl", Dropped))
    assert {record.id for record in (*pairs, *dropped)} >= {f"f0/{kind}" for kind in ("original", *QUESTION_KINDS)}
    assert pairs and {pair.verdicts["writer"] for pair in pairs} == {"rules"}
    assert sum(sum(by.values()) for by in counts["fallback"].values()) == len(pairs)


def test_a_real_server_without_the_model_is_told(real_server):
    with pytest.raises(RecipeError, match=r"augment\.model: .* does not serve 'no/such-model'"):
        ServerWriter(real_server, "no/such-model").check()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
