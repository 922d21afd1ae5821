"""One export from start to end: checked, written under a temporary name, asked, and only then put in place."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relearn_lite.core.errors import RecipeError, first_line
from relearn_lite.core.files import remove_left, replace_folder
from relearn_lite.export import llama_cpp
from relearn_lite.export.card import model_card, public_name
from relearn_lite.export.gguf_file import why_not_here, write_gguf
from relearn_lite.export.measure import Measured, check_evaluated, measure
from relearn_lite.export.merge import base_config, stored_dtype, write_merged
from relearn_lite.export.ollama import modelfile
from relearn_lite.export.push import check_push, push
from relearn_lite.export.room import check_room, needs
from relearn_lite.models.adapters import FILES, why_refused
from relearn_lite.models.gguf import INSTALL, convert, gguf_file, is_gguf
from relearn_lite.models.loaded import UNLEARNED
from relearn_lite.models.transformers_backend import load_tokenizer
from relearn_lite.pipeline.run_state import Run
from relearn_lite.recipe import Model

FORMATS = ("safetensors", "gguf", "ollama", "adapter")


@dataclass(frozen=True)
class Export:
    """What is asked for. dtype: of merged weights, `auto` as the base is stored. llama_cpp: a folder with its tools."""

    target: Path
    formats: tuple[str, ...] = ("safetensors",)
    gguf: str = "f16"
    dtype: str = "auto"
    llama_cpp: Path | None = None
    check: bool = True
    push: str | None = None
    private: bool = True

    @property
    def written(self) -> tuple[str, ...]:
        """The formats without doubles, and with the weights that a Modelfile is for."""
        asked = tuple(name for name in FORMATS if name in self.formats)
        return ("gguf", *asked) if asked == ("ollama",) else asked


def export_run(run: Run, asked: Export, say: Callable[[str], None]) -> Measured | None:
    """Writes a run's unlearned model to a new folder; what was measured of it, if it was to be measured.

    Raises RecipeError for whatever speaks against it, before anything is loaded. A kill at any moment, or a disk that
    is full after all, leaves nothing at the target.
    """
    dtype = _check(run, asked)
    found: dict[str, Measured] = {}

    def fill(folder: Path) -> None:
        _write(run, asked, dtype, folder, say)
        if asked.check:
            say("asking what was exported ...")
            found["measured"] = check_export(run, folder)
        kind = dtype if "gguf" not in asked.written else asked.gguf
        card = model_card(run, (asked.push or asked.target.name, kind), asked.written, found.get("measured"))
        (folder / "README.md").write_text(card, encoding="utf-8")

    with _told_as_full(asked.target):
        replace_folder(asked.target.resolve(), fill)
    measured = found.get("measured")
    say(f"exported to {asked.target}")
    if asked.push and not (measured and measured.lost):
        say(f"sent to {push(asked.target, asked.push, asked.private)}")
    elif asked.push:
        say(f"not sent to {asked.push}: see above")
    return measured


@contextmanager
def _told_as_full(target: Path) -> Iterator[None]:
    """Turns what writing fails with into one sentence."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, SafetensorError) as error:
        raise RecipeError(
            f"--to: {target} could not be written ({first_line(error)}), and nothing is left there; free space on its "
            "disk, or name a folder on a larger one that you can write to"
        ) from error


def check_export(run: Run, place: Path) -> Measured:
    """Measures what lies at a place, as `measure`: a folder of weights or of an adapter, or a GGUF file.

    In a folder with a GGUF file that file is asked, being the smaller.
    """
    check_evaluated(run)
    settings, allowed = run.recipe.model, "give a folder of safetensors, an adapter or a .gguf file"
    if place.is_dir() and (place / "adapter_config.json").is_file():
        if why := why_refused(place):
            raise RecipeError(f"--check: {place} {why}; {allowed}")
        base, under = run.weights("vanilla")
        return measure(run, base, under | {UNLEARNED: place})
    one = place.is_file() and is_gguf(place.name)
    files = sorted(place.glob("*.gguf")) if place.is_dir() else [place] if one else []
    if files:
        remove_left(files[0].parent, ".relearn-check-*")
        with tempfile.TemporaryDirectory(prefix=".relearn-check-", dir=files[0].parent) as scratch:
            convert(files[0], Path(scratch))
            return measure(run, _whole(settings, Path(scratch)), {})
    if not (place / "config.json").is_file():
        raise RecipeError(f"--check: {place} holds no model; {allowed}")
    return measure(run, _whole(settings, place), {})


def _whole(settings: Model, folder: Path) -> Model:
    """Weights of their own, as they are."""
    exported = settings.settings_for(str(folder.resolve()), derived=True).for_backend("transformers")
    return exported.model_copy(update={"quantization": "none"})


