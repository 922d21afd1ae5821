"""The sentences that the rules writer fills in, phrases.yaml."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from types import SimpleNamespace

from relearn_lite.recipe.yaml_text import parse

PHRASES = Path(__file__).with_name("phrases.yaml")


@cache
def load_phrases() -> SimpleNamespace:
    """Reads the file once; its keys are attributes."""
    return SimpleNamespace(**parse(PHRASES.read_text(encoding="utf-8"))[0])
