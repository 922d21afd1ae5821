"""Folders are layers: each imports only from those before it, for types too; importing does nothing."""

import ast
import re
import shutil
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "relearn_lite"
LAYERS = [  # the folders of the package, in the order in which CONTRIBUTING.md lists them
    "core", "text", "recipe", "data", "models", "writers", "augment", "collect", "unlearn", "judges", "metrics",
    "evaluate", "analyze", "attacks", "report", "pipeline", "compare", "plan", "export", "chat", "cli",
]  # fmt: skip


def modules(package):
    """Every Python file of a package, by its dotted name below the package."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        name = ".".join(path.relative_to(package).with_suffix("").parts).removesuffix(".__init__")
        found[name] = path
    return found


def imports(path, known):
    """Modules of the package that a file imports, wherever in the file: inside functions and for types alone too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively; write the whole name"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")[1:] if name.split(".")[0] == "relearn_lite" else []
            while parts and ".".join(parts) not in known:
                parts.pop()  # a name in a module, not a module
            if parts:
                yield ".".join(parts)


def backward_imports(package):
    """`file -> module` for every import from a later layer."""
    known = modules(package)
    return [
        f"{name} -> {other}"
        for name, path in known.items()
        for other in imports(path, known)
        if "." in name and LAYERS.index(other.split(".")[0]) > LAYERS.index(name.split(".")[0])
    ]


def test_every_file_stands_in_a_layer():
    """Nothing lies loose beside the folders."""
    files = modules(PACKAGE)
    assert sorted({name.split(".")[0] for name in files} - {"__init__", "__main__"}) == sorted(LAYERS)
    assert [name for name in files if name in LAYERS and files[name].name != "__init__.py"] == []


def test_imports_flow_one_way():
    assert backward_imports(PACKAGE) == []


@pytest.mark.parametrize(
    "planted",
    ["from relearn_lite.unlearn.train import train", "import relearn_lite.report",
     "def f():\n    from relearn_lite import pipeline",
     "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from relearn_lite.judges import Judges"],
)  # fmt: skip
def test_a_backward_import_is_seen(tmp_path, planted):
    left_out = shutil.ignore_patterns("assets", "__pycache__")
    package = shutil.copytree(PACKAGE, tmp_path / "relearn_lite", ignore=left_out)
    (package / "recipe" / "planted.py").write_text(planted + "\n", encoding="utf-8")
    assert [line.split(" -> ")[0] for line in backward_imports(package)] == ["recipe.planted"]


def test_no_two_files_import_each_other():
    known = modules(PACKAGE)
    graph = {name: {other for other in imports(path, known) if other != name} for name, path in known.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"these files import each other: {' -> '.join(error.args[1])}")


def test_the_map_of_the_house_is_the_list_of_folders():
    text = (PACKAGE.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert re.findall(r"^  (\w+)/ ", text, re.MULTILINE) == LAYERS


@pytest.mark.parametrize("name", [name for name in modules(PACKAGE) if not name.endswith("unsloth_backend")])
def test_every_module_can_be_imported(name):
    __import__(f"relearn_lite.{name}")


def test_only_one_file_imports_unsloth():
    found = [
        name for name, path in modules(PACKAGE).items()
        if re.search(r"^\s*(import|from) unsloth", path.read_text(), re.MULTILINE)
    ]  # fmt: skip
    assert found == ["models.unsloth_backend"]


def test_importing_the_recipe_and_the_command_line_is_light():
    heavy = ("torch", "transformers", "nltk", "openai", "matplotlib", "pandas")
    code = f"import sys, relearn_lite.recipe, relearn_lite.cli; print([m for m in {heavy} if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE.parent)
    assert shown.stdout.strip() == "[]"


def test_files_are_short_and_none_is_a_drawer_for_everything():
    long = {name: n for name, path in modules(PACKAGE).items() if (n := len(path.read_text().splitlines())) > 300}
    long.pop("writers.phrases", None)  # data
    assert long == {}
    assert not [n for n in modules(PACKAGE) if n.split(".")[-1] in ("utils", "helpers", "common", "misc", "manager")]
