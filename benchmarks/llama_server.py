"""A llama.cpp server on loopback with a recipe's model in f16, by the package xllamacpp, which only benchmarks use."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

CONTEXT = 1024  # tokens of a prompt and its reply


def check(model: str) -> None:
    """Ends the program where such a server cannot be had for this model."""
    from relearn_lite.models.gguf import is_gguf

    if find_spec("xllamacpp") is None:
        sys.exit("--llama needs the package xllamacpp: run `pip install --no-deps xllamacpp` (34 MB)")
    if not is_gguf(model):
        sys.exit(f"--llama: {model} is not written as a GGUF file here: give smollm2 or a .gguf")


@contextmanager
def served(model: str, threads: int, rows: int) -> Iterator[Any]:
    """The running server, which does `rows` requests at a time; `listening_address` says where. See `check`."""
    import xllamacpp

    from relearn_lite.export.gguf_file import write_gguf
    from relearn_lite.models.gguf import gguf_file, gguf_folder

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "f16.gguf"
        write_gguf(gguf_folder(model), file, "f16", gguf_file(model))
        settings = xllamacpp.CommonParams()
        settings.model.path, settings.hostnames, settings.port = str(file), ["127.0.0.1"], 0
        settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = threads
        settings.n_parallel, settings.n_ctx, settings.endpoint_metrics = rows, rows * CONTEXT, True
        settings.verbosity = 0
        yield xllamacpp.Server(settings)


def counted(server: Any, name: str) -> int:
    """One of the server's own counters: prompt_tokens_total (cached ones left out), tokens_predicted_total."""
    return int(re.search(rf"^llamacpp:{name} (\d+)", server.handle_metrics(), re.MULTILINE)[1])
