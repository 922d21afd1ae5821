"""What the benchmarks share: real shapes with random weights, KnowUnDo's rows, interleaved timing, peak memory."""

from __future__ import annotations

import json
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # the benchmarks run from a checkout, without installing it

DATA = ROOT.parent / "shared" / "data" / "knowundo" / "privacy"
LLAMA3_ROPE = {"rope_type": "default", "rope_theta": 500000.0}
SHAPES: dict[str, tuple[str, dict[str, Any]]] = {
    # nothing of it is worth measuring: for trying the scripts
    "tiny": ("LlamaConfig", dict(
        vocab_size=4096, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=2048)),
    # 8 layers, 512 wide, with the vocabulary of Llama 2, whose models the paper used
    "small": ("LlamaConfig", dict(
        vocab_size=32000, hidden_size=512, intermediate_size=1376, num_hidden_layers=8, num_attention_heads=8,
        num_key_value_heads=8, max_position_embeddings=2048)),
    "llama-3.2-1b": ("LlamaConfig", dict(
        vocab_size=128256, hidden_size=2048, intermediate_size=8192, num_hidden_layers=16, num_attention_heads=32,
        num_key_value_heads=8, head_dim=64, tie_word_embeddings=True, rope_parameters=LLAMA3_ROPE)),
    "llama-3.2-3b": ("LlamaConfig", dict(
        vocab_size=128256, hidden_size=3072, intermediate_size=8192, num_hidden_layers=28, num_attention_heads=24,
        num_key_value_heads=8, head_dim=128, tie_word_embeddings=True, rope_parameters=LLAMA3_ROPE)),
    "llama-3.1-8b": ("LlamaConfig", dict(
        vocab_size=128256, hidden_size=4096, intermediate_size=14336, num_hidden_layers=32, num_attention_heads=32,
        num_key_value_heads=8, rope_parameters=LLAMA3_ROPE)),
    "qwen2.5-7b": ("Qwen2Config", dict(
        vocab_size=152064, hidden_size=3584, intermediate_size=18944, num_hidden_layers=28, num_attention_heads=28,
        num_key_value_heads=4)),
    "gemma-2-2b": ("Gemma2Config", dict(
        vocab_size=256000, hidden_size=2304, intermediate_size=9216, num_hidden_layers=26, num_attention_heads=8,
        num_key_value_heads=4, head_dim=256, tie_word_embeddings=True)),
}


def build(shape: str, seed: int = 0) -> Any:
    """A model of a real shape with random weights, in the precision that training would use on this machine."""
    import torch
    import transformers

    from relearn_lite.models.transformers_backend import compute_dtype

    kind, sizes = SHAPES[shape]
    config = getattr(transformers, kind)(**sizes, bos_token_id=None, eos_token_id=0, pad_token_id=3)
    torch.manual_seed(seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with torch.device(device):
        return transformers.AutoModelForCausalLM.from_config(config, dtype=compute_dtype())


def tokenizer() -> Any:
    """The embedded model's, a byte-level one: its ids are below any shape's vocabulary."""
    from transformers import AutoTokenizer

    from relearn_lite.models.transformers_backend import EMBEDDED

    return AutoTokenizer.from_pretrained(EMBEDDED)


def kept_model(shape: str, models: Path) -> Path:
    """The folder of a shape's random weights in 16 bit, with a tokenizer whose ids they have; made where it is not."""
    from relearn_lite.core.files import replace_folder

    def write(made: Path) -> None:
        build(shape).save_pretrained(made, max_shard_size="2GB")
        tokenizer().save_pretrained(made)

    folder = models / shape
    if not folder.is_dir():
        replace_folder(folder, write)
    return folder


def pairs(folder: Path) -> dict[str, list[tuple[str, str]]]:
    """KnowUnDo privacy from a local copy: questions and answers to forget and to retain.

    Without a copy beside the project, and no other folder named, those about the project's invented people.
    """
    if folder == DATA and not folder.is_dir():
        from relearn_lite.data.sources import load
        from relearn_lite.recipe import Source

        print(f"there is no {folder}: the questions are those about the invented people", file=sys.stderr)
        found = {part: load(Source(preset=f"people/{part}"), f"people/{part}", part) for part in ("forget", "retain")}
        return {part: [(qa.question, qa.answer) for qa in records] for part, records in found.items()}
    files = {"forget": "unlearn_train.json", "retain": "retention_train.json"}
    if missing := [name for name in files.values() if not (folder / name).exists()]:
        sys.exit(f"--data: {folder} has no {' and no '.join(missing)}; give the folder of KnowUnDo's privacy files")
    rows = {part: json.loads((folder / name).read_text(encoding="utf-8")) for part, name in files.items()}
    return {part: [(row["text"], row["labels"]) for row in found] for part, found in rows.items()}


def interleaved(
    variants: Mapping[str, Callable[[int], Any]], repeats: int, *, warm: bool = True
) -> dict[str, list[float]]:
    """Seconds of each variant in every round, in turns, so that what else the machine does meets all alike.

    A variant is called with the round's number; with `warm` a round before the first is not counted. On one thread of a
    CPU these are seconds of processor time, which other programs stretch less; else of the clock on the wall.
    """
    import torch

    alone = torch.get_num_threads() == 1 and not torch.cuda.is_available()
    clock = time.process_time if alone else time.perf_counter
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    for number in range(-1 if warm else 0, repeats):
        for name, run in variants.items():
            synchronise()
            begin = clock()
            run(max(number, 0))
            synchronise()
            if number >= 0:
                seconds[name].append(clock() - begin)
    return seconds


def synchronise() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()


def peak_mb() -> float:
    """Peak memory of this process so far, in MB (10^6 bytes): torch's on a GPU, else the process's."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def ratio(of: Sequence[float], to: Sequence[float]) -> float:
    """Median of the ratios round by round: rounds differ, what stands side by side in one does not."""
    return statistics.median(a / b for a, b in zip(of, to, strict=True))


def machine() -> dict[str, Any]:
    import torch
    import transformers

    found = {
        "date": time.strftime("%Y-%m-%d"), "python": platform.python_version(), "torch": torch.__version__,
        "transformers": transformers.__version__, "threads": torch.get_num_threads(), "processor": _processor(),
    }
    if torch.cuda.is_available():
        found["gpu"] = torch.cuda.get_device_name()
    return found


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def rounded(found: dict[str, Any], *names: str) -> list[str]:
    """Numbers of a trial as whole ones, for a table; a dash for one that it has not."""
    return [f"{found[name]:.0f}" if name in found else "-" for name in names]


def report(result: dict[str, Any], table: Sequence[Sequence[str]], out: Path | None) -> None:
    """Prints a table (its first row the header) and writes everything as JSON."""
    from rich.console import Console
    from rich.table import Table

    shown = Table(*table[0])
    for row in table[1:]:
        shown.add_row(*row)
    terminal = Console()
    (terminal if terminal.is_terminal else Console(width=200)).print(shown)  # a file has no narrow window
    text = json.dumps(result, indent=2)
    if out:
        out.write_text(text + "\n", encoding="utf-8")
        print(f"{out}: all numbers")
    else:
        print(text)
