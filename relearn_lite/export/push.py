"""Sending an export to the hub, where the command asks for it, and to nowhere else."""

from __future__ import annotations

import re
from pathlib import Path

from relearn_lite.core.errors import RecipeError, first_line


def check_push(name: str) -> None:
    """Raises RecipeError where a name is no repository's, or there is no token: before hours of work, not after."""
    from huggingface_hub import get_token

    if not re.fullmatch(r"[\w.-]+/[\w.-]+", name):
        raise RecipeError(f"--push: {name!r} is no repository's name; give USER/NAME")
    if not get_token():
        raise RecipeError(
            "--push: there is no token of the hub on this machine; run `hf auth login`, or export HF_TOKEN"
        )


def push(folder: Path, name: str, private: bool) -> str:
    """Sends every file of the folder to a repository of models; its address."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    hub = HfApi()
    try:
        made = hub.create_repo(name, private=private, exist_ok=True)
        if private and not hub.repo_info(name).private:
            raise RecipeError(
                f"--push: {name} is there already and public; make it private, or add --public to send it there"
            )
        hub.upload_folder(repo_id=name, folder_path=folder, commit_message="relearn-lite export")
    except (HfHubHTTPError, OSError, ValueError) as error:  # ValueError: what answers is no hub, its text no JSON
        raise RecipeError(
            f"--push: {name} could not be sent ({first_line(error)}); the export lies whole in {folder}: check the "
            "token and the network, then send it with `hf upload`"
        ) from error
    return str(made)
