"""`evaluate.general`: general ability by tasks of lm-eval."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from relearn_lite.recipe.base import DISTINCT, RecipePath, Section


class General(Section):
    """Tasks of lm-eval (EleutherAI's lm-evaluation-harness), put to the model before and after. Optional install:
    requirements-lm-eval.txt."""

    tasks: Annotated[list[str], DISTINCT] = Field(min_length=1)
    """Names of tasks or groups of lm-eval, such as mmlu or gsm8k, or of those in `include_path`."""
    limit: int | None = Field(200, ge=1)
    """The most questions of each task, the first ones; of a group such as mmlu, of each task in it. null: all."""
    shots: int | None = Field(None, ge=0)
    """Worked examples before each question. Default: each task's own number."""
    include_path: RecipePath | None = None
    """A folder with task files of your own."""
    chat_template: bool = False
    """Puts each question in the model's chat template, as lm-eval's --apply_chat_template does."""
    batch_size: int = Field(8, ge=1)
    """Questions at once: more is faster and takes more memory."""
