"""What every section of a recipe builds on: strict keys, paths relative to the recipe, names out of a registry."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    ValidationInfo,
)


def _resolve(path: Path, info: ValidationInfo) -> Path:
    """Makes a path absolute: relative ones are relative to the recipe's folder, given as validation context."""
    base = (info.context or {}).get("base", Path.cwd())
    return (base / path.expanduser()).resolve()


def model_name(name: str, info: ValidationInfo) -> str:
    """A folder is made absolute like any path of the recipe; everything else is a hub id or `embedded`."""
    if name == "embedded":
        return name
    folder = _resolve(Path(name), info)
    if folder.is_dir():
        return str(folder)
    if name.startswith((".", "/", "~")) or not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", name):
        raise ValueError(
            f"there is no folder {folder}; give 'embedded', an existing folder, or a hub id such as org/name"
        )
    return name


def one_of(allowed: Any) -> Any:
    """A validator for a name out of a registry, so that the message can list what there is."""

    def check(value: str) -> str:
        if value not in allowed:
            raise ValueError(f"unknown name, allowed: {', '.join(allowed)}")
        return value

    return AfterValidator(check)


def run_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", value):
        raise ValueError("a run's name is a folder under runs/: letters, digits, '.', '_' and '-' only, no '/'")
    return value


RecipePath = Annotated[Path, AfterValidator(_resolve)]


ModelName = Annotated[str, AfterValidator(model_name)]


def model_or(*words: str) -> Any:
    """A validator for a model's name that may be one of these words too; a folder called so is given as ./word."""

    def check(value: str, info: ValidationInfo) -> str:
        return value if value in words else model_name(value, info)

    return AfterValidator(check)


class Section(BaseModel):
    """A part of the recipe. Unknown keys are errors."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, protected_namespaces=(), allow_inf_nan=False
    )
