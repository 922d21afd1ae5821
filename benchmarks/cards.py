"""Does an 8B model unlearn on a small card, and which backend is faster? Real training under a limit of GPU memory.

    python benchmarks/cards.py                                       an 8B shape under 8, 12 and 24 GB
    python benchmarks/cards.py --shape llama-3.2-1b --limits 4 --rank 8 --backends transformers

For each backend a process of its own loads the model in 4 bit under the lowest limit, puts a LoRA adapter on it, and
takes under each limit a few optimizer steps of relearn_klr_gdr (answer, retained answer, KL to the reference) as a
recipe would: Lightning, AdamW, gradient checkpointing, the reference by switching the adapter off. All rows have
--length tokens, the most that a recipe with that model.max_length can meet. Weights are random, which neither memory
nor time notices.

A limit is what torch may take, in GB (10^9 bytes). What CUDA itself takes, about 0.5 GB, lies between it and the GiB
that a card is sold by. Peak is the most that was in use at once; reserved includes what torch keeps for later.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from measure import ROOT, SHAPES, kept_model, machine, peak_mb, report, rounded, synchronise

BACKENDS = ("transformers", "unsloth")
SETTINGS = ("shape", "rank", "length", "batch", "accumulate", "steps", "optimizer")
WARM = 2  # optimizer steps that are not timed


def trials(options: argparse.Namespace) -> None:
    """Loads in this process under the lowest limit and trains under each, lowest first; a line of JSON for each.

    Every line has the peak of loading, and that and the time of training, or why it failed.
    """
    import torch

    from relearn_lite.core.errors import RecipeError
    from relearn_lite.core.memory import free_memory
    from relearn_lite.models import backends
    from relearn_lite.models.loaded import UNLEARNED
    from relearn_lite.recipe import Lora, Model

    def take_at_most(gigabytes: float) -> None:
        if not torch.cuda.is_available():
            return
        card = torch.cuda.get_device_properties(0).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, gigabytes * 1e9 / card))

    limits = sorted(options.limits)
    take_at_most(limits[0])
    began = time.perf_counter()
    loaded = backends.load(Model(name=str(options.folder), backend=options.backend, max_length=options.length,
                                 offload_embeddings=options.offload), 0)  # fmt: skip
    backends.add_adapter(loaded, UNLEARNED, Lora(r=options.rank, alpha=options.rank), 0)
    loading = {"load_seconds": time.perf_counter() - began, "load_peak_mb": peak_mb()}
    for limit in limits:
        take_at_most(limit)
        free_memory()
        if torch.cuda.is_available():
            torch.cuda.reset_peak_memory_stats()
        found = {"backend": options.backend, "limit_gb": limit, **loading}
        try:
            seconds = _steps(loaded, options)
            tokens = 2 * options.batch * options.accumulate * options.length  # of forget and of retain rows
            found |= {"step_seconds": seconds, "tokens_per_second": tokens / statistics.median(seconds)}
        except RecipeError as error:  # memory ran out
            found["failed"] = str(error).split(";")[0]
        found["peak_mb"] = peak_mb()
        if torch.cuda.is_available():
            found["reserved_mb"] = torch.cuda.max_memory_reserved() / 1e6
        print(json.dumps(found), flush=True)


def _steps(loaded: Any, options: argparse.Namespace) -> list[float]:
    """Seconds of each optimizer step, from the end of the one before."""
    import lightning

    from relearn_lite.data.batches import TrainingRows
    from relearn_lite.data.examples import Example
    from relearn_lite.models.loaded import active_adapters
    from relearn_lite.recipe import Unlearn
    from relearn_lite.unlearn.train import TrainingRun, train

    marks: list[float] = []

    class Clock(lightning.Callback):
        def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
            if (batch_idx + 1) % options.accumulate == 0:
                synchronise()
                marks.append(time.perf_counter())

    rows = (options.steps + WARM) * options.accumulate * options.batch
    made = [Example(tuple((7 * row + place) % 2900 for place in range(options.length)), 32) for row in range(rows)]
    settings = Unlearn(epochs=1, lr=1e-5, batch_size=options.batch, accumulate=options.accumulate, warmup_epochs=0,
                       reference="recompute", checkpoint_every=10**6, optimizer=options.optimizer)
    with tempfile.TemporaryDirectory() as folder, active_adapters(loaded.model, loaded.unlearned_adapters):
        rows = TrainingRows([{"augmented": example} for example in made], made)
        train(loaded, rows, settings, TrainingRun("unlearn", Path(folder), 0, quiet=True), [Clock()])
    return [after - before for before, after in zip(marks[WARM - 1 :], marks[WARM:], strict=False)]


def planned(options: argparse.Namespace, folder: Path) -> float:
    """What `python main.py plan` expects the unlearning stage to take, in MB."""
    from relearn_lite.plan import memory_of_stages, model_sizes
    from relearn_lite.recipe import load_recipe

    recipe = load_recipe(ROOT / "recipes" / "quickstart.yaml", [
        f"model={{name: {folder}, max_length: {options.length}, offload_embeddings: {str(options.offload).lower()}}}",
        f"unlearn.lora.r={options.rank}",
        f"unlearn.batch_size={options.batch}", "unlearn.reference=recompute", f"unlearn.optimizer={options.optimizer}",
    ])
    stages = memory_of_stages(recipe, model_sizes(recipe))
    return next(stage.total for stage in stages if stage.stage == "unlearn") / 1e6


def in_own_process(options: argparse.Namespace, folder: Path, backend: str) -> list[dict[str, Any]]:
    """The findings of `trials`. Where the process dies, one more with the last line of what it said."""
    command = [sys.executable, __file__, "--folder", str(folder), "--backend", backend]
    command += ["--cpu"] * options.cpu + ["--offload"] * options.offload
    for name in SETTINGS[1:]:
        command += [f"--{name}", str(getattr(options, name))]
    command += ["--limits", *map(str, options.limits)]
    done = subprocess.run(command, capture_output=True, text=True)
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"backend"')]
    if done.returncode:
        limit = sorted(options.limits)[len(found)]
        found.append({"backend": backend, "limit_gb": limit, "failed": done.stderr.strip().splitlines()[-1]})
    return found


def main() -> None:
    import torch

    from relearn_lite.core.memory import free_memory

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=SHAPES, default="llama-3.1-8b")
    parser.add_argument("--limits", type=float, nargs="+", default=[8, 12, 24], help="GB of GPU memory")
    parser.add_argument("--backends", nargs="+", choices=BACKENDS, default=BACKENDS)
    parser.add_argument("--rank", type=int, default=32, help="LoRA rank; alpha is the same")
    parser.add_argument("--length", type=int, default=512, help="tokens of every row")
    parser.add_argument("--batch", type=int, default=1, help="rows of forget and of retain set at once")
    parser.add_argument("--accumulate", type=int, default=4)
    parser.add_argument("--steps", type=int, default=5, help=f"timed optimizer steps, after {WARM} others")
    parser.add_argument("--optimizer", choices=("adamw", "adamw_8bit"), default="adamw")
    parser.add_argument("--offload", action="store_true", help="input embeddings in main memory")
    parser.add_argument("--models", type=Path, help="where the model is kept for another call; default: it is not kept")
    parser.add_argument("--cpu", action="store_true", help="without a GPU, under no limit: does the script run?")
    parser.add_argument("--out", type=Path, help="where the JSON goes; default: printed")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--backend", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not torch.cuda.is_available() and not options.cpu:
        sys.exit("cards.py measures GPU memory, and there is no GPU")
    if options.folder:
        trials(options)
        return
    found = []
    with tempfile.TemporaryDirectory() as place:
        model = kept_model(options.shape, options.models or Path(place))
        free_memory()
        plan = planned(options, model)
        for backend in options.backends:
            found += in_own_process(options, model, backend)
            print(f"{backend}: done", file=sys.stderr, flush=True)
    table = [("backend", "limit GB", "tokens/s", "step s", "peak MB", "reserved MB", "")]
    for one in found:
        speed, *memory = rounded(one, "tokens_per_second", "peak_mb", "reserved_mb")
        step = f"{statistics.median(one['step_seconds']):.2f}" if "step_seconds" in one else "-"
        table.append((one["backend"], f"{one['limit_gb']:g}", speed, step, *memory, one.get("failed", "fits")))
    settings = {name: getattr(options, name) for name in (*SETTINGS, "offload")}
    report({"machine": machine(), **settings, "plan_mb": plan, "trials": found}, table, options.out)
    print(f"plan: the unlearning stage takes {plan:.0f} MB")


if __name__ == "__main__":
    main()
