"""What a recipe may say. One class a section, one docstring a key: help, JSON schema and documentation come from these.

Only what a section can check on its own is checked here; what needs the data or the model is checked by
`relearn_lite.pipeline.pipeline.check`. This module imports neither torch nor transformers.
"""

from relearn_lite.recipe.analyze import Analyze
from relearn_lite.recipe.attacks import PRECISIONS, Attacks, Relearning
from relearn_lite.recipe.augment import Augment, Semantic, WriterChoice
from relearn_lite.recipe.base import ModelName, RecipePath, Section
from relearn_lite.recipe.compare import Compare, ComparedMethod, Sweep, lay_over
from relearn_lite.recipe.data import Data, Source, Taught
from relearn_lite.recipe.evaluate import MODEL_EVALUATORS, EntityWriter, Evaluate, Evaluators, JudgeWriter, Privacy
from relearn_lite.recipe.generate import Generate
from relearn_lite.recipe.load import RecipeError, load_recipe, to_yaml
from relearn_lite.recipe.model import Model, Unlearned
from relearn_lite.recipe.schema import Recipe, Report, Trainer
from relearn_lite.recipe.training import Finetune, Lora, Training
from relearn_lite.recipe.unlearn import Unlearn, Watch

__all__ = [
    "Analyze", "Attacks", "Augment", "Compare", "ComparedMethod", "Data", "EntityWriter", "Evaluate",
    "Evaluators", "Finetune", "Generate", "JudgeWriter", "Lora", "MODEL_EVALUATORS", "Model", "ModelName",
    "PRECISIONS", "Privacy", "Recipe", "RecipeError", "RecipePath", "Relearning", "Report", "Section", "Semantic",
    "Source", "Sweep", "Taught", "Trainer", "Training", "Unlearn", "Unlearned", "Watch", "WriterChoice", "lay_over",
    "load_recipe", "to_yaml",
]
