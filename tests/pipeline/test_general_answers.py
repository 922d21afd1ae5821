"""The model's own answers to general requests: asked once, whatever ends the process meanwhile."""

import json

import pytest

from relearn_lite import pipeline
from relearn_lite.core.memory import tell_once
from relearn_lite.pipeline import own_answers
from relearn_lite.recipe import load_recipe

RECIPE = """
name: stopped
seed: 3
model: {name: embedded, quantization: none, max_length: 160}
data:
  control: none
  forget: {preset: people/forget, limit: 2}
  retain: {preset: people/retain, limit: 2}
  generic: {preset: requests, limit: 12}
generate: {max_new_tokens: 24, batch_size: 4}
"""


def test_a_stop_among_them_loses_one_batch_at_most(tmp_path, monkeypatch):
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    recipe, whole, asked = load_recipe(tmp_path / "recipe.yaml"), own_answers.complete, []

    def counting(loaded, prompts, *arguments, **named):
        if len(asked) == 8 and prompts:
            asked.append("stopped")
            raise KeyboardInterrupt
        asked.extend(map(tuple, prompts))
        return whole(loaded, prompts, *arguments, **named)

    monkeypatch.setattr(own_answers, "complete", counting)
    with pytest.raises(KeyboardInterrupt):
        pipeline.run(recipe, runs=tmp_path, until="augment", quiet=True)
    folder = pipeline.run(recipe, runs=tmp_path, until="augment", quiet=True)
    asked.remove("stopped")
    assert len(asked) == len(set(asked)) == 12, "each once"
    kept = [json.loads(line) for line in (folder / "general_answers.jsonl").open()]
    general = [json.loads(line) for line in (folder / "augmented.jsonl").open()]
    general = {row["prompt"]: row["target"] for row in general if row["kind"] == "generic"}
    assert len(kept) == 12 and general and all(
        row["text"].startswith(general[row["question"]]) for row in kept if row["question"] in general
    )  # fmt: skip


@pytest.mark.parametrize(("keys", "told"), [
    (["unlearn.method=npo_gdr"], "npo trains on no new answers"), (["data.generic=null"], "data.generic gives none"),
    (["augment.generic_ratio=0"], "augment.generic_ratio is 0"), ([], None),
])  # fmt: skip
def test_where_general_answers_are_not_held_though_asked_for_it_is_told(tmp_path, capsys, keys, told):
    """Without a word nothing held them, and `generic_weight` weighed nothing."""
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    tell_once.cache_clear()
    pipeline.check(load_recipe(tmp_path / "recipe.yaml", ["unlearn.generic=retain", *keys]))
    said = capsys.readouterr().err
    assert ("unlearn.generic" in said) == bool(told) and (told or "") in said
