"""The prompts of a writer: those that come with the project, or the user's own file laid over them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from relearn_lite.core.errors import RecipeError
from relearn_lite.recipe.names import TASK_KINDS

PROMPTS = Path(__file__).with_name("prompts.yaml")
PHRASES = ("retry", "keep", "way")  # appended to a task where they apply; each names what is filled in
FIELDS = {"question", "answer", "text"}
ENTRY_KEYS = {"system", "user", "examples", "ways"}


@cache
def built_in() -> dict[str, Any]:
    """prompts.yaml, read once."""
    return _read(PROMPTS)


def wording(path: Path | None, key: str = "augment.prompts") -> dict[str, Any]:
    """The prompts of a file, and for every kind of task that it leaves out those that come with the project.

    Raises RecipeError, with every fault at once, where the file cannot be used. `key` names it in messages.
    """
    if path is None:
        return built_in()
    from ruamel.yaml.error import YAMLError

    try:
        given = _read(path)
    except FileNotFoundError:
        raise RecipeError(
            f"{key}: there is no file {path}; correct the path (relative paths start at the recipe's folder)"
        ) from None
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        first = str(error).splitlines()[0]
        raise RecipeError(f"{key}: {path} is not YAML that can be read ({first}); mend it") from None
    if not isinstance(given, dict):
        raise RecipeError(f"{key}: {path} has no keys; it needs version and at least one of {', '.join(TASK_KINDS)}")
    if problems := [f"{key}: {path}, {problem}" for problem in _problems(given)]:
        raise RecipeError(problems)
    return {**built_in(), **given}


def _read(path: Path) -> Any:
    from ruamel.yaml import YAML

    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


def _problems(given: dict[str, Any]) -> list[str]:
    problems = [] if isinstance(given.get("version"), int) else ["version: give a whole number, raised at each change"]
    for name, entry in given.items():
        if name == "version":
            continue
        if name in PHRASES:
            if not isinstance(entry, str):
                problems.append(f"{name}: found {type(entry).__name__}, give text such as that in {PROMPTS.name}")
        elif name not in TASK_KINDS:
            problems.append(f"{name}: unknown, allowed: version, {', '.join((*PHRASES, *TASK_KINDS))}")
        else:
            problems += [f"{name}.{problem}" for problem in _entry_problems(entry, name)]
    return problems


def _entry_problems(entry: Any, kind: str) -> list[str]:
    if not isinstance(entry, dict):
        return ["system, user, examples: all three are needed, and found is no section with keys"]
    problems = [f"{key}: unknown, allowed: {', '.join(sorted(ENTRY_KEYS))}" for key in sorted(set(entry) - ENTRY_KEYS)]
    for key in ("system", "user"):
        if not isinstance(entry.get(key), str) or not entry[key].strip():
            problems.append(f"{key}: give text")
    needed = {name for name in FIELDS if f"{{{name}}}" in built_in()[kind]["user"]}
    there = set(re.findall(r"\{(\w+)\}", str(entry.get("user", ""))))
    if missing := sorted(needed - there):
        problems.append(f"user: has no {', '.join('{' + name + '}' for name in missing)}; the writer would not see it")
    examples = entry.get("examples")
    if not isinstance(examples, list):
        problems.append("examples: give a list, [] for none")
    elif any(not isinstance(each, dict) or not (needed | {"output"}) <= set(each) for each in examples):
        problems.append(f"examples: each needs {', '.join(sorted(needed))} and output")
    return problems
