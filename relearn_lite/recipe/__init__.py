"""What a recipe may say: one class per section, one docstring per key, which help, JSON schema and documentation show.

Here a recipe is checked by itself; with its data, by `relearn_lite.pipeline.check`. Importing this loads neither torch
nor transformers.
"""

from relearn_lite.core.errors import RecipeError
from relearn_lite.recipe.analyze import Analyze
from relearn_lite.recipe.attacks import PRECISIONS, Relearning
from relearn_lite.recipe.augment import Augment, Semantic, WriterChoice
from relearn_lite.recipe.collect import Collect
from relearn_lite.recipe.compare import ComparedMethod, with_changes
from relearn_lite.recipe.data import Data, ForgetSource, Source
from relearn_lite.recipe.effects import result_keys, sampling_keys
from relearn_lite.recipe.evaluate import MODEL_EVALUATORS, Evaluators, Privacy
from relearn_lite.recipe.general import General
from relearn_lite.recipe.generate import Generate
from relearn_lite.recipe.load import load_recipe, to_yaml
from relearn_lite.recipe.model import Model
from relearn_lite.recipe.schema import Recipe
from relearn_lite.recipe.trainer import Trainer
from relearn_lite.recipe.training import Lora, Training
from relearn_lite.recipe.unlearn import Unlearn, Watch

__all__ = [
    "Analyze", "Augment", "Collect", "ComparedMethod", "Data", "Evaluators", "ForgetSource", "General", "Generate",
    "Lora", "MODEL_EVALUATORS", "Model", "PRECISIONS", "Privacy", "Recipe", "RecipeError", "Relearning", "Semantic",
    "Source", "Trainer", "Training", "Unlearn", "Watch", "WriterChoice", "load_recipe", "result_keys", "sampling_keys",
    "to_yaml", "with_changes",
]
