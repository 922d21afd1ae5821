"""Reads a recipe file: YAML and overrides in, a checked `Recipe` out, or every problem at once in plain sentences."""

from __future__ import annotations

import os
from collections.abc import Iterable
from glob import glob
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from relearn_lite.core.errors import RecipeError, shortened
from relearn_lite.recipe.problems import sentences
from relearn_lite.recipe.schema import Recipe
from relearn_lite.recipe.yaml_text import NotYaml, Place, comment_in, dump, parse

PLACES = (  # keys that name places on disk
    "path", "text", "documents", "folder", "adapter", "adapters", "from", "prompts", "retain_model_results",
    "include_path",
)  # fmt: skip
PLACES_OR_NAMES = (  # places where there is a slash, or a file with an ending of that name
    "control", "name", "model", "embeddings", "nli", "language_model", "reference_model", "chat_template",
)  # fmt: skip


def load_recipe(path: str | Path, overrides: Iterable[str] = ()) -> Recipe:
    """Reads and checks a recipe.

    overrides: `section.key=value`, the value written as in YAML; typed and checked like the file. A path in the file
    is relative to the file; a path in an override is looked for from the current folder first.
    Raises RecipeError listing every problem, each with its key and the line, or the override, that it comes from.
    """
    path = Path(path)
    tree, origins = read_yaml(path)
    if not isinstance(tree, dict):
        raise RecipeError(f"recipe: {path} has no keys; it needs at least name and data, see recipes/your_data.yaml")
    for override in overrides:
        _override(tree, origins, override)
    try:
        return Recipe.model_validate(tree, context={"base": path.resolve().parent})
    except ValidationError as error:
        raise RecipeError(sentences(error, origins, path)) from None


def to_yaml(recipe: Recipe) -> str:
    """The recipe as resolved, every default written out and every path absolute: it runs again from anywhere."""
    return dump(recipe.model_dump(mode="json"))


def read_yaml(path: Path, what: str = "recipe") -> tuple[Any, dict[Place, str]]:
    """What a YAML file holds, and where each of its keys stands, as `file:line`.

    what: the key or word that errors begin with. Raises RecipeError.
    """
    example = "give a YAML file such as recipes/quickstart.yaml"
    if path.is_dir() or not path.exists():
        raise RecipeError(f"{what}: {path} {'is a folder' if path.is_dir() else 'does not exist'}; {example}")
    try:
        tree, lines = parse(path.read_text(encoding="utf-8"))
        return tree, {place: f"{path}:{line}" for place, line in lines.items()}
    except NotYaml as error:
        raise RecipeError([f"{path}:{position}: {problem}" for position, problem in error.problems]) from None
    except OSError as error:
        raise RecipeError(
            f"{what}: {path} cannot be read ({error.strerror}); make it readable, or give another file"
        ) from None
    except UnicodeDecodeError:
        raise RecipeError(f"{what}: {path} is not UTF-8 text; save it as UTF-8, or {example}") from None


def _override(tree: dict[str, Any], origins: dict[Place, str], override: str) -> None:
    """Sets one `section.key=value` in the tree; sections that the file leaves out are made."""
    key, equals, text = override.partition("=")
    place = tuple(key.strip().split("."))
    if not equals or not all(place):
        raise RecipeError(f"override {override!r}: write it as section.key=value, for example unlearn.epochs=2")
    if not text.strip():  # null in a file, but here a variable of the shell that is not set
        raise RecipeError(f"override {override!r}: nothing stands behind =; give a value, or null")
    try:
        value, _ = parse(text)
    except NotYaml as error:
        reasons = "; ".join(problem for _, problem in error.problems)
        raise RecipeError(f"override {override!r}: {reasons}; quote the value if it holds ':' or brackets") from None
    if stands_behind := comment_in(text):
        raise RecipeError(
            f"override {override!r}: {stands_behind!r} would be left out, as a comment; put the value in quotes, for "
            f"example '{key}=\"a #1.jsonl\"'"
        )
    *sections, last = place
    no_place = not sections and isinstance(value, str) or "where" in place  # such as the run's own name
    value = value if no_place else _from_here(last, value)
    for n, section in enumerate(sections, 1):
        if tree.get(section) is None:
            tree[section] = {}
            origins[place[:n]] = f"override {override!r}"
        tree = tree[section]
        if not isinstance(tree, dict):
            whole = ".".join(sections[:n])
            raise RecipeError(
                f"override {override!r}: {whole} is not a section here, but {shortened(tree)}; override the whole of "
                f"it, as {whole}=..."
            )
    tree[last] = value
    for replaced in [each for each in origins if each[: len(place)] == place]:
        before = origins.pop(replaced)
        if value is not None and len(replaced) > len(place) and before.startswith("override "):  # null takes all away
            raise RecipeError(f"override {override!r}: {before} came before it and would be lost; put it behind")
    origins[place] = f"override {override!r}"


def _from_here(key: str, value: Any) -> Any:
    """The value of an override, in which every place that the current folder has, and every pattern that matches there,
    is written out."""
    if isinstance(value, dict):
        return {inner: each if inner == "where" else _from_here(inner, each) for inner, each in value.items()}
    if isinstance(value, list):
        return [_from_here(key, each) for each in value]
    if not isinstance(value, str):
        return value
    here = os.path.expanduser(value)
    a_place = "/" in value or Path(value).suffix and os.path.isfile(here)
    if key not in PLACES and not (key in PLACES_OR_NAMES and a_place):
        return value
    return str(Path(here).resolve()) if os.path.exists(here) or glob(here) else value
