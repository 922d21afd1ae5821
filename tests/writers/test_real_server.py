"""A writer on `transformers serve`, an OpenAI-compatible server that this project did not write."""

from __future__ import annotations

import importlib.util
import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from relearn_lite.augment import PARTIAL, REPLIES, Settings, augment
from relearn_lite.core.errors import RecipeError
from relearn_lite.core.files import read_jsonl
from relearn_lite.core.records import QA, Dropped, Variant
from relearn_lite.recipe import WriterChoice
from relearn_lite.recipe.names import QUESTION_KINDS
from relearn_lite.writers import Task
from relearn_lite.writers.server import ServerWriter

FORGET = [QA("f0", "Where does Hiro Tanaka live?", "Hiro Tanaka lives at 4 Sakura Street in Kyoto.")]


@pytest.fixture(scope="module")
def served(tiny_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address of a server with the tiny model, and its log, which has a line for every request that it answered."""
    if not (importlib.util.find_spec("fastapi") and importlib.util.find_spec("uvicorn")):
        pytest.skip('needs pip install "transformers[serving]"')
    port, log = _free_port(), tmp_path_factory.mktemp("serve") / "log.txt"
    command = ["serve", str(tiny_model_dir), "--host", "127.0.0.1", "--port", str(port)]
    run = "from transformers.cli.transformers import main; main()"
    with log.open("wb") as file:
        process = subprocess.Popen([sys.executable, "-c", run, *command], stdout=file, stderr=file)
    try:
        _wait_until_healthy(process, f"http://127.0.0.1:{port}/health", log)
        yield f"http://127.0.0.1:{port}/v1", log
    finally:
        process.terminate()
        process.wait(30)


def choice(url: str, model: str, **settings) -> WriterChoice:
    return WriterChoice(writer="server", base_url=url, model=model, **settings)


@pytest.fixture
def real_server(served: tuple[str, Path]) -> str:
    return served[0]


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
    writer = ServerWriter(choice(real_server, str(tiny_model_dir), concurrency=4, max_new_tokens=16))
    settings = Settings(QUESTION_KINDS, verify_rounds=1, completion_fraction=0.25, generic_ratio=1.2, seed=0)
    counts = augment(FORGET, [], writer, settings, tmp_path)
    pairs = [p for p in read_jsonl(tmp_path / "augmented.jsonl", Variant) if p.kind != "completion"]
    dropped = list(read_jsonl(tmp_path / "dropped.jsonl", Dropped))
    assert {record.id for record in (*pairs, *dropped)} >= {f"f0/{kind}" for kind in ("original", *QUESTION_KINDS)}
    assert pairs and {pair.verdicts["writer"] for pair in pairs} == {"rules"}
    assert sum(sum(by.values()) for by in counts["fallback"].values()) == len(pairs)


def test_a_real_server_without_the_model_is_told(real_server):
    with pytest.raises(RecipeError, match=r"augment\.model: .* does not serve 'no/such-model'"):
        ServerWriter(choice(real_server, "no/such-model")).write([Task("answer", "Where?")])


MANY = [
    {"id": f"m{i}", "question": f"Where does person number {i} live?", "answer": "At 4 Sakura Street in Kyoto."}
    for i in range(6)
]
ATTEMPTS = 2 * len(MANY)  # a random model is refused both times; there are no question variants
TRIAL = 1  # this server does not list the model, so each process first tries it with one tiny request
AUGMENT = """
import json, sys
from pathlib import Path
from relearn_lite.augment import PARTIAL, REPLIES, Settings, augment
from relearn_lite.core.records import QA
from relearn_lite.recipe import WriterChoice
from relearn_lite.writers import Task
from relearn_lite.writers.server import ServerWriter
url, model, folder, rows = sys.argv[1:]
settings = Settings([], verify_rounds=1, completion_fraction=0, generic_ratio=0, seed=0)
choice = WriterChoice(writer="server", base_url=url, model=model, concurrency=1, max_new_tokens=12)
writer = ServerWriter(choice)
augment([QA(**row) for row in json.loads(rows)], [], writer, settings, Path(folder))
"""


def test_after_a_kill_no_finished_call_is_made_again(served, tiny_model_dir, tmp_path):
    """Counted in the log of the server, which knows nothing of ours."""
    url, log = served
    start = _answered(log)
    command = [sys.executable, "-c", AUGMENT, url, str(tiny_model_dir), str(tmp_path), json.dumps(MANY)]
    process = subprocess.Popen(command, cwd=Path(__file__).parents[2])
    while _kept(tmp_path) < 3:  # in the first chunk of four questions, between two replies
        assert process.poll() is None, "it was done before it could be killed"
        time.sleep(0.005)
    process.kill()
    process.wait(30)
    kept, before = _kept(tmp_path), _settled(log)
    assert 3 <= kept < ATTEMPTS
    subprocess.run(command, cwd=Path(__file__).parents[2], check=True, timeout=300)
    after = _settled(log)
    assert after - before == TRIAL + ATTEMPTS - kept, "only what was not kept is asked for"
    assert before - start - TRIAL - kept in (0, 1), "at the kill one call was under way at most"
    assert len(list(read_jsonl(tmp_path / "augmented.jsonl", Variant))) == len(MANY)


def _kept(folder: Path) -> int:
    """Replies that are on disk: single ones, and two a question of each chunk."""
    replies, chunks = folder / REPLIES, folder / PARTIAL
    single = replies.read_text().count("\n") if replies.exists() else 0
    return single + (2 * 4 * chunks.read_text().count("\n") if chunks.exists() else 0)


def _answered(log: Path) -> int:
    return log.read_text(errors="replace").count("POST /v1/chat/completions")


def _settled(log: Path) -> int:
    """The calls in the log, once it has stopped growing: a call under way at a kill is still answered."""
    count, same = _answered(log), 0
    while same < 4:
        time.sleep(0.25)
        now = _answered(log)
        same, count = (same + 1, count) if now == count else (0, now)
    return count


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
