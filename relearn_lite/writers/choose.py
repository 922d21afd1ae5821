"""From a section of the recipe to the writer that it names."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from relearn_lite.writers import Writer

if TYPE_CHECKING:
    from relearn_lite.models.loaded import Loaded
    from relearn_lite.recipe import Recipe, WriterChoice


def make_writer(
    choice: WriterChoice,
    section: str,
    recipe: Recipe,
    vanilla: Callable[[], Loaded],
    loaded_before: dict[str, Loaded] | None = None,
) -> Writer:
    """The writer of `section` (for error messages: augment, evaluate.evaluators.entities).

    A local writer that names no model, or the recipe's own, shares the weights of `vanilla()`. Others are looked for in
    `loaded_before`, by name, and entered there: two writers on one model share its weights.
    """
    if choice.writer == "rules":
        from relearn_lite.writers.rules import RulesWriter

        return RulesWriter()
    from relearn_lite.writers.prompts import wording

    prompts = wording(getattr(choice, "prompts", None), f"{section}.prompts")
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
            wording=prompts,
        )
    from relearn_lite.models import backends
    from relearn_lite.models.generation import chat
    from relearn_lite.writers.local import LocalWriter

    shared = choice.uses_model(recipe.model.name)
    held = {} if loaded_before is None else loaded_before
    if not shared and choice.model not in held:
        held[choice.model] = backends.load(recipe.model.settings_for(choice.model), recipe.seed)
    loaded = vanilla() if shared else held[choice.model]
    name = f"local:{recipe.model.name if shared else choice.model}"
    return LocalWriter(
        chat(loaded, batch_size=choice.batch_size, temperature=choice.temperature, section=section),
        name,
        choice.max_new_tokens,
        batch_size=choice.batch_size,
        count=lambda text: len(loaded.tokenizer(text, add_special_tokens=False).input_ids),
        wording=prompts,
    )
