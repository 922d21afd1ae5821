"""Who writes text for augmentation and judging: `rules` (no model), `local` (a model on this machine), `server`.

To add a writer, put a file into this folder with a subclass of `Writer` and a function `make` as in rules.py, and enter
the file's name in WRITERS of recipe/names.py. If it prompts a model, start from `prompted.PromptedWriter`, which brings
the prompts, reads the replies and asks again. Settings of its own are fields of `WriterChoice` in recipe/augment.py.
Whoever writes, the leak check runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from relearn_lite.models.loaded import Loaded
from relearn_lite.recipe import Recipe, WriterChoice


@dataclass(frozen=True)
class Task:
    """One text to write.

    simple, context, noise, logical: a variant of `question`. answer: a vague answer to `question` that gives away
    nothing of `answer`. continue: `question`, the beginning of a text, goes on otherwise than with `answer`. verify:
    does `text` leak what `answer` tells, for `question`? entities: list the entities of `text` that are not in
    `question`. fluency, relevance: rate `text`, an answer to `question`, from 1 to 5. forgetting, retention: rate how
    much of `answer` the `text` no longer tells, or still tells. fluency_together, relevance_together: rate several
    texts, which `text` holds as a JSON object under "1", "2" and so on. aspects: what of `question`, a name or a topic,
    could be asked besides `text`; ask_about: questions about it, on the aspect `text`; ask_passage: questions about
    `question` that the passage `text` answers, each with words of it. `subject` is the name that the new text must
    keep, `original` the question that this one is a variant of; `feedback` says why an earlier attempt was refused;
    `seed` tells attempts apart.
    """

    kind: str
    question: str
    answer: str = ""
    text: str = ""
    subject: str = ""
    original: str = ""
    feedback: str = ""
    seed: int = 0


class Writer:
    """Writes texts. `name` is shown in reports; `judges`: whether its `verify` is a judgement of its own;
    `repeats`: whether it may give one answer to several variants of a question, where it has no more good ones.

    Those on a model set the rest: their prompts, a `ReplyCache`, and the tokens and seconds of what they wrote so far.
    """

    name: str
    judges: bool = False
    repeats: bool = False
    prompts: dict[str, Any] | None = None
    replies: Any = None
    tokens: int = 0
    seconds: float = 0.0

    def write(self, tasks: Sequence[Task]) -> list[str | None]:
        """Returns one text per task, in order; None = failed after retries, never an empty or a made-up text."""
        raise NotImplementedError


def make_writer(
    choice: WriterChoice,
    section: str,
    recipe: Recipe,
    vanilla: Callable[[], Loaded],
    loaded: dict[str, Loaded] | None = None,
) -> Writer:
    """The writer that a section of the recipe names: `make` of the file of that name, given the same arguments.

    section: where the choice stands, for error messages (augment, evaluate.evaluators.entities). vanilla: gives the
    recipe's own model. loaded: other models in memory, by name, which writers on one model share.
    """
    module = import_module(f"{__name__}.{choice.writer}")
    return module.make(choice, section, recipe, vanilla, {} if loaded is None else loaded)
