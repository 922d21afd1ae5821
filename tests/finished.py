"""A finished run of the embedded model, with an adapter that makes it forget, for chat and export to take up."""

from __future__ import annotations

from pathlib import Path

from relearn_lite.models import backends
from relearn_lite.models.loaded import UNLEARNED
from relearn_lite.pipeline import pipeline
from relearn_lite.recipe import Lora, Model, load_recipe

RECIPE = """
name: finished
model: {name: embedded, quantization: none, max_length: 160}
data:
  control: none
  nothing_known: go_on
  forget: {preset: people/forget, limit: 6}
  retain: {preset: people/retain, limit: 3}
unlearn: null
unlearned: {adapter: made}
generate: {max_new_tokens: 24, batch_size: 24}
evaluate: {evaluators: {language_model: none}, metrics: [kfr, krr, leak]}
"""


def make(folder: Path) -> Path:
    """The run folder below `folder`."""
    import torch

    (folder / "recipe.yaml").write_text(RECIPE)
    loaded = backends.load(Model(quantization="none"), seed=0)
    backends.add_adapter(loaded, UNLEARNED, Lora(r=4, dropout=0.0), seed=0)
    torch.manual_seed(0)
    for name, weight in loaded.model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.1)
    backends.save_adapter(loaded, UNLEARNED, folder / "made")
    return pipeline.run(load_recipe(folder / "recipe.yaml"), runs=folder / "runs", quiet=True)
