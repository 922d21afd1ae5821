"""What people mistype, and machines that lack what a Linux has: links, a UTF-8 console, POSIX modules."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from relearn_lite.core.files import link_or_copy
from relearn_lite.recipe import RecipeError, load_recipe

ROOT = Path(__file__).parents[2]
QUICKSTART = "recipes/quickstart.yaml"


def command(*arguments, code=None, **more):
    start = [sys.executable, "-c", code] if code else [sys.executable, "-m", "relearn_lite"]
    return subprocess.run([*start, *arguments], capture_output=True, cwd=ROOT, **more)


@pytest.mark.parametrize(("arguments", "told"), [
    (("chekc", QUICKSTART), "did you mean 'check'?"), (("nonsense.yaml",), "does not exist"),
    ((QUICKSTART, "--learning_rate", "1"), "unlearn.lr=VALUE"), ((QUICKSTART, "--load-in-4bit"), "quantization=4bit"),
    ((QUICKSTART, "--lora_r", "8"), "unlearn.lora.r=VALUE"),
    (("check", QUICKSTART, "model.name=embeded"), "did you mean 'embedded'?"),
])  # fmt: skip
def test_what_was_mistyped_is_answered_with_what_was_meant(arguments, told):
    done = command(*arguments, text=True)
    assert done.returncode == 2 and told in done.stderr and "Traceback" not in done.stderr


def test_a_python_without_the_packages_is_told_of_in_a_sentence():
    """As in a new terminal, where nobody has switched the environment on."""
    done = subprocess.run([sys.executable, "-S", "main.py", QUICKSTART], capture_output=True, cwd=ROOT, text=True)
    assert done.returncode == 1 and done.stderr.startswith("error: the package ") and "activate" in done.stderr


@pytest.mark.parametrize("key", [
    "learning_rate", "num_train_epochs", "per_device_train_batch_size", "gradient_accumulation_steps", "lora_r",
    "lora_alpha", "load_in_4bit", "model_name_or_path",
])  # fmt: skip
def test_keys_of_other_tools_are_answered_with_ours(key):
    with pytest.raises(RecipeError, match=r"here it is called (unlearn|model)\.[a-z_.]+"):
        load_recipe(ROOT / QUICKSTART, [f"{key}=1"])


def test_without_posix_modules_the_commands_and_the_page_still_work():
    code = (
        "import sys\n"
        "for name in ('fcntl', 'resource', 'pwd', 'grp', 'termios'): sys.modules[name] = None\n"
        "import relearn_lite.cli.commands, relearn_lite.pipeline, relearn_lite.compare, relearn_lite.report.render\n"
        f"sys.argv = ['x', 'check', '{QUICKSTART}']\n"
        "from relearn_lite.cli import main; main()"
    )
    done = command(code=code, text=True)
    assert done.returncode == 0 and "fine. Stages" in done.stdout, done.stderr


def test_a_console_that_lacks_a_character_shows_another_one():
    code = "import sys; sys.argv = ['x', 'check', 'na\u2192me.yaml']; from relearn_lite.cli import main; main()"
    done = command(code=code, env=os.environ | {"PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"})
    assert done.returncode == 2 and b"na?me.yaml does not exist" in done.stderr


def test_where_no_link_can_be_made_a_copy_stands(tmp_path, monkeypatch):
    def refused(*_, **__):
        raise OSError("A required privilege is not held by the client")

    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/file").write_text("x")
    monkeypatch.setattr(Path, "symlink_to", refused)
    link_or_copy(tmp_path / "copy", tmp_path / "folder")
    link_or_copy(tmp_path / "file", tmp_path / "folder/file")
    assert (tmp_path / "copy/file").read_text() == (tmp_path / "file").read_text() == "x"
