"""What a recipe may say: one class per section, one docstring per key, which help, JSON schema and documentation show.

Here a recipe is checked by itself; with its data, by `relearn_lite.pipeline.pipeline.check`. Importing this loads
neither torch nor transformers.
"""

from relearn_lite.core.errors import RecipeError
from relearn_lite.recipe.analyze import Analyze
from relearn_lite.recipe.attacks import PRECISIONS, Attacks, Relearning
from relearn_lite.recipe.augment import Augment, Semantic, WriterChoice
from relearn_lite.recipe.base import ModelName, RecipePath, Section
from relearn_lite.recipe.compare import Compare, ComparedMethod, Sweep, with_changes
from relearn_lite.recipe.data import Data, FinetuneSource, Source
from relearn_lite.recipe.effects import result_keys, sampling_keys
from relearn_lite.recipe.evaluate import MODEL_EVALUATORS, EntityWriter, Evaluate, Evaluators, JudgeWriter, Privacy
from relearn_lite.recipe.generate import Generate
from relearn_lite.recipe.load import load_recipe, to_yaml
from relearn_lite.recipe.model import Model, Unlearned
from relearn_lite.recipe.schema import Recipe, Report, Trainer
from relearn_lite.recipe.training import Finetune, Lora, Training
from relearn_lite.recipe.unlearn import Unlearn, Watch

__all__ = [
    "Analyze", "Attacks", "Augment", "Compare", "ComparedMethod", "Data", "EntityWriter", "Evaluate", "Evaluators",
    "Finetune", "FinetuneSource", "Generate", "JudgeWriter", "Lora", "MODEL_EVALUATORS", "Model", "ModelName",
    "PRECISIONS", "Privacy", "Recipe", "RecipeError", "RecipePath", "Relearning", "Report", "Section", "Semantic",
    "Source", "Sweep", "Trainer", "Training", "Unlearn", "Unlearned", "Watch", "WriterChoice", "load_recipe",
    "result_keys", "sampling_keys", "to_yaml", "with_changes",
]
