"""The checks of `gpu_suite.py`, most important first: what each runs, how long it may take, how its numbers are read.

Needs nothing but Python itself. In a command {names in braces} are filled in: folders, and sizes that are those of CARD
on a card and those of CPU where the suite is rehearsed.
"""

from __future__ import annotations

import json
import statistics
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gpu_runs import numbers

FEW = (
    "'data={forget: {preset: people/forget, limit: 6}, retain: {preset: people/retain, limit: 6}, control: none, "
    "nothing_known: go_on}' unlearn.epochs=1 unlearn.checkpoint_every=1"
)
FEW_FACTS = (
    "data.forget.limit=2 data.retain.limit=2 data.generic=null data.nothing_known=go_on augment.generic_ratio=0 "
    "augment.variants=1 unlearn.generic=forget unlearn.epochs=1 unlearn.lr=3e-4 unlearn.budget=null "
    "unlearn.evaluate_every=null unlearn.retain_variants=0 evaluate.metrics=[kfr,krr] generate.max_new_tokens=8"
)
CARD = {
    "shape_8b": "llama-3.1-8b", "shape_3b": "llama-3.2-3b", "shape_1b": "llama-3.2-1b", "length": "512", "few": "",
    "few_facts": "", "rows": "24", "answers": "100", "questions": "8", "repeats": "7", "cpu": "",
}  # fmt: skip
CPU = {
    "shape_8b": "tiny", "shape_3b": "tiny", "shape_1b": "tiny", "length": "64", "few": FEW,
    "few_facts": FEW_FACTS, "rows": "4", "answers": "4", "questions": "1", "repeats": "1", "cpu": "--cpu",
}  # fmt: skip
Numbers = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """The folder that a check wrote to, and what it printed."""

    folder: Path
    said: str


@dataclass(frozen=True)
class Check:
    """One thing to find out.

    seconds: what it is expected to take on a card (a guess until one was there); the limit is twice that.
    needs_card: why it cannot be rehearsed without one.
    """

    name: str
    what: str
    commands: tuple[str, ...]
    seconds: int
    read: Callable[[Place], Numbers]
    environment: Mapping[str, str] = field(default_factory=dict)
    needs_card: str = ""

    @property
    def limit(self) -> int:
        return 2 * self.seconds


def of_run(name: str) -> Callable[[Place], Numbers]:
    """What a finished run's files tell."""
    return lambda place: numbers(place.folder / name)


def printed(place: Place) -> Numbers:
    """The last line, which is JSON."""
    return json.loads(place.said.strip().splitlines()[-1])


def _out(place: Place) -> Numbers:
    return json.loads((place.folder / "out.json").read_text(encoding="utf-8"))


def of_cards(place: Place) -> Numbers:
    found = _out(place)
    told: Numbers = {"planned_gb": found["plan_mb"] / 1000}
    for trial in found["trials"]:
        name = f"{trial['backend']}, {trial['limit_gb']:g} GB"
        told[name] = trial.get("failed") or (
            f"peak {trial['peak_mb'] / 1000:.2f} GB, {trial['tokens_per_second']:.0f} tokens/s, "
            f"loaded in {trial['load_seconds']:.0f} s"
        )
    return told


def of_trainers(place: Place) -> Numbers:
    """Tokens a second of each way, and how many times those of Unsloth's trainer and of transformers ours has."""
    found = _out(place)
    speed = {(one["rows"], one["way"]): one.get("tokens_per_second") for one in found["trials"]}
    told: Numbers = {"short rows are those of": found["short_rows_are_those_of"]}
    for one in found["trials"]:
        told[f"{one['rows']}, {one['way']}"] = one.get("failed") or (
            f"{one['tokens_per_second']:.0f} tokens/s, peak {one['peak_mb'] / 1000:.2f} GB"
        )
    for rows in sorted({rows for rows, _ in speed}):
        for other in ("sft", "transformers"):
            if speed.get((rows, "unsloth")) and speed.get((rows, other)):
                told[f"{rows}, unsloth over {other}"] = speed[rows, "unsloth"] / speed[rows, other]
    return told


def of_answers(place: Place) -> Numbers:
    found = _out(place)
    seconds = statistics.median(found["seconds"]["ours"])
    return {
        "seconds": seconds, "times_faster_than_one_at_a_time": found["times_faster"],
        "same_text": f"{found['same_text']} of {found['answers']}",
    }  # fmt: skip


def of_writing(place: Place) -> Numbers:
    told: Numbers = {}
    for part, ways in _out(place)["parts"].items():
        seconds = {way: statistics.median(ways[way]["seconds"]) for way in ("before", "now")}
        told[part] = (
            f"{ways['now']['records']} records, {ways['now']['useful_new_tokens'] / seconds['now']:.0f} new tokens/s, "
            f"{seconds['before'] / seconds['now']:.2f} times faster, peak {ways['now']['peak_mb']:.0f} MB"
        )
    return told


def of_step(place: Place) -> Numbers:
    found = _out(place)
    return {
        f"{way}, {what}": found[what][way] for way in ("ours", "cached")
        for what in ("times_faster_than_published", "time_over_ideal", "peak_over_published")
    }  # fmt: skip


def of_tests(place: Place) -> Numbers:
    """How many passed, and what those say that did not."""
    cases = ElementTree.parse(place.folder / "tests.xml").getroot().iter("testcase")
    told: Numbers = {"passed": 0}
    for case in cases:
        bad = [child for child in case if child.tag in ("failure", "error", "skipped")]
        if bad:
            words = (bad[0].get("message") or bad[0].tag).splitlines()
            told[case.get("name", "?")] = f"{bad[0].tag}: {words[0] if words else ''}"[:200]
        else:
            told["passed"] += 1
    return told


