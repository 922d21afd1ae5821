"""docs/troubleshooting.md quotes messages: each stands in the code as it is quoted."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
QUOTED = re.findall(r"^\| `([^`]+)`", (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.fixture(scope="module")
def said() -> str:
    """Every text in the code, an f-string's values as …"""
    texts = []
    for file in (ROOT / "relearn_lite").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                texts.append("".join(str(p.value) if isinstance(p, ast.Constant) else "…" for p in node.values))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(node.value)
    return "\n".join(texts)


@pytest.mark.parametrize("message", QUOTED)
def test_a_message_that_is_explained_is_one_that_is_said(message, said):
    assert all(part.strip(" ();") in said for part in message.split("…")), message
