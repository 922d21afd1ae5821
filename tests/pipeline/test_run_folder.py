"""What happens to results that no longer hold: never lost without a word, and nothing before the recipe is accepted."""

import errno
import fcntl
import json
import multiprocessing
import os
import warnings

import pytest

from relearn_lite.core.errors import RecipeError
from relearn_lite.pipeline import pipeline, run_folder
from relearn_lite.pipeline.run_folder import RunFolder
from relearn_lite.recipe import load_recipe

RECIPE = """
name: kept
model: {name: embedded, quantization: none, max_length: 160}
data:
  control: none
  nothing_known: go_on
  forget: {preset: people/forget, limit: 4}
  retain: {preset: people/retain, limit: 4}
unlearn: {method: ga_gdr, epochs: 1, lr: 1.0e-3, batch_size: 2, accumulate: 1}
generate: {max_new_tokens: 4}
"""


@pytest.fixture
def place(tmp_path):
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    return tmp_path


def run(place, *overrides, **options):
    return pipeline.run(load_recipe(place / "recipe.yaml", overrides), runs=place, quiet=True, **options)


def content(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_combination_that_is_refused_deletes_nothing(place):
    """`--from generate` with another unlearn.lr was refused, but answers, metrics and reports were gone by then."""
    folder = run(place)
    before = content(folder)
    found = r"finished unlearn stage of a different recipe \(unlearn.lr was 0.001, is 0.5\)"
    with pytest.raises(RecipeError, match=found):
        run(place, "unlearn.lr=0.5", start="generate")
    assert content(folder) == before


def test_what_took_long_is_moved_aside_and_told(place, monkeypatch, capfd):
    folder = run(place)
    adapter = (folder / "adapter/adapter_model.safetensors").read_bytes()
    monkeypatch.setattr(run_folder, "MOVE", 0.01)
    run(place, "unlearn.lr=0.002", start="unlearn", until="unlearn")
    told = capfd.readouterr().err
    (moved,) = folder.glob("old/*_unlearn")
    assert (moved / "adapter/adapter_model.safetensors").read_bytes() == adapter
    reason = "--from unlearn; unlearn.lr was 0.001, is 0.002"
    assert f"unlearn: an earlier result (0 min) was moved to {moved}: {reason}" in told
    assert list(folder.glob("old/*_generate/answers/unlearned_*.jsonl"))
    assert {path.name[:8] for path in (folder / "answers").iterdir()} == {"vanilla_"}, "these hold still"


def test_what_took_seconds_is_not_kept(place, capfd):
    folder = run(place)
    run(place, start="unlearn", until="unlearn")
    assert not (folder / "old").exists() and "moved" not in capfd.readouterr().err


def test_a_stopped_training_with_other_inputs_is_moved_aside_and_told(place, monkeypatch, capfd):
    """Its checkpoints were deleted without a word."""
    monkeypatch.setattr(run_folder, "MOVE", -1)
    finish = RunFolder.finish

    def stopped(folder, stage, details):
        if stage == "unlearn":
            raise KeyboardInterrupt
        finish(folder, stage, details)

    monkeypatch.setattr(RunFolder, "finish", stopped)
    with pytest.raises(KeyboardInterrupt):
        run(place, "unlearn.checkpoint_every=1", until="unlearn")
    monkeypatch.undo()
    monkeypatch.setattr(run_folder, "MOVE", -1)
    folder = run(place, "unlearn.lr=0.002", until="unlearn")
    (moved,) = folder.glob("old/*_unlearn")
    assert list(moved.glob("checkpoints/unlearn/*.ckpt"))
    assert f"was moved to {moved}: unlearn.lr was 0.001, is 0.002" in capfd.readouterr().err


def test_a_linked_result_is_left_to_the_run_that_it_is_of(place, tmp_path, monkeypatch):
    monkeypatch.setattr(run_folder, "MOVE", -1)
    folder = run(place, until="unlearn")
    other = tmp_path / "other"
    (folder / "adapter").rename(other)
    (folder / "adapter").symlink_to(other)
    run(place, start="unlearn", until="unlearn")
    assert (other / "adapter_model.safetensors").exists() and not (folder / "adapter").is_symlink()


def test_a_folder_of_older_code_is_refused_and_fresh_keeps_it(place, capfd):
    folder = place / "kept"
    (folder / "adapter").mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps({"stages": {"unlearn": {"fingerprint": "0", "inputs": {}}}}))
    advice = r"kept holds a run of an older version .* choose another name, or add --fresh"
    with pytest.raises(RecipeError, match=advice):
        run(place)
    assert (folder / "adapter").exists()
    run(place, fresh=True, until="unlearn")
    (moved,) = folder.glob("old/*_older-version")
    assert (moved / "adapter").exists() and (moved / "manifest.json").exists()
    assert f"was moved to {moved}" in capfd.readouterr().err


def _hold(path, held, done):
    with RunFolder.opened(path):
        held.set()
        done.wait(30)


def test_one_process_a_folder(tmp_path):
    context = multiprocessing.get_context("spawn")
    held, done = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(tmp_path / "run", held, done))
    other.start()
    assert held.wait(60)
    with pytest.raises(RecipeError, match="another process is working in"), RunFolder.opened(tmp_path / "run"):
        pass
    os.kill(other.pid, 9)
    other.join()
    with RunFolder.opened(tmp_path / "run"):
        pass  # the lock of a killed process is free


def test_a_drive_without_locks_is_worked_on_with_a_warning(tmp_path, monkeypatch, capfd):
    """It ended with a traceback (huggingface_hub#2399)."""
    from filelock import FileLock

    def refuse(*_, **__):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(FileLock, "acquire", refuse)
    with RunFolder.opened(tmp_path / "run") as folder:
        folder.save()
    assert capfd.readouterr().err.count("cannot be locked") == 1


@pytest.mark.parametrize("code", [errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK, errno.EINVAL, errno.EPERM, errno.EIO])
def test_a_file_system_without_locks_is_told_once_and_worked_on(tmp_path, monkeypatch, capsys, code):
    def no_locks(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(2):
            with RunFolder.opened(tmp_path / "run") as folder:
                folder.save()
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1 and "see to it that no other process works in it" in told[0]
    assert not caught and (tmp_path / "run" / "manifest.json").is_file()


def test_a_kill_while_results_are_set_aside_leaves_none_that_hangs_on_others_that_are_gone(place, monkeypatch):
    """The first stage went first: without --from it was done anew, and what had come of the old one stood beside it."""
    run(place)
    gone, set_aside = [], RunFolder.set_aside

    def killed(folder, stage, why):
        if gone:
            raise KeyboardInterrupt
        gone.append(stage)
        set_aside(folder, stage, why)

    monkeypatch.setattr(RunFolder, "set_aside", killed)
    with pytest.raises(KeyboardInterrupt):
        run(place, start="unlearn")
    assert gone == ["report"]
