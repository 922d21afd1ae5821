"""The names and explanations of texts.yaml."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any


def texts(section: str) -> dict[str, Any]:
    """One section of texts.yaml: names for people by key, and explanations."""
    return _all()[section]


@cache
def _all() -> dict[str, dict[str, Any]]:
    import yaml

    return yaml.safe_load((Path(__file__).parent / "texts.yaml").read_text(encoding="utf-8"))
