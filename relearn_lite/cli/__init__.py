"""The command line."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the command line; where a package is not there, for it is another Python, says so in a sentence."""
    try:
        from relearn_lite.cli.commands import main as run

        run()
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("relearn_lite"):
            raise
        print(
            f"error: the package {error.name} is not in this Python ({sys.executable}); switch your environment on "
            "first (. .venv/bin/activate), or run `pip install -r requirements.txt` in it",
            file=sys.stderr,
        )
        sys.exit(1)
