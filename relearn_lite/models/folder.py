"""What a model's folder (or hub id) holds: weights and a tokenizer that belong together, quantized already or not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from relearn_lite.core.errors import RecipeError, first_line
from relearn_lite.core.memory import out_of_memory, tell_once
from relearn_lite.data.examples import question_ids, turn_end_id
from relearn_lite.recipe.base import MERGE_ADAPTER

if TYPE_CHECKING:
    from relearn_lite.recipe import Model


@contextmanager
def told_as_mistakes(settings: Model) -> Iterator[None]:
    """Turns whatever a library raises at a folder that is not as it should be into one sentence; not lack of memory."""
    try:
        yield
    except RecipeError:
        raise
    except Exception as error:
        if out_of_memory(error):
            raise
        raise RecipeError(why_not(settings, error)) from error


def why_not(settings: Model, error: Exception) -> str:
    """The message for a model that could not be loaded."""
    from pathlib import Path

    what_to_do = "check the name, model.revision and the network (a gated model also needs `hf auth login`), or give a "
    if Path(settings.name).is_dir() and not (Path(settings.name) / "config.json").exists():
        none = "it holds no config.json, so no model"
        return f"model.name: {settings.name} could not be loaded ({none}); give a folder that has one"
    if Path(settings.name).is_dir():
        what_to_do = "mend what is in that folder, or give another "
    kind = "" if isinstance(error, OSError | ValueError | ImportError | RuntimeError) else f"{type(error).__name__}: "
    return f"model.name: {settings.name} could not be loaded ({kind}{first_line(error)}); {what_to_do}local folder"


def stored_quantization(config: Any) -> str | None:
    """How the weights are quantized where they lie: `4bit`, `8bit` (bitsandbytes), another method's name, or None."""
    own = getattr(config, "quantization_config", None)
    if own is None:
        return None
    own = own if isinstance(own, dict) else own.to_dict()
    if own.get("load_in_4bit") or own.get("load_in_8bit"):
        return "4bit" if own.get("load_in_4bit") else "8bit"
    return str(own.get("quant_method") or "an unknown method")


def follow_stored(settings: Model, config: Any, full_precision: bool) -> bool:
    """Whether the weights are quantized already, as they are then used; says so where the recipe says otherwise."""
    stored = stored_quantization(config)
    if stored is None:
        return False
    if full_precision or settings.init == "random":
        raise RecipeError(
            f"model.name: the weights of {settings.name} are quantized already ({stored}), and all of them are to be "
            "trained; give the weights that it was made from"
        )
    if stored != settings.quantization:
        tell_once(
            f"model.quantization: {settings.name} is quantized already ({stored}); that is used, not "
            f"{settings.quantization}."
        )
    return True


def as_stored(settings: Model, config: Any) -> Model:
    """The same settings, with the quantization that the weights have already, where they have one of the recipe's."""
    stored = stored_quantization(config)
    return settings.model_copy(update={"quantization": stored}) if stored in ("4bit", "8bit") else settings


def check_weights(settings: Model, found: dict[str, Any]) -> None:
    """Raises RecipeError where the file lacks weights that the configuration has, or has them in another size.

    transformers fills both in at random. found: what it tells of loading. Weights that the model has no place for are
    told and left out: of a larger model, those are its other parts.
    """
    if differ := sorted(found["mismatched_keys"]):
        key, file, wanted = differ[0]
        raise RecipeError(
            f"model.name: {len(differ)} weights of {settings.name} are of another size than config.json says, such as "
            f"{key} ({tuple(file)} in the file, {tuple(wanted)} in the model); give a folder in which they go together"
        )
    if missing := sorted(found["missing_keys"]):
        raise RecipeError(
            f"model.name: {settings.name} lacks {len(missing)} weights that its config.json asks for, such as "
            f"{missing[0]}; give a folder in which they go together"
        )
    if spare := sorted(found["unexpected_keys"]):
        tell_once(f"{len(spare)} weights of {settings.name} have no place in the model, such as {spare[0]}.")


def check_whole(settings: Model, model: Any) -> None:
    """Raises RecipeError where transformers has put an adapter on a whole model, or weights hold what is no number."""
    import torch

    if getattr(model, "_hf_peft_config_loaded", False) or hasattr(model, "peft_config"):
        raise RecipeError(
            f"model.name: {settings.name} holds an adapter, not a whole model; {MERGE_ADAPTER}"
        )
    for name, weight in model.named_parameters():
        # a sum, since asking each element would take as much memory again
        if weight.is_floating_point() and not weight.detach().sum(dtype=torch.float32).isfinite():
            raise RecipeError(
                f"model.name: {settings.name} holds weights that are no numbers, in {name}; the file is damaged, so "
                "fetch it again"
            )


def check_tokenizer(settings: Model, tokenizer: Any, size: int) -> None:
    """Raises RecipeError where the tokenizer makes tokens that are not among the model's `size` embeddings.

    A padding token of that kind is replaced by the end-of-text token: padding is never read. Special tokens are left
    where no prompt holds them: a text that spells them out does not become one.
    """
    beyond = {name: number for name, number in tokenizer.get_vocab().items() if number >= size}
    if tokenizer.pad_token_id >= size and tokenizer.eos_token_id < size:
        tokenizer.pad_token = tokenizer.eos_token
    used = {*question_ids(tokenizer, "?"), turn_end_id(tokenizer), tokenizer.eos_token_id}
    special = {number for number, token in tokenizer.added_tokens_decoder.items() if token.special}
    wrong = sorted((number, name) for name, number in beyond.items() if number in used or number not in special)
    if wrong:
        number, name = wrong[0]
        raise RecipeError(
            f"model.name: the tokenizer of {settings.name} has {len(wrong)} tokens that the model has no embedding for "
            f"(it has {size}), such as {name!r} ({number}); give the tokenizer that the model was trained with, or "
            "resize the model's embeddings and train them"
        )
