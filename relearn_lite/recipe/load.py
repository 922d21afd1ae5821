"""Reads a recipe file: YAML and overrides in, a checked `Recipe` out, or every problem at once in plain sentences."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from relearn_lite.core.errors import RecipeError
from relearn_lite.recipe.schema import Recipe

__all__ = ["Recipe", "RecipeError", "load_recipe", "to_yaml"]

PATH_KEYS = (  # overrides may name a place on disk
    "path", "folder", "name", "model", "adapter", "from", "prompts", "embeddings", "nli", "language_model",
    "reference_model", "retain_model_results",
)  # fmt: skip


def load_recipe(path: str | Path, overrides: Iterable[str] = ()) -> Recipe:
    """Reads and checks a recipe.

    overrides: `section.key=value`, the value written as in YAML; typed and checked like the file. A path in the file
    is relative to the file; a path in an override is looked for from the current folder first.
    Raises RecipeError listing every problem, each with its key and, where it stands in the file, its line.
    """
    path = Path(path)
    tree = _read_yaml(path)
    for override in overrides:
        _override(tree, override)
    try:
        return Recipe.model_validate(_plain(tree), context={"base": path.resolve().parent})
    except ValidationError as error:
        raise RecipeError([_sentence(problem, tree, path) for problem in error.errors()]) from None


def to_yaml(recipe: Recipe) -> str:
    """The recipe as resolved, every default written out and every path absolute: it runs again from anywhere."""
    from io import StringIO

    from ruamel.yaml import YAML

    out = StringIO()
    yaml = YAML(typ="safe")
    yaml.default_flow_style, yaml.sort_base_mapping_type_on_output, yaml.width = False, False, 120
    yaml.dump(recipe.model_dump(mode="json"), out)
    return out.getvalue()


def _read_yaml(path: Path) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    if path.is_dir() or not path.exists():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise RecipeError(f"recipe: {path} {what}; give a YAML file such as recipes/quickstart.yaml")
    try:
        tree = YAML(typ="rt").load(path.read_text(encoding="utf-8"))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        reason = (error.problem or "not YAML").split("\n")[0]
        raise RecipeError(f"{place}: this is not YAML that can be read: {reason}") from None
    except YAMLError as error:  # a control character, which YAML forbids
        raise RecipeError(f"{path}: this is not YAML that can be read: {str(error).splitlines()[0]}") from None
    except OSError as error:
        raise RecipeError(
            f"recipe: {path} cannot be read ({error.strerror}); make it readable, or give another file"
        ) from None
    except UnicodeDecodeError:
        raise RecipeError(
            f"recipe: {path} is not UTF-8 text; give a YAML file such as recipes/quickstart.yaml"
        ) from None
    if not isinstance(tree, dict):
        raise RecipeError(f"recipe: {path} has no keys; it needs at least name and data, see recipes/your_data.yaml")
    return tree


def _override(tree: dict, override: str) -> None:
    """Sets one `section.key=value` in the tree; sections that the file leaves out are made."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    key, equals, text = override.partition("=")
    if not equals or not key:
        raise RecipeError(f"override {override!r}: write it as section.key=value, for example unlearn.epochs=2")
    try:
        value = YAML(typ="safe").load(text) if text else None
    except YAMLError:
        raise RecipeError(
            f"override {override!r}: the value is not YAML; quote it if it holds ':' or brackets"
        ) from None
    *sections, last = key.split(".")
    if last in PATH_KEYS and isinstance(value, str) and "/" in value:
        here = os.path.expanduser(value)
        value = str(Path(here).resolve()) if os.path.exists(here) else value
    for section in sections:
        if tree.get(section) is None:
            tree[section] = {}
        tree = tree[section]
        if not isinstance(tree, dict):
            raise RecipeError(f"override {override!r}: {section} is not a section, it has no keys")
    tree[last] = value


def _plain(node: Any) -> Any:
    """ruamel's tree, which knows its line numbers, as plain Python values."""
    if isinstance(node, dict):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value) for value in node]
    if isinstance(node, bool) or node is None:
        return node
    return next((base(node) for base in (int, float, str) if isinstance(node, base)), node)


def _sentence(problem: dict[str, Any], tree: Any, path: Path) -> str:
    """One problem: where, which key, what was found, what is allowed, what to do."""
    where = [part for part in problem["loc"] if isinstance(part, int | str)]
    kind, found = problem["type"], problem.get("input")
    message = problem["msg"].removeprefix("Value error, ")
    of_section = kind == "value_error" and isinstance(found, dict | BaseModel)
    named = re.match(r"[a-z_.]+", message)
    # a section's own check begins with the key
    if of_section and named and named[0].split(".")[0] in _keys_allowed(where):
        where += named[0].split(".")
        message = message[named.end() :].removeprefix(": ")
    key = ".".join(map(str, where))
    line = _line(tree, where)
    place = f"{path}:{line}: {key}" if line else f"{path}: {key}"
    if of_section:
        return f"{place}{'' if message.startswith(' ') else ': '}{message}"
    if kind == "extra_forbidden":
        allowed = _keys_allowed(where[:-1])
        return f"{place}: unknown key; {_did_you_mean(str(where[-1]), allowed)}allowed here: {', '.join(allowed)}"
    if kind == "missing":
        return f"{place} is missing; add it"
    if kind == "model_type":
        allowed = ", ".join(_keys_allowed(where))
        return f"{place}: found {_shown(found)}; give a section with some of these keys: {allowed}"
    if isinstance(found, str) and "unknown name, allowed: " in message:
        allowed = message.partition("allowed: ")[2].split(", ")
        return f"{place}: unknown name {found!r}; {_did_you_mean(found, allowed)}allowed: {', '.join(allowed)}"
    if kind == "value_error" and isinstance(found, list):  # such a check names the item that is wrong
        return f"{place}: {message}"
    if kind == "string_type" and isinstance(found, int | float):
        message += ": put it in quotes"
    return f"{place}: found {_shown(found)}; {message[0].lower()}{message[1:]}"


def _did_you_mean(found: str, allowed: Sequence[str]) -> str:
    close = get_close_matches(found, allowed, 1)
    return f"did you mean {close[0]!r}? " if close else ""


def _shown(found: Any) -> str:
    if isinstance(found, dict | BaseModel):
        return "a section with keys"
    text = json.dumps(found, default=str, ensure_ascii=False)
    return text if len(text) <= 100 else f"{text[:97]}..."


def _keys_allowed(where: Sequence[str | int]) -> list[str]:
    """Keys of the section at `where`, walked through the schema."""
    model: Any = Recipe
    for part in where:
        if isinstance(part, str) and isinstance(model, type) and part in model.model_fields:
            model = _section_of(model.model_fields[part].annotation) or model
    return list(model.model_fields)


def _section_of(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for arg in get_args(annotation) if (found := _section_of(arg))), None)


def _line(tree: Any, where: Sequence[str | int]) -> int | None:
    """The line, counted from 1, on which the key stands in the file; that of its section where it is missing."""
    line = None
    for part in where:
        marks = getattr(getattr(tree, "lc", None), "data", None)
        if not marks or part not in marks:
            break
        line = marks[part][0] + 1
        tree = tree[part]
    return line
