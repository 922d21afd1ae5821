"""What went wrong, told by what people know: keys of other tools, a disk that is full."""

from __future__ import annotations

import errno

DISK_FULL = (
    "error: --runs: no space is left on the disk of the run folder; free some, then give the same command again: what "
    "is finished is kept. Or use --runs to name a folder on a larger disk"
)


def our_key(option: str) -> str | None:
    """How a key that somebody gave as an option, --learning_rate say, is written here; None where it is no key."""
    from relearn_lite.recipe.problems import OTHER_NAMES

    name = option.lstrip("-").replace("-", "_")
    ours = OTHER_NAMES.get(name) or (name if "." in name else None)
    return ours and (ours.replace(": ", "=") if ": " in ours else f"{ours}=VALUE")


def disk_is_full(error: BaseException | None) -> bool:
    """Whether a full disk is behind an error. Libraries wrap it; safetensors keeps no more of it than the words."""
    while error is not None:
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        if full or "No space left on device" in str(error) or "Disk quota exceeded" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False