def of_plan(place: Place) -> Numbers:
    """Measured over planned, of every stage."""
    told: Numbers = {}
    for run, stages in printed(place).items():
        for stage, one in stages.items():
            told[f"{run}, {stage}, memory"] = one["peak_mb"] / one["planned_mb"]
            if "step_seconds" in one:
                told[f"{run}, {stage}, time"] = one["step_seconds"] / one["planned_step_seconds"]
    return told


def _whole_run(backend: str) -> tuple[str, ...]:
    recipe = f"recipes/quickstart.yaml name={backend} model.backend={backend} {{few}}"
    return f"main.py check {recipe}", f"main.py {recipe} --quiet --runs {{folder}}"


def _tests(backend: str) -> Check:
    return Check(
        f"tests_{backend}", f"tests/models/test_gpu.py with {backend}",
        ("-m pytest -o addopts= -q -n 3 --junitxml={folder}/tests.xml tests/models/test_gpu.py",), 200, of_tests,
        {"RELEARN_GPU_TESTS": backend}, needs_card="every test there skips without a GPU",
    )  # fmt: skip


FACTS = "main.py recipes/smollm2_facts.yaml {few_facts} model.backend=auto --quiet --runs "
ATTACKS = "'attacks={{paraphrase: true, jailbreak: true, sampling: true, questions: 6}}'"
EIGHT = "benchmarks/cards.py --shape {shape_8b} --length {length} --models {models} {cpu} --out {folder}/out.json"
TRAINERS = "benchmarks/trainers.py --rows-each {rows} --length {length} --lengths {lengths} --models {models} "
ANSWERS = "benchmarks/generate.py --answers {answers} --repeats 1 --out {folder}/out.json --shape "
LITTLE = "recipes/quickstart.yaml model.backend=transformers unlearn.checkpoint_every=1 {few}"

CHECKS = (
    Check("run_unsloth", "a whole embedded run, Unsloth, 4 bit", _whole_run("unsloth"), 120, of_run("unsloth")),
    Check("run_transformers", "a whole embedded run, transformers, 4 bit", _whole_run("transformers"), 90,
          of_run("transformers")),
    Check("smollm2", "a whole SmolLM2 run, backend auto", (FACTS + "{folder}",), 180, of_run("smollm2_facts")),
    Check("8b_unsloth", "8B shape, rank 32, 512 tokens, Unsloth",
          (f"{EIGHT} --backends unsloth --limits 7.2 8 12",), 200, of_cards),
    Check("8b_unsloth_offload", "the same with input embeddings in main memory",
          (f"{EIGHT} --backends unsloth --limits 7.2 8 --offload",), 150, of_cards),
    Check("8b_unsloth_8bit", "8B shape, Unsloth, with AdamW's states in 8 bits",
          (f"{EIGHT} --backends unsloth --limits 7.2 8 --optimizer adamw_8bit",), 150, of_cards),
    Check("8b_transformers", "8B shape, rank 32, 512 tokens, transformers",
          (f"{EIGHT} --backends transformers --limits 7.2 8 12",), 150, of_cards),
    Check("speed_8b", "8B shape: ours and Unsloth's trainer",
          (TRAINERS + "--shape {shape_8b} --out {folder}/out.json",), 280, of_trainers),
    Check("speed_1b", "1B shape: ours and Unsloth's trainer",
          (TRAINERS + "--shape {shape_1b} --out {folder}/out.json",), 140, of_trainers),
    _tests("unsloth"),
    _tests("transformers"),
    Check("fp16", "a whole embedded run as on a T4, Unsloth",
          ("benchmarks/gpu_runs.py t4 --runs {folder} recipes/quickstart.yaml name=fp16 model.backend=unsloth {few}",),
          100, printed),
    Check("answers_1b", "100 answers, 1B shape", (ANSWERS + "{shape_1b}",), 90, of_answers),
    Check("answers_3b", "100 answers, 3B shape", (ANSWERS + "{shape_3b}",), 150, of_answers),
    Check("writing", "augmentation by SmolLM2",
          ("benchmarks/write.py --questions {questions} --parts simple answer verify --out {folder}/out.json",), 90,
          of_writing),
    Check("step", "one unlearning step, 1B shape",
          ("benchmarks/train_step.py --shape {shape_1b} --repeats {repeats} --out {folder}/out.json",), 150, of_step),
    Check("plan", "measured over planned",
          ("benchmarks/gpu_runs.py planned {scratch}/run_unsloth/unsloth "
           "{scratch}/run_transformers/transformers {scratch}/smollm2/smollm2_facts",), 30, of_plan),
    Check("attacks", "attacks on SmolLM2, and a comparison with ga_gdr",
          (FACTS + "{scratch}/smollm2 " + ATTACKS, FACTS + "{folder} name=smollm2_ga unlearn.method=ga_gdr",
           "main.py compare {scratch}/smollm2/smollm2_facts {folder}/smollm2_ga --runs {folder}"), 300,
          of_run("smollm2_ga")),
    Check("killed", "kill -9 in training, resumed",
          (f"benchmarks/gpu_runs.py killed --runs {{folder}} {LITTLE}",), 150, printed),
    Check("twice", "two runs one after the other: memory left",
          (f"benchmarks/gpu_runs.py twice --runs {{folder}} {LITTLE}",), 100, printed),
)  # fmt: skip
