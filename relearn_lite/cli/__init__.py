"""The command line."""

from relearn_lite.cli.commands import main

__all__ = ["main"]
