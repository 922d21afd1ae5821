"""The embedded model: small enough for a repository, and made by this project's own finetune stage."""

import json
import runpy
from pathlib import Path

import pytest

from relearn_lite.models.transformers_backend import EMBEDDED
from relearn_lite.pipeline import pipeline
from relearn_lite.recipe import load_recipe

ROOT = Path(__file__).parents[2]


def test_it_fits_a_repository():
    assert sum(path.stat().st_size for path in EMBEDDED.iterdir()) <= 8e6
    assert (EMBEDDED / "model.safetensors").exists()


def test_its_tokenizer_is_made_from_its_lessons():
    """The recipe starts from the tokenizer in the repository: it must be the one that the lessons give."""
    script = runpy.run_path(str(ROOT / "recipes" / "embedded_model.py"))
    made = json.loads(script["train_tokenizer"](script["lessons"]()).backend_tokenizer.to_str())
    kept = json.loads((EMBEDDED / "tokenizer.json").read_text(encoding="utf-8"))
    assert made["model"] == kept["model"]


@pytest.mark.slow
def test_the_recipe_makes_one_as_good(tmp_path):
    recipe = load_recipe(ROOT / "recipes" / "embedded_model.yaml")
    folder = pipeline.run(recipe, runs=tmp_path, quiet=True)
    vanilla = json.loads((folder / "metrics.json").read_text())["vanilla"]
    assert vanilla["kfr"] <= 0.05 and vanilla["krr"] >= 0.95
    assert vanilla["kfr_paraphrase"] <= 0.05 and vanilla["krr_paraphrase"] >= 0.95