def _check(run: Run, asked: Export) -> str:
    """Raises RecipeError for whatever can be known to be wrong; else the precision of the merged weights."""
    from relearn_lite.models.transformers_backend import empty_model

    target = asked.target
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        what = "has files in it" if target.is_dir() else "is a file"
        raise RecipeError(f"--to: {target} {what}, and nothing is written over; name a new folder")
    if asked.push:
        check_push(asked.push)
        if asked.check and "kfr" not in (metrics := run.recipe.evaluate.metrics):
            raise RecipeError(
                f"--push: kfr is not among evaluate.metrics ({', '.join(metrics)}), so whether the export still "
                "forgets is not measured; add evaluate.metrics=[kfr,krr,leak] to this command, or add --no-check"
            )
    if asked.check:
        check_evaluated(run)
    if "adapter" in asked.written:
        if len(asked.written) > 1:
            raise RecipeError("--format: adapter stands alone, with another card; export it to a folder of its own")
        if run.recipe.finetune or UNLEARNED not in run.weights("unlearned")[1]:
            raise RecipeError(
                "--format: an adapter alone is of no use here: the model under it was taught in this run (finetune), "
                "or whole weights were named; take safetensors"
            )
    settings = run.weights("unlearned")[0]
    config = base_config(settings) if asked.written != ("adapter",) else None
    dtype = stored_dtype(config) if asked.dtype == "auto" else asked.dtype
    if "gguf" in asked.written:
        _check_gguf(settings, config, asked)
    found = needs(empty_model(settings).num_parameters(), dtype, asked.written, asked.gguf, check=asked.check)
    check_room(found, target)
    return dtype


def _check_gguf(settings: Model, config: Any, asked: Export) -> None:
    from importlib.util import find_spec

    why, place = why_not_here(config, load_tokenizer(settings)), asked.llama_cpp
    if why and llama_cpp.converter(place) is None:
        raise RecipeError(
            f"--format gguf: {settings.name} {why}, so llama.cpp's {llama_cpp.CONVERTER} has to write it, and it is "
            f"not there; {llama_cpp.WAYS}"
        )
    if not why and find_spec("gguf") is None:
        raise RecipeError(f"--format gguf needs the package gguf; run `{INSTALL}`")
    if asked.gguf == "q4_k_m" and llama_cpp.quantizer(place) is None:
        raise RecipeError(
            f"--gguf: q4_k_m is made by llama.cpp's {llama_cpp.QUANTIZER}, which is not there; take q8_0 or f16, which "
            f"need nothing, or {llama_cpp.WAYS}"
        )


def _write(run: Run, asked: Export, dtype: str, folder: Path, say: Callable[[str], None]) -> None:
    if asked.written == ("adapter",):
        for name in FILES:  # not what else lies there: of an adapter from elsewhere that may be checkpoints, or data
            shutil.copy2(run.weights("unlearned")[1][UNLEARNED] / name, folder)
        _name_base(folder / "adapter_config.json", run.recipe.model.name)
        return
    say(f"merging into the full weights ({dtype}) ...")
    write_merged(run, folder, dtype)
    settings = run.weights("unlearned")[0]
    tokenizer, weights = load_tokenizer(settings), "."
    if "gguf" in asked.written:
        weights = f"{asked.target.name}-{asked.gguf}.gguf"
        say(f"writing {weights} ...")
        _write_gguf(settings, asked, folder, folder / weights)
    if "ollama" in asked.written:
        (folder / "Modelfile").write_text(modelfile(weights, tokenizer), encoding="utf-8")
    if "safetensors" not in asked.written:
        for file in folder.iterdir():
            if file.is_dir():  # of chat templates with names
                shutil.rmtree(file)
            elif file.name not in (weights, "Modelfile"):
                file.unlink()


def _write_gguf(settings: Model, asked: Export, folder: Path, file: Path) -> None:
    full = "f16" if asked.gguf == "q4_k_m" else asked.gguf
    first = file if full == asked.gguf else folder / ".full.gguf"
    if why_not_here(base_config(settings), load_tokenizer(settings)):
        llama_cpp.convert(llama_cpp.converter(asked.llama_cpp), folder, first, full, asked.target.name)
    else:
        original = gguf_file(settings.name) if is_gguf(settings.name) else None
        write_gguf(folder, first, full, original, asked.target.name)
    if first != file:
        llama_cpp.quantize(llama_cpp.quantizer(asked.llama_cpp), first, file, asked.gguf)
        first.unlink()


def _name_base(config: Path, name: str) -> None:
    """An adapter names its base by where it lay; for others that is its name."""
    tree = json.loads(config.read_text(encoding="utf-8"))
    config.write_text(json.dumps(tree | {"base_model_name_or_path": public_name(name)}, indent=2), encoding="utf-8")
