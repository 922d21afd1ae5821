"""A model held by transformers, with peft's LoRA on a base that bitsandbytes may quantise. Runs on GPU and CPU."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relearn_lite.core.errors import RecipeError, first_line
from relearn_lite.core.hub import only_what_is_here
from relearn_lite.data.tokens import read_template
from relearn_lite.models.adapters import biases_kept, check_complete, is_plain, without_adapters
from relearn_lite.models.folder import check_tokenizer, check_weights, check_whole, follow_stored, told_as_mistakes
from relearn_lite.models.gguf import gguf_folder, is_gguf
from relearn_lite.models.loaded import Loaded, recomputes_activations

if TYPE_CHECKING:
    from relearn_lite.recipe import Lora, Model

# Options of `generate` that are idle where nothing is sampled.
SAMPLING = ("temperature", "top_p", "top_k", "min_p", "top_h", "typical_p", "epsilon_cutoff", "eta_cutoff")
EMBEDDED = Path(__file__).parents[1] / "assets" / "model"  # made by recipes/embedded_model.py and its recipe


def compute_dtype():
    """bfloat16 where the card has it, float16 on older cards (T4), float32 on a CPU."""
    import torch

    if not torch.cuda.is_available():
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16


def load(settings: Model, seed: int, *, full_precision: bool = False) -> Loaded:
    """Loads from a folder or the hub; with init: random only architecture and tokenizer; full_precision: float32."""
    import torch
    from transformers import AutoModelForCausalLM

    dtype = torch.float32 if full_precision else compute_dtype()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    tokenizer, config = load_tokenizer(settings), load_config(settings)
    with told_as_mistakes(settings):
        stored = follow_stored(settings, config, full_precision)
        if settings.init == "random":
            torch.manual_seed(seed)
            trusted = settings.trust_remote_code
            model = AutoModelForCausalLM.from_config(config, dtype=dtype, trust_remote_code=trusted).to(device)
            check_whole(settings, model)
        else:
            packed = {} if stored else {"quantization_config": _quantization(settings, dtype)}
            model = load_weights(settings, {"dtype": dtype, "device_map": {"": device}, **packed})
        check_tokenizer(settings, tokenizer, model.get_input_embeddings().weight.shape[0])
    _repair_cpu_4bit(model)
    model.requires_grad_(settings.init == "random")
    checkpointing = recomputes_activations(settings) and model.supports_gradient_checkpointing
    if checkpointing:  # in training only; not reentrant, for that would need embeddings with gradients
        model.gradient_checkpointing_enable({"use_reentrant": False})
    return Loaded(model.eval(), tokenizer, "transformers", checkpointing=checkpointing)


def check(settings: Model, *, full_precision: bool = False) -> None:
    """Raises RecipeError for what `load` would find wrong, as far as it can be told without the weights."""
    tokenizer, config = load_tokenizer(settings), load_config(settings)
    with told_as_mistakes(settings):
        follow_stored(settings, config, full_precision)
        check_tokenizer(settings, tokenizer, config.get_text_config().vocab_size)


def _quantization(settings: Model, dtype: Any) -> Any:
    from transformers import BitsAndBytesConfig

    if settings.quantization == "4bit":
        return BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=dtype
        )
    return BitsAndBytesConfig(load_in_8bit=True) if settings.quantization == "8bit" else None


def folder_or_id(name: str) -> str:
    """Where the embedded model lies; any other name as it is."""
    return str(EMBEDDED) if name == "embedded" else name


def source(settings: Model) -> tuple[str, dict[str, Any]]:
    """Where a model comes from: its folder or hub id, and what else every `from_pretrained` is told.

    A GGUF file is made into a folder first, where that was not done before."""
    name = folder_or_id(settings.name)
    if is_gguf(name):
        return str(gguf_folder(name)), {}
    only_what_is_here(name)
    return name, {"revision": settings.revision, "trust_remote_code": settings.trust_remote_code}


def empty_model(settings: Model) -> Any:
    """The model without weights (on torch's meta device). From the hub only config.json is fetched."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    name, where = source(settings)
    try:
        config = AutoConfig.from_pretrained(name, **where)
        with torch.device("meta"):
            return AutoModelForCausalLM.from_config(config, trust_remote_code=settings.trust_remote_code)
    except Exception as error:  # of a damaged config.json whatever transformers makes of it
        raise RecipeError(
            f"model.name: the configuration of {settings.name} could not be read ({first_line(error)}); "
            "config.json is needed: check the name and the network (a gated model also needs `hf auth login`), or "
            "give a local folder"
        ) from error


def load_config(settings: Model) -> Any:
    """The model's configuration. Raises RecipeError where it is not to be had."""
    from transformers import AutoConfig

    name, where = source(settings)
    with told_as_mistakes(settings):
        return AutoConfig.from_pretrained(name, **where)


def load_weights(settings: Model, options: Mapping[str, Any]) -> Any:
    """The whole model as it lies there, read with these options. Raises RecipeError where it is not as it should be."""
    from transformers import AutoModelForCausalLM

    name, where = source(settings)
    with told_as_mistakes(settings):
        model, found = AutoModelForCausalLM.from_pretrained(
            name, output_loading_info=True, ignore_mismatched_sizes=True, **options, **where
        )
        check_weights(settings, found)
        check_whole(settings, model)
    own = model.generation_config
    for option in SAMPLING if own and not own.do_sample else ():  # as Llama 2 had; transformers would save none of it
        setattr(own, option, None)
    return model


def load_tokenizer(settings: Model) -> Any:
    """The tokenizer as it is. Where it cannot pad, its end-of-text token does: labels are masked by position.

    Raises RecipeError where it is not to be had, or has no end-of-text token: nothing could be taught to end with one.
    """
    from transformers import AutoTokenizer

    name, where = source(settings)
    with told_as_mistakes(settings):
        tokenizer = AutoTokenizer.from_pretrained(name, **where)
    if tokenizer.eos_token_id is None:
        raise RecipeError(
            f"model.name: the tokenizer of {settings.name} has no end-of-text token (eos_token), and answers must end "
            "with one; set eos_token in the tokenizer_config.json of a local copy and give that folder, or take "
            "another model"
        )
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    own, named = tokenizer.chat_template, settings.chat_template
    tokenizer.chat_template = (own or None) if named == "auto" else read_template(named)
    return tokenizer


def _repair_cpu_4bit(model) -> None:
    """On CPUs with AVX512-BF16, bitsandbytes repacks 4-bit weights in place at the first forward pass without
    gradients; gradients taken afterwards are wrong while the loss looks right. This switch keeps them as they are."""
    for layer in model.modules():
        if hasattr(layer, "support_avx512bf16_for_cpu"):
            layer.support_avx512bf16_for_cpu = False


def add_adapter(loaded: Loaded, name: str, lora: Lora, seed: int) -> None:
    import torch
    from peft import LoraConfig, get_peft_model

    if why := unfit(loaded.model, lora.targets):
        raise RecipeError(why)
    torch.manual_seed(seed)  # the adapter's first values depend on the recipe's seed alone
    config = LoraConfig(
        r=lora.r, lora_alpha=lora.alpha, lora_dropout=lora.dropout, target_modules=lora.targets, task_type="CAUSAL_LM"
    )
    try:
        if hasattr(loaded.model, "peft_config"):
            loaded.model.add_adapter(name, config)
        else:
            loaded.model = get_peft_model(loaded.model, config, adapter_name=name)
    except ValueError as error:
        raise RecipeError(why_not_adapted(lora.targets, first_line(error))) from error
    train_only(loaded, name)


def unfit(model: Any, targets: list[str] | str) -> str | None:
    """Why LoRA cannot have these targets: one is no layer of the model, which peft passes over where others are, or is
    its table of embeddings or an output layer that shares it: merged weights would differ from the adapter."""
    table, head, layers = model.get_input_embeddings(), model.get_output_embeddings(), dict(model.named_modules())
    for target in targets if isinstance(targets, list) else ():
        found = [layer for name, layer in layers.items() if f".{name}".endswith(f".{target}")]
        if not found:
            return why_not_adapted(targets, f"it has no {target}")
        if table in found or head in found and head.weight is table.weight:
            why = f"{target} is its table of embeddings, or shares its weights, and no adapter could be merged: drop it"
            return why_not_adapted(targets, why)
    return None


def why_not_adapted(targets: Any, why: str) -> str:
    """The message for LoRA targets that the model has not."""
    return f"lora.targets: {targets} does not fit this model ({why}); name modules that it has, or all-linear"


def train_only(loaded: Loaded, name: str) -> None:
    """Freezes all but the adapter `name`: by name, because peft frees every active adapter on the way.

    Frozen ones lose their dropout too, or the reference of a loss would be a vanilla model with noise in it.
    """
    for key, parameter in loaded.model.named_parameters():
        parameter.requires_grad_(f".{name}." in key)
    for key, layer in loaded.model.named_modules():
        if ".lora_dropout." in key and not key.endswith(f".{name}") and hasattr(layer, "p"):
            layer.p = 0.0


def load_adapter(loaded: Loaded, name: str, folder: Path) -> None:
    """Raises ValueError and whatever peft does where the adapter does not fit the model."""
    from peft import PeftModel

    with biases_kept(loaded.model, name):
        if list(getattr(loaded.model, "peft_config", ())) == [name] and not is_plain(folder):
            loaded.model = without_adapters(loaded.model)  # peft cannot put whole modules where there were some before
        if not hasattr(loaded.model, "peft_config"):
            loaded.model = PeftModel.from_pretrained(loaded.model, folder, adapter_name=name, is_trainable=False)
        else:
            if name in loaded.model.peft_config:
                loaded.model.delete_adapter(name)
            loaded.model.load_adapter(folder, adapter_name=name, is_trainable=False)
            if not loaded.model.active_adapters:  # it replaced the only one; Unsloth's kernels need one that is active
                loaded.model.set_adapter(name)
    check_complete(loaded.model, name, folder)
    loaded.model.requires_grad_(False)


def save_adapter(loaded: Loaded, name: str, folder: Path) -> None:
    """Writes one adapter as safetensors with its configuration, so that peft alone can load it."""
    config = loaded.model.peft_config[name]
    if isinstance(config.target_modules, set):  # written in another order by each process: the same adapter differed
        config.target_modules = sorted(config.target_modules)
    # Peft would save an adapted output layer's own weights too, of which nothing was trained.
    loaded.model.save_pretrained(folder, selected_adapters=[name], save_embedding_layers=False)
    inner = folder / name  # peft puts every adapter but one named "default" into a folder of its own
    for file in inner.iterdir():
        shutil.move(file, folder / file.name)
    inner.rmdir()
    (folder / "README.md").unlink(missing_ok=True)  # an empty model card; the run folder says more
