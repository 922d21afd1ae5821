"""Numbers that the published code gives, where the folder ../shared lies beside the project."""

import json
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared"


def golden(name: str) -> list[dict]:
    path = SHARED / "golden" / f"{name}.json"
    if not path.exists():
        pytest.skip(f"the published numbers are not on this machine ({path})")
    return json.loads(path.read_text(encoding="utf-8"))
