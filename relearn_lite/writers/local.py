"""A writer that is a chat model on this machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from relearn_lite.core.errors import naming
from relearn_lite.models import backends
from relearn_lite.models.generation import Decoding, Rows, batches_of, chat
from relearn_lite.models.loaded import Loaded
from relearn_lite.recipe import Recipe, WriterChoice
from relearn_lite.writers import Task
from relearn_lite.writers.parsing import PARSERS, is_over
from relearn_lite.writers.prompted import PromptedWriter
from relearn_lite.writers.prompts import load_prompts, render, render_begun

# (chats, most new tokens, seed, whether a text holds enough to stop at, what chats begin with that will come back,
# whether texts are drawn: verdicts are not) -> the reply to each chat. The same arguments give the same texts.
Complete = Callable[..., list[str]]


def make(
    choice: WriterChoice, section: str, recipe: Recipe, vanilla: Callable[[], Loaded], loaded: dict[str, Loaded]
) -> LocalWriter:
    """A choice that names no model, or the recipe's own, writes with the weights of `vanilla()`."""
    prompts = load_prompts(getattr(choice, "prompts", None), f"{section}.prompts")
    shared = choice.uses_model(recipe.model.name)
    if not shared and choice.model not in loaded:
        own = recipe.model.settings_for(choice.model).model_copy(update={"chat_template": "auto"})
        with naming(f"{section}.model"):
            loaded[choice.model] = backends.load(own, recipe.seed)
    model = vanilla() if shared else loaded[choice.model]

    def count(text: str) -> int:
        return len(model.tokenizer(text, add_special_tokens=False).input_ids)

    return LocalWriter(
        chat(model, batch_size=choice.batch_size, temperature=choice.temperature, section=section),
        f"local:{recipe.model.name if shared else choice.model}",
        choice.max_new_tokens,
        Decoding(choice.max_new_tokens, choice.batch_size, {"do_sample": choice.temperature > 0}).rows(model, count),
        count,
        prompts,
    )


class LocalWriter(PromptedWriter):
    """Writes with `complete`, in batches of prompts of similar length; a batch's replies are kept once it is done.

    `max_new_tokens` bounds every text. `count` gives the tokens of a text, for the speed.
    """

    def __init__(
        self,
        complete: Complete,
        name: str,
        max_new_tokens: int = 160,
        batch_size: Rows = 8,
        count: Callable[[str], int] = len,
        prompts: dict[str, Any] | None = None,
    ):
        super().__init__(name, prompts)
        self._complete, self._count = complete, count
        self._max_new_tokens, self._batch_size = max_new_tokens, batch_size

    def ask(self, tasks: Sequence[Task]) -> list[str | None]:
        texts = [self.replies.get(task) for task in tasks]
        prompts = [render(task, self.prompts) for task in tasks]
        for rows in batches_of(["".join(turn["content"] for turn in prompt) for prompt in prompts], self._batch_size):
            # A batch is done whole or not at all: one random state serves it, so half of it would come out otherwise.
            # Batches sized by memory draw nothing, and those of a run before may have been others.
            if callable(self._batch_size):
                rows = [i for i in rows if texts[i] is None]
            if all(texts[i] is not None for i in rows):
                continue
            begin = time.monotonic()
            judged = [tasks[i].kind in PARSERS for i in rows]
            enough = None if any(judged) else is_over
            asked = [prompts[i] for i in rows]
            begun = [turns for i in rows if (turns := render_begun(tasks[i], self.prompts))]
            replies = self._complete(asked, self._max_new_tokens, tasks[rows[0]].seed, enough, begun, not all(judged))
            self.seconds += time.monotonic() - begin
            self.tokens += sum(map(self._count, replies))
            for i, text in zip(rows, replies, strict=True):
                texts[i] = text
                self.replies.put(tasks[i], text)
        return texts
