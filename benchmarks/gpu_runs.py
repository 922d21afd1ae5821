"""What a check on a card does to whole runs, other than to start one. Each prints a line of JSON at its end.

    python benchmarks/gpu_runs.py t4 RECIPE [section.key=value ...]      a run as on a card without bf16
    python benchmarks/gpu_runs.py killed RECIPE [section.key=value ...]  kill -9 in the middle of training, then resume
    python benchmarks/gpu_runs.py twice RECIPE [section.key=value ...]   two runs in one process: what memory is left
    python benchmarks/gpu_runs.py planned RUN ...                        what `plan` says, and what finished runs took

--runs FOLDER goes before the recipe. `killed` compares with the same recipe's run that nothing stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from measure import ROOT

WAIT = 300  # seconds for a run to come to its first checkpoint
RUN_COMMAND = (sys.executable, str(ROOT / "main.py"))


def manifest(run: Path) -> dict[str, Any]:
    return json.loads((run / "manifest.json").read_text(encoding="utf-8"))


def metrics(run: Path) -> dict[str, Any]:
    return json.loads((run / "metrics.json").read_text(encoding="utf-8"))["unlearned"]


def t4(recipe: str, overrides: list[str], runs: Path) -> dict[str, Any]:
    """torch is told that the card has no bf16, so weights are held and trained in fp16, with a loss scale."""
    import torch

    from relearn_lite import pipeline
    from relearn_lite.models.transformers_backend import compute_dtype
    from relearn_lite.recipe import load_recipe

    torch.cuda.is_bf16_supported = lambda *_, **__: False
    folder = pipeline.run(load_recipe(recipe, overrides), runs=runs, quiet=True)
    return {"computed_in": str(compute_dtype()).removeprefix("torch."), **numbers(folder)}


def killed(recipe: str, overrides: list[str], runs: Path) -> dict[str, Any]:
    """As a process of its own, killed once its training has written a checkpoint."""
    from relearn_lite.recipe import load_recipe

    name = load_recipe(recipe, overrides).name
    command = [*RUN_COMMAND, recipe, *overrides, "--quiet", "--runs"]
    subprocess.run([*command, str(runs / "whole")], check=True, stdout=subprocess.DEVNULL)
    process = subprocess.Popen([*command, str(runs / "killed")], stdout=subprocess.DEVNULL)
    checkpoints, patience = runs / "killed" / name / "checkpoints" / "unlearn", time.monotonic() + WAIT
    while process.poll() is None and time.monotonic() < patience and not list(checkpoints.glob("*.ckpt")):
        time.sleep(0.02)
    was_running = process.poll() is None
    if was_running:
        os.kill(process.pid, signal.SIGKILL)
    process.wait()
    if not was_running:
        raise SystemExit("the run was over before it could be killed")
    subprocess.run([*command, str(runs / "killed")], check=True, stdout=subprocess.DEVNULL)
    whole, resumed = (runs / which / name for which in ("whole", "killed"))
    same = all(
        (whole / file).read_bytes() == (resumed / file).read_bytes()
        for file in ("adapter/adapter_model.safetensors", "answers/unlearned_forget.jsonl")
    )
    stages = [stage for stage, done in manifest(resumed)["stages"].items() if done.get("resumed")]
    return {"resumed": ", ".join(stages), "same_adapter_and_answers": same,
            "kfr_whole": metrics(whole)["kfr"], "kfr_resumed": metrics(resumed)["kfr"]}  # fmt: skip


def twice(recipe: str, overrides: list[str], runs: Path) -> dict[str, Any]:
    """GPU memory that torch still holds in use after each of two runs; None without a GPU."""
    import torch

    from relearn_lite import pipeline
    from relearn_lite.core.memory import free_memory
    from relearn_lite.recipe import load_recipe

    left = []
    for number in ("first", "second"):
        pipeline.run(load_recipe(recipe, [*overrides, f"name={number}"]), runs=runs, quiet=True)
        free_memory()
        left.append(torch.cuda.memory_allocated() / 1e6 if torch.cuda.is_available() else None)
    return {"left_after_first_mb": left[0], "left_after_second_mb": left[1]}


def planned(runs: list[str]) -> dict[str, Any]:
    """Of each run's stages that hold a model: peak memory, measured and planned; of training a step's seconds too."""
    from relearn_lite.plan import memory_of_stages, model_sizes, step_seconds
    from relearn_lite.recipe import load_recipe

    found = {}
    for run in map(Path, runs):
        recipe = load_recipe(run / "recipe.yaml")
        sizes, done = model_sizes(recipe), manifest(run)["stages"]
        stages = {each.name: each.total / 1e6 for each in memory_of_stages(recipe, sizes)}
        rows = {
            name: {"peak_mb": done[name]["peak_memory_mb"], "planned_mb": round(stages[name], 1)}
            for name in stages if name in done and stages[name]
        }  # fmt: skip
        for name in sizes.loras:
            if done.get(name, {}).get("steps"):
                rows[name] |= {"step_seconds": done[name]["seconds"] / done[name]["steps"],
                               "planned_step_seconds": step_seconds(recipe, sizes, name)}  # fmt: skip
        found[run.name] = rows
    return found


def numbers(run: Path) -> dict[str, Any]:
    """What a finished run's files tell of it."""
    stages, found = manifest(run)["stages"], metrics(run)
    peak = max(stages, key=lambda name: stages[name]["peak_memory_mb"])
    return {
        **{name: found[name] for name in ("kfr", "krr") if name in found},
        "held_by": stages["unlearn"].get("backend"), "steps": stages["unlearn"].get("steps"),
        "stages_seconds": round(sum(each["seconds"] for each in stages.values()), 1),
        "unlearn_seconds": stages["unlearn"]["seconds"],
        "peak_mb": stages[peak]["peak_memory_mb"], "peak_in": peak,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("t4", "killed", "twice", "planned"))
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("arguments", nargs="+", help="a recipe and overrides; runs")
    options = parser.parse_args()
    if options.what == "planned":
        found = planned(options.arguments)
    else:
        recipe, *overrides = options.arguments
        found = {"t4": t4, "killed": killed, "twice": twice}[options.what](recipe, overrides, options.runs)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
