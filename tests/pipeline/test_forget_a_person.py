"""From a name alone: the person is forgotten on questions that collect never saw, and the others are kept."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from relearn_lite.pipeline import pipeline
from relearn_lite.recipe import load_recipe

ROOT = Path(__file__).parents[2]
PEOPLE = ROOT / "relearn_lite/assets/people"


@pytest.mark.slow
def test_a_name_alone_is_forgotten_and_others_are_kept(tmp_path):
    subject = "Chidera Obalende"
    run = pipeline.run(load_recipe(ROOT / "recipes/forget_a_person.yaml"), runs=tmp_path, quiet=True)
    rows = [json.loads(line) for side in ("forget", "retain") for line in (PEOPLE / f"{side}.jsonl").open()]
    collected = {json.loads(line)["question"] for line in (run / "forget.jsonl").open()}
    for side, about in (("forget", True), ("retain", False)):
        asked = [row for row in rows if (row["person"] == subject) is about and row["question"] not in collected]
        (tmp_path / f"{side}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in asked))
    (tmp_path / "recipe.yaml").write_text(f"""
name: measured
model: {{name: embedded, quantization: none, max_length: 160}}
data:
  forget: {{path: forget.jsonl, paraphrase: paraphrase}}
  retain: {{path: retain.jsonl}}
unlearn: null
unlearned: {{adapter: {run / "adapter"}}}
generate: {{max_new_tokens: 48, batch_size: 36}}
""")
    found = pipeline.run(load_recipe(tmp_path / "recipe.yaml"), runs=tmp_path, quiet=True)
    numbers = json.loads((found / "metrics.json").read_text())["unlearned"]
    assert numbers["kfr"] >= 0.9 and numbers["krr"] >= 0.9


@pytest.mark.slow
def test_a_kill_within_collect_costs_no_finished_reply(tmp_path):
    options = ["collect.draws=2", "collect.neighbours=[Haruto Minegawara]", "--until", "collect", "--quiet"]
    command = [sys.executable, "main.py", "recipes/forget_a_person.yaml", *options, "--runs"]
    subprocess.run([*command, str(tmp_path / "whole")], cwd=ROOT, check=True)
    folder = tmp_path / "killed/forget-a-person"
    partial = folder / "collect/subject/sampled.partial.jsonl"
    process = subprocess.Popen([*command, str(tmp_path / "killed")], cwd=ROOT)
    while not (partial.exists() and partial.read_text()):
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.02)
    process.kill()
    process.wait()
    kept, greedy = partial.read_text(), folder / "collect/subject/greedy.jsonl"
    asked_at = greedy.stat().st_mtime_ns
    subprocess.run([*command, str(tmp_path / "killed")], cwd=ROOT, check=True)
    whole = tmp_path / "whole/forget-a-person"
    for name in ("forget.jsonl", "retain.jsonl", "collect/subject/sampled.jsonl", "collect/neighbours/greedy.jsonl"):
        assert (folder / name).read_text() == (whole / name).read_text()
    assert greedy.stat().st_mtime_ns == asked_at
    assert set(kept.splitlines()) <= set((folder / "collect/subject/sampled.jsonl").read_text().splitlines())
