"""Mistakes in a recipe as sentences: where, which key, what was found, what is allowed, what to do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from relearn_lite.core.errors import did_you_mean
from relearn_lite.recipe.attacks import Relearning
from relearn_lite.recipe.base import AND, OWN_NAMES
from relearn_lite.recipe.methods import METHODS
from relearn_lite.recipe.names import WRITERS
from relearn_lite.recipe.presets import PAIRS, TABLES
from relearn_lite.recipe.schema import Recipe
from relearn_lite.recipe.training import Training
from relearn_lite.recipe.yaml_text import PLAIN, Place

_KNOWN_ELSEWHERE = yaml.safe_load(Path(__file__).with_name("other_names.yaml").read_text(encoding="utf-8"))
OTHER_NAMES, REMOVED = _KNOWN_ELSEWHERE["other_names"], _KNOWN_ELSEWHERE["removed"]
# Keys that a word in place of their section may be meant for, with the words that they have; those of ANY take others.
WORDS = {"method": METHODS, "writer": WRITERS, "preset": {**PAIRS, **TABLES}, "path": (), "name": OWN_NAMES}
ANY = ("path", "name")
_NUMBER = re.compile(PLAIN["float"][0])
NO_VALUE = ("none", "null", "off", "no")


def sentences(error: ValidationError, origins: Mapping[Place, str], path: Path) -> list[str]:
    """pydantic's errors in words, one by one.

    origins: where each key stands, a line of the file `path` or an override; of a key that is not there, its section's
    is told.
    """
    return [
        _sentence({**problem, "msg": message}, origins, path)
        for problem in error.errors() for message in problem["msg"].split(AND)
    ]  # fmt: skip


def _sentence(problem: Mapping[str, Any], origins: Mapping[Place, str], path: Path) -> str:
    where, found, message = tuple(problem["loc"]), problem.get("input"), problem["msg"].removeprefix("Value error, ")
    if where and where[-1] == "[key]":  # the key itself of a dict with free keys
        where = where[:-2]
    named = re.match(r"[a-z_.]+", message)
    of_section = problem["type"] == "value_error" and isinstance(found, dict | BaseModel)
    if of_section and named and named[0].split(".")[0] in _keys(_section_at(where)):
        where += tuple(named[0].split("."))  # the check of a section begins with the key
        message = message[named.end() :].removeprefix(": ")
    key = ".".join(map(str, where))
    origin = next((origins[where[:n]] for n in range(len(where), 0, -1) if where[:n] in origins), path)
    place = f"{origin}: {key}"
    if of_section:
        return f"{place}{'' if message.startswith(' ') else ': '}{message}"
    if problem["type"] == "missing":
        return f"{place} is missing; add it"
    if problem["type"] == "extra_forbidden":
        return f"{place}: {_unknown_key(where)}"
    return f"{place}: {_wrong_value(problem, where, found, message)}"


def _wrong_value(problem: Mapping[str, Any], where: Place, found: Any, message: str) -> str:
    kind = problem["type"]
    hint = "did you mean null? " if _is_for_null(where, found) else ""
    if isinstance(found, str) and _NUMBER.fullmatch(found) and message.startswith("give a"):
        hint = "remove the quotes: "
    if kind == "value_error" and isinstance(found, list) and not message.startswith("give"):  # it names what is wrong
        return message
    if kind == "model_type":
        keys = _keys(_section_at(where))
        hint = hint or _as_key(where, found, keys)
        message = f"give a section with some of these keys: {', '.join(keys)}"
    if kind == "dict_type":
        message = "give keys with values, such as {name: value}"
    if kind == "path_type":
        message = "give a path, in quotes where it looks like a number"
    if kind.startswith("bool_"):
        message = "give true or false"
    if kind == "list_type":
        message = f"give a list, such as [{found if isinstance(found, str) else 'a, b'}]"
    if kind == "literal_error":
        allowed = problem["ctx"]["expected"].replace(" or ", ", ").replace("'", "").split(", ")
        shown = f"unknown name {found!r}" if isinstance(found, str) else f"found {_shown(found)}"
        return f"{shown}; {hint or did_you_mean(found, allowed)}allowed: {', '.join(allowed)}"
    if kind == "string_type" and isinstance(found, int | float):
        message += ": put it in quotes"
    return f"found {_shown(found)}; {hint}{message[0].lower()}{message[1:]}"


def _is_for_null(where: Place, found: Any) -> bool:
    """Whether a value is another word for null, and its key may be null."""
    field = _section_at(where[:-1]).model_fields.get(str(where[-1]))
    meant = found is False or isinstance(found, str) and found.lower() in NO_VALUE
    return meant and field is not None and type(None) in get_args(field.annotation)


def _as_key(where: Place, found: Any, keys: Sequence[str]) -> str:
    """Which of a section's keys a word in its place may be meant for, as `did you mean ...? `; empty for no word."""
    for key, words in WORDS.items() if isinstance(found, str) and found else ():
        close = get_close_matches(found, words, n=1, cutoff=0.6) if "." not in found else []  # else it is a file
        if key in keys and (close or key in ANY):
            return f"did you mean {'.'.join(map(str, where))}.{key}: {next(iter(close), found)}? "
    return ""


