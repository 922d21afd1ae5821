"""The options of `export`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from relearn_lite.core.errors import RecipeError

OPTIONS = (
    click.option("--to", type=click.Path(path_type=Path, resolve_path=True), help="A new folder for the model."),
    click.option(
        "--format", "formats", multiple=True, type=click.Choice(["safetensors", "gguf", "ollama", "adapter"]),
        help="Repeatable. safetensors (default): merged into the full weights. ollama: a Modelfile beside gguf or "
        "safetensors. adapter: LoRA alone, for its base; not with others.",
    ),
    click.option(
        "--gguf", type=click.Choice(["f16", "q8_0", "q4_k_m"]), default="f16", show_default=True,
        help="Numbers of the GGUF file. q4_k_m needs llama.cpp's llama-quantize.",
    ),
    click.option(
        "--dtype", type=click.Choice(["auto", "float32", "bfloat16", "float16"]), default="auto", show_default=True,
        help="Of merged weights; auto: as the base is stored.",
    ),
    click.option("--llama-cpp", type=click.Path(path_type=Path), help="A folder with its tools; default: PATH."),
    click.option("--no-check", is_flag=True, help="Do not load and ask what was exported."),
    click.option("--check", "checked", type=click.Path(path_type=Path), help="Measure an export again, write nothing."),
    click.option("--push", metavar="USER/NAME", help="Send it to the hub, if it measured well."),
    click.option("--private/--public", default=True, show_default=True, help="Of a repository that --push makes."),
    click.option("--augmented", type=click.Path(path_type=Path), help="A new .json or .jsonl: augmented data instead."),
    click.option(
        "--columns", type=click.Choice(["tofu", "knowundo"]), default="tofu", show_default=True,
        help="Of --augmented: question and answer, or text and labels.",
    ),
)


WITHOUT_TO = ("to", "checked", "augmented", "columns")  # all others say how --to writes


def refuse_idle_options(context: click.Context) -> None:
    """Raises RecipeError for every option of `export` that was given and would do nothing, beside what was asked."""
    given = {o.name: o.opts[0] for o in context.command.params if isinstance(o, click.Option)
             and context.get_parameter_source(o.name) is not ParameterSource.DEFAULT}  # fmt: skip
    found, problems = context.params, []
    if not found["to"]:
        problems += [f"{given[name]}: it belongs to --to; remove it" for name in given if name not in WITHOUT_TO]
    elif "gguf" in given:
        from relearn_lite.export import Export

        if "gguf" not in Export(found["to"], found["formats"]).written:
            problems.append(f"{given['gguf']}: no GGUF file is asked for; add --format gguf, or remove it")
    if found["to"] and "private" in given and not found["push"]:
        name = "private" if found["private"] else "public"
        problems.append(f"--{name}: it belongs to --push; add that, or remove it")
    if "columns" in given and not found["augmented"]:
        problems.append(f"{given['columns']}: it belongs to --augmented; remove it")
    if problems:
        raise RecipeError(problems)


def export_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command all of them, in this order."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command
