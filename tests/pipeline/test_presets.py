"""What the presets of the paper's benchmarks teach and ask, and that a recipe may have it otherwise."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from relearn_lite.data.sources import load_part, overlap
from relearn_lite.pipeline.data import load_data
from relearn_lite.recipe import Data, load_recipe

SHARED = Path(__file__).parents[3] / "shared" / "data"
KNOWUNDO = SHARED / "knowundo" / "privacy"
has_knowundo = pytest.mark.skipif(not KNOWUNDO.is_dir(), reason=f"no local copy of KnowUnDo in {KNOWUNDO}")


def knowundo(tmp_path, *overrides):
    text = f"name: r\ndata: {{preset: knowundo/privacy, folder: {KNOWUNDO}}}\nfinetune: {{}}\n"
    (tmp_path / "r.yaml").write_text(text)
    return load_data(load_recipe(tmp_path / "r.yaml", overrides))


def asks(data, name):
    """Whether the forget questions that are reported are those of this table."""
    return [qa.question for qa in data["forget_eval"]] == [row["text"] for row in table(name)]


def table(name):
    return json.loads((KNOWUNDO / f"{name}.json").read_text())


@has_knowundo
def test_knowundo_teaches_all_four_tables_and_asks_the_two_for_validation(tmp_path):
    """As the authors do: their `full` is these four, and unlearning sees the training tables alone."""
    data = knowundo(tmp_path)
    counts = {part: len(data[part]) for part in ("finetune", "forget", "retain", "forget_eval", "retain_eval")}
    assert counts == {"finetune": 1059, "forget": 400, "retain": 441, "forget_eval": 110, "retain_eval": 108}
    assert {qa.question for qa in data["finetune"]} == {row["text"] for row in table("full")}
    assert len({qa.id for qa in data["finetune"]}) == 1059
    assert asks(data, "unlearn_val") and not overlap(data["forget_eval"], data["forget"] + data["retain"])
    assert data["forget_eval"] == load_part(Data(preset="knowundo/privacy", folder=KNOWUNDO), "forget_eval")


@has_knowundo
def test_other_ways_to_use_knowundo_stay_possible(tmp_path):
    override = f"data.forget_eval={{preset: knowundo/privacy/unlearn, folder: {KNOWUNDO}}}"
    trained = knowundo(tmp_path, override)
    assert asks(trained, "unlearn_train") and len(trained["finetune"]) == 1059
    part = knowundo(tmp_path, "data.forget.limit=40")
    assert part["forget_eval"] == part["forget"] and len(part["retain_eval"]) == 108, "40 rows are about a few people"
    assert len(part["finetune"]) == 40 + 441 + 108
    untaught = knowundo(tmp_path, "finetune=null")
    assert "finetune" not in untaught and len(untaught["forget_eval"]) == 110
    own = knowundo(tmp_path, "finetune.data=[{preset: people/forget}]")
    assert {qa.id.split("-")[0] for qa in own["finetune"]} == {"finetune0"}


def test_tofu_is_asked_a_sample_that_is_the_same_in_every_run(tmp_path):
    """The authors score 200 + 200 of its questions. A recipe that names its questions has its way."""
    for name, rows in {"forget10": 400, "retain90": 600}.items():
        lines = [json.dumps({"question": f"{name} {n}?", "answer": "A."}) for n in range(rows)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines))
    text = f"name: r\ndata: {{preset: tofu/forget10, folder: {tmp_path}}}\n"

    def asked(*overrides):
        (tmp_path / "r.yaml").write_text(text)
        return load_data(load_recipe(tmp_path / "r.yaml", overrides))

    data = asked()
    assert [len(data[part]) for part in ("forget", "retain", "forget_eval", "retain_eval")] == [400, 600, 200, 200]
    numbers = [int(qa.question.split()[1].rstrip("?")) for qa in data["forget_eval"]]
    random.seed(42)  # as the authors draw
    assert numbers == sorted(random.sample(list(range(400)), 200))
    assert asked("seed=7")["retain_eval"] == data["retain_eval"]
    other = "data.retain_eval={preset: tofu/forget10, limit: 7}"
    assert len(asked(other)["retain_eval"]) == 7, "data.folder holds other tables of the benchmark too"
    assert len(asked("data.forget.limit=40")["forget_eval"]) == 40
    assert len(asked(f"data.forget_eval={{preset: tofu/forget10, folder: {tmp_path}}}")["forget_eval"]) == 400
    assert len(asked(f"data.forget={{path: {tmp_path}/retain90.jsonl, sample: 300}}")["forget_eval"]) == 300
