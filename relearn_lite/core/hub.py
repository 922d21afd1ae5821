"""The Hugging Face hub, where it does not answer: its own library would try again for minutes, and print each try."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path


@cache
def hub_answers() -> bool:
    """Whether the hub can be reached, found out once and in seconds."""
    from huggingface_hub import constants, get_session

    try:
        get_session().head(constants.ENDPOINT, timeout=5)
    except Exception:  # whatever its client raises, also where HF_HUB_OFFLINE is set
        return False
    return True


def only_what_is_here(name: str) -> None:
    """To be called before a name is looked up on the hub: where that does not answer, only the cache is looked at from
    now on, as with HF_HUB_OFFLINE=1. A file or a folder is not looked up."""
    if Path(name).exists() or hub_answers():
        return
    from huggingface_hub import constants

    constants.HF_HUB_OFFLINE = True
    if datasets := sys.modules.get("datasets"):  # else it takes it from there
        datasets.config.HF_HUB_OFFLINE = True