def _unknown_key(where: Place) -> str:
    key, allowed = str(where[-1]), _keys(_section_at(where[:-1]))
    if key in REMOVED:
        return REMOVED[key]
    homes, (section, _, inner) = _homes(key), key.rpartition(".")
    if ".".join([*(part for part in where[:-1] if isinstance(part, str)), section]) in _homes(inner):  # as an override
        hint = f"in a file {inner} stands in the section {section}; "
    elif key in OTHER_NAMES:
        hint = f"here it is called {_our_name(where)}; "
    elif homes:
        hint = f"it is a key of {', '.join(homes[:3])}; "
    else:
        hint = did_you_mean(key, allowed)
    return f"unknown key; {hint}allowed here: {', '.join(allowed)}"


def _homes(key: str) -> list[str]:
    return [place for place, section in _sections() if key in _keys(section)]


def full_key(name: str) -> str | None:
    """The key, with its sections, that somebody may mean who gives its name alone, ours or another tool's. Of several,
    that of `unlearn`; None where there is none."""
    if name in OTHER_NAMES or name in Recipe.model_fields:
        return OTHER_NAMES.get(name, name)
    homes = _homes(name)
    return f"{'unlearn' if 'unlearn' in homes else homes[0]}.{name}" if homes else None


def _our_name(where: Place) -> str:
    """Our full key for one that other tools have; in a section that trains, that section's own."""
    ours = OTHER_NAMES[str(where[-1])]
    section, _, key = ours.partition(".")
    for n in range(len(where) - 1, 0, -1):
        here = _section_at(where[:n])
        if section == "unlearn" and issubclass(here, Training | Relearning) and key.split(".")[0] in _keys(here):
            return ".".join(map(str, (*where[:n], key)))
    return ours


def _shown(found: Any) -> str:
    if isinstance(found, dict | BaseModel):
        return "a section with keys"
    text = json.dumps(found, default=str, ensure_ascii=False)
    return text if len(text) <= 100 else f"{text[:97]}..."


def _keys(section: type[BaseModel]) -> list[str]:
    return [info.alias or name for name, info in section.model_fields.items()]


def _section_at(where: Place) -> type[BaseModel]:
    """The innermost section on the way to a key."""
    section: type[BaseModel] = Recipe
    for part in where:
        if part in section.model_fields:
            section = _section_of(section.model_fields[part].annotation) or section
    return section


def _sections(section: type[BaseModel] = Recipe, place: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """Every section of the recipe with its full key."""
    if place:
        yield place, section
    for name, info in section.model_fields.items():
        if inner := _section_of(info.annotation):
            yield from _sections(inner, f"{place}.{name}".lstrip("."))


def _section_of(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for arg in get_args(annotation) if (found := _section_of(arg))), None)
