"""`export --push` against a hub on loopback, by the real client in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from local_hub import running

ROOT = Path(__file__).parents[2]
TOKEN = "hf_of_this_test"
PUSH = "import sys; from relearn_lite.export.push import push; push(*sys.argv[1:3], private=sys.argv[3] == 'yes')"


@pytest.fixture
def hub():
    with running(TOKEN) as found:
        yield found


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "out"
    made.mkdir()
    (made / "README.md").write_text("---\nlicense: mit\n---\n# card\n")
    (made / "model.safetensors").write_bytes(bytes(range(256)) * 64)
    return made


def environment(hub, tmp_path, token=TOKEN):
    """A home of its own, so that no token and no cache of whoever runs the tests is used."""
    mine = {"HF_ENDPOINT": hub.address, "HF_TOKEN": token, "HF_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT),
            "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}  # fmt: skip
    return os.environ | mine


def sent(hub, folder, tmp_path, private="yes", token=TOKEN):
    command = [sys.executable, "-c", PUSH, str(folder), "me/it", private]
    return subprocess.run(command, capture_output=True, text=True, env=environment(hub, tmp_path, token))


def test_an_export_is_sent_whole_to_a_private_repository(hub, finished_run, tmp_path):
    out = tmp_path / "out"
    command = [sys.executable, str(ROOT / "main.py"), "export", str(finished_run), "--to", str(out)]
    done = subprocess.run(
        [*command, "--no-check", "--push", "me/it"], capture_output=True, text=True, env=environment(hub, tmp_path)
    )
    assert done.returncode == 0, done.stderr
    assert f"sent to {hub.address}/me/it" in done.stderr and hub.repos == {"me/it": True}
    written = {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert {path: content for (_, path), content in hub.files.items()} == written
    assert "model.safetensors" in written and "README.md" in written


def test_public_is_only_what_was_asked_to_be(hub, folder, tmp_path):
    done = sent(hub, folder, tmp_path, private="no")
    assert done.returncode == 0 and hub.repos == {"me/it": False}, done.stderr


def test_a_repository_that_is_public_already_is_sent_nothing(hub, folder, tmp_path):
    hub.repos["me/it"] = False
    done = sent(hub, folder, tmp_path)
    assert "--push: me/it is there already and public; make it private, or add --public" in done.stderr
    assert not hub.files and not any("commit" in path for path in hub.heard)


def test_a_token_that_is_refused_is_told_and_the_export_stays(hub, folder, tmp_path):
    done = sent(hub, folder, tmp_path, token="hf_wrong")
    assert "--push: me/it could not be sent" in done.stderr and f"the export lies whole in {folder}" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("relearn_lite.core.errors.RecipeError") and not hub.files


def test_a_server_that_answers_nonsense_is_told_in_one_sentence(hub, folder, tmp_path):
    """A network that wants a log-in first answers every address with a page; that ended in a traceback of JSON."""
    hub.nonsense = True
    done = sent(hub, folder, tmp_path)
    assert done.stderr.splitlines()[-1].startswith("relearn_lite.core.errors.RecipeError: --push: me/it could not")
