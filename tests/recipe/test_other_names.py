"""Keys that people know from other tools or older versions: each is answered with what to write here."""

from __future__ import annotations

import pytest

from relearn_lite.core.errors import RecipeError
from relearn_lite.recipe import Recipe, load_recipe
from relearn_lite.recipe.problems import OTHER_NAMES, REMOVED, _section_at


def told(tmp_path, override: str) -> str:
    (tmp_path / "recipe.yaml").write_text("name: t\ndata: {preset: people}\nunlearn: {}\n")
    with pytest.raises(RecipeError) as error:
        load_recipe(tmp_path / "recipe.yaml", [override])
    (problem,) = error.value.problems
    return problem.removeprefix(f"override {override!r}")


@pytest.mark.parametrize("ours", sorted(set(OTHER_NAMES.values())))
def test_our_names_are_keys(ours):
    *sections, key = ours.split(":")[0].split(" ")[0].split(".")
    assert key in _section_at(tuple(sections)).model_fields


@pytest.mark.parametrize("theirs", OTHER_NAMES)
def test_they_are_no_keys_of_ours_and_told_wherever_they_stand(tmp_path, theirs):
    for section in ("", "unlearn.", "model."):
        assert f"here it is called {OTHER_NAMES[theirs]};" in told(tmp_path, f"{section}{theirs}=1")


@pytest.mark.parametrize(
    ("key", "ours"),
    [
        ("finetune.learning_rate", "finetune.lr"),
        ("finetune.lora.lora_alpha", "finetune.lora.alpha"),
        ("attacks.relearn.learning_rate", "attacks.relearn.lr"),
        ("attacks.relearn.max_grad_norm", "unlearn.gradient_clip"),
        ("trainer.max_grad_norm", "unlearn.gradient_clip"),
        ("unlearn.load_in_4bit", "model.quantization: 4bit"),
    ],
)
def test_a_section_that_trains_is_told_its_own_key(tmp_path, key, ours):
    assert f": {key}: unknown key; here it is called {ours};" in told(tmp_path, f"{key}=1")


@pytest.mark.parametrize("key", ["trainer.devices", "trainer.num_nodes", "trainer.strategy", "devices"])
def test_keys_for_several_gpus_are_gone(tmp_path, key):
    assert f": {key}: no longer a key: several GPUs train together when the run is started by `torchrun " \
        "--nproc-per-node N main.py RECIPE.yaml`" in told(tmp_path, f"{key}=2")  # fmt: skip
    assert key.split(".")[-1] in REMOVED


def test_our_own_key_in_the_wrong_section(tmp_path):
    assert ": model.lr: unknown key; it is a key of finetune, unlearn, attacks.relearn;" in told(tmp_path, "model.lr=1")
    assert "max_length" not in Recipe.model_fields
    assert ": max_length: unknown key; it is a key of model;" in told(tmp_path, "max_length=64")
