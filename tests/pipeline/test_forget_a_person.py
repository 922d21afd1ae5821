"""From a name alone: the person is forgotten on questions that collect never saw, and the others are kept."""

import json
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
