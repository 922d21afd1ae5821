"""From a section of the recipe to the writer that it names."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from relearn_lite.writers import Writer

if TYPE_CHECKING:
    from relearn_lite.backends import Loaded
    from relearn_lite.schema import Recipe, WriterChoice


def make_writer(choice: WriterChoice, section: str, recipe: Recipe, vanilla: Callable[[], Loaded]) -> Writer:
    """The writer of `section` (for error messages: augment, evaluate.evaluators.entities).

    A local writer that names no model, or the recipe's own, shares the weights of `vanilla()`.
    """
    if choice.writer == "rules":
        from relearn_lite.writers.rules import RulesWriter

        return RulesWriter()
    if choice.writer == "server":
        from relearn_lite.writers.server import ServerWriter

        return ServerWriter(
            choice.base_url,
            choice.model,
            choice.api_key_env,
            concurrency=choice.concurrency,
            timeout_s=choice.timeout_s,
            temperature=choice.temperature,
            max_tokens=choice.max_new_tokens,
            section=section,
        )
    from relearn_lite import backends
    from relearn_lite.generate import chat
    from relearn_lite.writers.local import LocalWriter

    shared = choice.model in (None, recipe.model.name)
    loaded = vanilla() if shared else backends.load(recipe.model.other(choice.model), recipe.seed)
    name = f"local:{recipe.model.name if shared else choice.model}"
    return LocalWriter(
        chat(loaded, batch_size=choice.batch_size, temperature=choice.temperature), name, choice.max_new_tokens
    )
