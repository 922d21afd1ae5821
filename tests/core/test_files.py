"""Folders that appear at once, and files that were damaged since."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from relearn_lite.core.errors import RecipeError
from relearn_lite.core.files import cached_folder, load_json, read_jsonl, read_rows, replace_folder
from relearn_lite.core.records import Reply


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[0o022, 0o027, 0o002])
def umask(request):
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes of this kind")
def test_all_files_of_a_folder_follow_the_umask(tmp_path, umask):
    """safetensors writes under a temporary name that its owner alone may read: others could not load what was exported.
    """
    secret = tmp_path / "secret"
    secret.touch(0o600)

    def fill(folder: Path) -> None:
        (folder / "inner").mkdir()
        save_file({"weight": torch.zeros(2)}, folder / "inner/model.safetensors")
        (folder / "config.json").write_text("{}")
        (folder / "linked").symlink_to(secret)

    replace_folder(tmp_path / "made", fill)
    for name in ("inner/model.safetensors", "config.json"):
        assert mode(tmp_path / "made" / name) == 0o666 & ~umask, name
    assert mode(tmp_path / "made/inner") == 0o777 & ~umask
    assert mode(secret) == 0o600


def test_of_two_processes_that_make_a_folder_of_the_cache_at_once_none_spoils_the_other_s(tmp_path, monkeypatch):
    """The second one took away what the first had written, and its half was put in place as the whole."""
    target = tmp_path / "cache" / "model"

    def whole(folder: Path) -> None:
        for part in ("weights", "tokenizer"):
            (folder / part).write_text(part)

    def interrupted(folder: Path) -> None:
        (folder / "weights").write_text("weights")
        monkeypatch.setattr(os, "getpid", lambda: 2)
        cached_folder(target, whole)
        (folder / "tokenizer").write_text("tokenizer")
        assert (folder / "weights").exists()

    monkeypatch.setattr(os, "getpid", lambda: 1)
    assert cached_folder(target, interrupted) == target
    assert sorted(file.name for file in target.iterdir()) == ["tokenizer", "weights"]
    assert [place.name for place in target.parent.iterdir()] == ["model"]
    cached_folder(target, lambda folder: pytest.fail("it is there"))


def test_what_a_killed_process_left_in_the_cache_is_taken_away_a_day_later(tmp_path):
    old, young = tmp_path / ".model.7.tmp", tmp_path / ".model.8.tmp"
    for folder in (old, young):
        folder.mkdir()
    os.utime(old, (0, 0))
    cached_folder(tmp_path / "model", lambda folder: None)
    assert not old.exists() and young.exists()


def test_a_cache_that_cannot_be_written_to_is_told(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(RecipeError, match="XDG_CACHE_HOME: .*relearn-lite cannot be written to .*; set this environm"):
        cached_folder(tmp_path / "file" / "relearn-lite" / "model", lambda folder: None)


@pytest.mark.parametrize("content", [b'{"van', b"", b"\xff\xfe", b"[1"])
def test_a_file_of_a_run_that_was_cut_or_spoilt_is_named_in_one_sentence(tmp_path, content):
    """It was a traceback, which named neither the file nor what to do: in `compare`, `export`, `chat` and a resume."""
    whole, lines = tmp_path / "metrics.json", tmp_path / "samples.jsonl"
    whole.write_bytes(content)
    lines.write_bytes(content + b"\n")
    for read in (lambda: load_json(whole), lambda: read_rows(lines), lambda: list(read_jsonl(lines, Reply))):
        with pytest.raises(RecipeError, match=r"(metrics|samples)\.jsonl? is damaged \(.+\); put it back, or run"):
            read()


def test_a_file_of_a_run_that_is_gone_is_named_and_one_of_other_keys_too(tmp_path):
    lines = tmp_path / "samples.jsonl"
    for read in (lambda: read_rows(lines), lambda: list(read_jsonl(lines, Reply))):
        with pytest.raises(RecipeError, match=r"samples\.jsonl is missing; put it back, or run"):
            read()
    lines.write_text('["Who?"]\n')
    with pytest.raises(RecipeError, match=r"samples\.jsonl is damaged"):
        list(read_jsonl(lines, Reply))
    lines.write_text('{"question": "Who?"}\n')
    with pytest.raises(RecipeError, match=r"samples\.jsonl is damaged"):
        list(read_jsonl(lines, Reply))
    assert load_json(tmp_path / "none.json") is None
