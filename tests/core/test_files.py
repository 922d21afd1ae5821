"""Folders that appear at once."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from relearn_lite.core.files import replace_folder


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
