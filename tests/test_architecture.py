"""Imports flow one way, along the pipeline, and importing does nothing."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "relearn_lite"

# A module may import from its own layer and from those above it in this list, never from one below.
LAYERS = [
    ["errors", "records", "memory"],
    ["text"],
    ["assets"],
    # pure functions of tensors, torch's checkpoint, and a CSV reader
    ["unlearn.loss_log", "unlearn.recompute", "unlearn.refusals"],
    ["unlearn.supervised", "unlearn.terms", "unlearn.gradient_masks", "unlearn.losses", "unlearn.logprobs"],
    ["writers", "metrics", "evaluators", "data.presets"],  # declarations that the schema lists
    ["schema"],
    ["recipe", "environment"],
    ["data", "score_input"],
    ["backends"],
    ["generate"],
    ["writers.choose"],
    ["augment"],
    ["unlearn"],
    ["evaluators.language_model", "evaluators.measured", "evaluators.choose"],
    ["evaluate", "differences", "checkup"],
    ["analyze", "attacks"],
    ["report"],
    ["stages"],
    ["fingerprints"],
    ["pipeline", "join", "preview", "doctor", "footprint", "plan"],
    ["compare"],
    ["cli"],
]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}


def modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")
        if name != "__init__":
            yield name, path


def rank(name):
    """The layer of a module: that of its longest listed prefix."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        if (found := RANK.get(".".join(parts[:end]))) is not None:
            return found
    raise AssertionError(f"{name} is in no layer: add it to LAYERS in this test")


def imports(path):
    """Modules of the package that a file imports when it runs, wherever it does; types alone do not count."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        for child in ast.iter_child_nodes(node):
            child.parent = node
    known = {name for name, _ in modules()}
    for node in ast.walk(tree):
        if (
            not isinstance(node, ast.ImportFrom)
            or not (node.module or "").startswith("relearn_lite")
            or for_types(node)
        ):
            continue
        base = node.module.removeprefix("relearn_lite").lstrip(".")
        for alias in node.names:
            inner = f"{base}.{alias.name}".lstrip(".")
            if inner in known:
                yield inner
            elif base:
                yield base


def for_types(node):
    while (node := getattr(node, "parent", None)) is not None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            return True
    return False


@pytest.mark.parametrize(("name", "path"), list(modules()), ids=[name for name, _ in modules()])
def test_imports_flow_one_way(name, path):
    wrong = [other for other in imports(path) if rank(other) > rank(name)]
    assert not wrong, f"{name} imports {wrong}, which come later in the pipeline"


@pytest.mark.parametrize("name", [name for name, _ in modules() if not name.endswith("unsloth")])
def test_every_module_can_be_imported(name):
    __import__(f"relearn_lite.{name}")


def test_only_one_file_imports_unsloth():
    found = [
        name for name, path in modules() if re.search(r"^\s*(import|from) unsloth", path.read_text(), re.MULTILINE)
    ]
    assert found in ([], ["backends.unsloth"])


def test_importing_the_schema_is_light():
    heavy = ("torch", "transformers", "nltk", "openai")
    code = f"import sys, relearn_lite.recipe, relearn_lite.cli; print([m for m in {heavy} if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE.parent)
    assert shown.stdout.strip() == "[]"


def test_there_is_no_drawer_for_everything():
    assert not [name for name, _ in modules() if name.split(".")[-1] in ("utils", "helpers", "common", "misc")]
