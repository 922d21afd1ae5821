"""A model held by Unsloth: less memory and time on an NVIDIA GPU. Adapters are peft's, for either backend to read.

Importing Unsloth changes transformers, peft and torch, and prints: only this file does it, late and in silence.
"""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relearn_lite.core.errors import RecipeError, first_line
from relearn_lite.core.memory import out_of_memory
from relearn_lite.models import transformers_backend as peft_backend
from relearn_lite.models.adapters import is_plain
from relearn_lite.models.folder import check_tokenizer, check_whole, follow_stored, stored_quantization, why_not
from relearn_lite.models.loaded import Loaded, recomputes_activations

if TYPE_CHECKING:
    from relearn_lite.recipe import Lora, Model

CHECKPOINTING = "unsloth"  # Unsloth's own: keeps what it needs for computing again in main memory
WRAPPER = "default"  # the one name that Unsloth gives an adapter
LEAST_LENGTH = 4096  # tokens that prompts of writers and judges may need, however short the training rows are
QUANTIZED = {"4bit": "Linear4bit", "8bit": "Linear8bitLt"}  # bitsandbytes' layers


def load(settings: Model, seed: int) -> Loaded:
    """Loads from a folder or the hub, exactly the weights that the recipe names, not Unsloth's own copy of them."""
    import torch

    if settings.init == "random":
        raise RecipeError("model.init: random needs model.backend: transformers (or auto); Unsloth needs weights")
    name, where = peft_backend.source(settings)
    # `auto` is on without a GPU too: the CPU stands in for one where this backend is asked for.
    checkpointing = settings.gradient_checkpointing == "auto" or recomputes_activations(settings)
    config = peft_backend.load_config(settings)
    stored = follow_stored(settings, config, full_precision=False)
    bits = stored_quantization(config) if stored else settings.quantization
    try:
        # Without gradients Unsloth's probe of 4-bit layers fails, and it would load 16-bit weights in silence.
        with _unsloth() as language_model, torch.inference_mode(False), torch.enable_grad():
            model, _ = language_model.from_pretrained(
                name, max_seq_length=_max_length(settings, config), dtype=peft_backend.compute_dtype(),
                load_in_4bit=bits == "4bit", load_in_8bit=bits == "8bit",
                use_exact_model_name=True, use_gradient_checkpointing=checkpointing and CHECKPOINTING,
                offload_embedding=False, **where,  # left to its `auto`, Lightning would move them to the card again
            )
        tokenizer = peft_backend.load_tokenizer(settings)  # Unsloth's may have other padding
    except RecipeError:
        raise
    except Exception as error:  # of any kind: what Unsloth does not know it may not refuse but stumble over
        if out_of_memory(error):
            raise
        raise RecipeError(why_not(settings, error) + ", or set model.backend to transformers") from error
    check_whole(settings, model)
    check_tokenizer(settings, tokenizer, model.get_input_embeddings().weight.shape[0])
    _check_quantization(model, settings, bits)
    model.requires_grad_(False)
    model.generation_config.max_length = None  # Unsloth's; beside max_new_tokens it only makes every answer warn
    torch.manual_seed(seed)  # Unsloth seeds everything with a number of its own
    return Loaded(model.eval(), tokenizer, "unsloth", checkpointing=checkpointing)


def add_adapter(loaded: Loaded, name: str, lora: Lora, seed: int) -> None:
    """Puts a new adapter on the model: the same first values as in the transformers backend."""
    import torch

    with _wrapped(loaded, name, lora, seed):
        peft_backend.add_adapter(loaded, name, lora, seed)
    peft_backend.train_only(loaded, name)
    torch.manual_seed(seed)


def set_training(loaded: Loaded) -> None:
    """Training mode. On a GPU Unsloth's `generate` turns gradient checkpointing off, and `train()` not on again."""
    with _unsloth() as language_model:
        language_model.for_training(loaded.model, use_gradient_checkpointing=loaded.checkpointing and CHECKPOINTING)


def load_adapter(loaded: Loaded, name: str, folder: Path) -> None:
    """Reads a saved adapter. Unsloth must have wrapped the model by then: it cannot wrap one that has adapters."""
    from peft import PeftConfig

    from relearn_lite.recipe import Lora

    if not is_plain(folder):
        raise RecipeError(
            f"model.backend: Unsloth takes adapters of plain LoRA, and {folder} holds more; set it to transformers"
        )
    saved = PeftConfig.from_pretrained(folder)
    targets = saved.target_modules if isinstance(saved.target_modules, str) else sorted(saved.target_modules)
    lora = Lora(r=saved.r, alpha=saved.lora_alpha, dropout=saved.lora_dropout, targets=targets)
    with _wrapped(loaded, name, lora, seed=0):
        peft_backend.load_adapter(loaded, name, folder)
    loaded.model.requires_grad_(False)


@contextmanager
def _wrapped(loaded: Loaded, name: str, lora: Lora, seed: int) -> Iterator[None]:
    """Lets Unsloth wrap the model, if it has not; the adapter `name`, added inside, then takes the place of Unsloth's,
    which is always called `default`."""
    if hasattr(loaded.model, "peft_config"):
        yield
        return
    try:
        with _unsloth() as language_model:
            loaded.model = language_model.get_peft_model(
                loaded.model, r=lora.r, lora_alpha=lora.alpha, lora_dropout=lora.dropout, target_modules=lora.targets,
                random_state=seed, use_gradient_checkpointing=loaded.checkpointing and CHECKPOINTING,
            )
    except ValueError as error:
        raise RecipeError(peft_backend.why_not_adapted(lora.targets, first_line(error))) from error
    yield
    loaded.model.set_adapter(name)
    loaded.model.delete_adapter(WRAPPER)


@contextmanager
def _unsloth() -> Iterator[Any]:
    """Unsloth's FastLanguageModel. What it prints inside is kept back; where there is an error it is a note of that."""
    os.environ.setdefault("UNSLOTH_DISABLE_STATISTICS", "1")  # else it calls the hub at every load
    os.environ.setdefault("UNSLOTH_COMPILE_LOCATION", str(Path.home() / ".cache" / "relearn-lite" / "unsloth"))
    said = io.StringIO()
    try:
        with redirect_stdout(said), warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*Unsloth should be imported before")  # advice for scripts of one's own
            import relearn_lite.models.recompute  # noqa: F401, I001  before Unsloth, for the reason given there
            from unsloth import FastLanguageModel
            from unsloth_zoo import gradient_checkpointing

            gradient_checkpointing.print = lambda *_, **__: None  # in the first steps of training it tells what it does
            yield FastLanguageModel
    except Exception as error:
        if text := said.getvalue().strip():
            error.add_note(f"Unsloth printed before: {text}")
        raise


def _max_length(settings: Model, config: Any) -> int:
    """Tokens that a text may have. Unsloth cuts off what is longer; it must not be more than the model was taught."""
    longest = getattr(config.get_text_config(), "max_position_embeddings", None)
    wanted = max(settings.max_length, LEAST_LENGTH)
    return min(wanted, longest) if longest else wanted


def _check_quantization(model: Any, settings: Model, bits: str) -> None:
    """Raises where Unsloth fell back to 16-bit weights with a printed line: another model, four times the memory."""
    wanted = QUANTIZED.get(bits)
    if wanted and not any(type(layer).__name__ == wanted for layer in model.modules()):
        raise RecipeError(
            f"model.quantization: Unsloth could not load {settings.name} in {bits} on this machine; "
            "set model.backend to transformers, or model.quantization to none"
        )
