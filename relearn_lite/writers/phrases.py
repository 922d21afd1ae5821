"""The data of the rules writer: its sentences (phrases.yaml), and the words and patterns it knows (english.yaml)."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from types import SimpleNamespace

from relearn_lite.recipe.yaml_text import parse

CHOICE = re.compile(r"\[([^\[\]]*)\]")  # "[a|b]" in a sentence of phrases.yaml: one of them


@cache
def load_phrases() -> SimpleNamespace:
    """phrases.yaml, read once; its keys are attributes."""
    return SimpleNamespace(**_read("phrases.yaml"))


@cache
def english() -> SimpleNamespace:
    """english.yaml, read once; its keys are attributes: sets of words, and patterns."""
    found = _read("english.yaml")
    words = {name: frozenset(text.split()) for name, text in found["words"].items()}
    return SimpleNamespace(**words, **{name: re.compile("".join(pieces)) for name, pieces in found["patterns"].items()})


def _read(name: str) -> dict:
    return parse(Path(__file__).with_name(name).read_text(encoding="utf-8"))[0]
