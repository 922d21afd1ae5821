"""What a recipe may say. One class a section, one docstring a key: help, JSON schema and documentation come from these.

Only what a section can check on its own is checked here; what needs the data or the model is checked by
`relearn_lite.pipeline.check`. This module imports neither torch nor transformers.
"""

from relearn_lite.schema.analyze import Analyze
from relearn_lite.schema.attacks import PRECISIONS, Attacks, Relearning
from relearn_lite.schema.augment import Augment, Semantic, WriterChoice
from relearn_lite.schema.base import ModelName, RecipePath, Section
from relearn_lite.schema.compare import Compare, ComparedMethod, Sweep, lay_over
from relearn_lite.schema.data import Data, Source, Taught
from relearn_lite.schema.evaluate import MODEL_EVALUATORS, EntityWriter, Evaluate, Evaluators, JudgeWriter, Privacy
from relearn_lite.schema.generate import Generate
from relearn_lite.schema.model import Model, Unlearned
from relearn_lite.schema.recipe import Recipe, Report, Trainer
from relearn_lite.schema.training import Finetune, Lora, Training
from relearn_lite.schema.unlearn import Unlearn, Watch

__all__ = [
    "Analyze", "Attacks", "Augment", "Compare", "ComparedMethod", "Data", "EntityWriter", "Evaluate",
    "Evaluators", "Finetune", "Generate", "JudgeWriter", "Lora", "MODEL_EVALUATORS", "Model", "ModelName",
    "PRECISIONS", "Privacy", "Recipe", "RecipePath", "Relearning", "Report", "Section", "Semantic", "Source",
    "Sweep", "Taught", "Trainer", "Training", "Unlearn", "Unlearned", "Watch", "WriterChoice", "lay_over",
]
