"""An adapter that somebody else made: whether it can be switched off without a trace, and what is switched with it.

The vanilla model is the same weights with the adapter off, so an adapter must leave them as they are. peft's LoRA,
LoHa, LoKr and IA3 do; so do whole modules and tokens saved with them, each in a wrapper of its own. Trained biases take
the place of the base's, and are put in and out here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FILES = ("adapter_config.json", "adapter_model.safetensors")
WEIGHTS = {"LORA": "lora_", "LOHA": "hada_", "LOKR": "lokr_", "IA3": "ia3_l"}  # kind -> what its weights are called
UNTOUCHED = (True, False, None, "gaussian", "eva", "orthogonal")  # ways of LoRA to begin that leave the base alone
CHANGES_MODEL = ("layer_replication", "alora_invocation_tokens", "arrow_config", "use_bdlora")
BIASES = "biases_by_adapter"  # of a module: adapter -> its bias; None -> the base's own


def why_refused(folder: Path) -> str | None:
    """What speaks against the adapter in a folder, as the end of a sentence; reads no weights. None: nothing."""
    from safetensors import SafetensorError, safe_open

    if missing := [name for name in FILES if not (folder / name).is_file()]:
        return f"has no {' and no '.join(missing)}"
    try:
        config = json.loads((folder / FILES[0]).read_text(encoding="utf-8"))
        with safe_open(folder / FILES[1], "numpy") as file:
            keys = list(file.keys())
    except (OSError, ValueError, SafetensorError) as error:
        return f"cannot be read ({type(error).__name__}: {error})"
    if not isinstance(config, dict) or config.get("peft_type") not in WEIGHTS:
        kind = config.get("peft_type") if isinstance(config, dict) else None
        return f"holds an adapter of the kind {kind}, and only {', '.join(WEIGHTS)} can be switched off here"
    if config.get("init_lora_weights") not in UNTOUCHED:
        return f"began by changing the base's own weights (init_lora_weights: {config['init_lora_weights']})"
    if changes := [key for key in CHANGES_MODEL if config.get(key)]:
        return f"changes the model besides its weights ({changes[0]})"
    whole = [key for key in keys if not _is_switched(key, config)]
    return f"holds weights of the base too ({whole[0]})" if whole else None


def _is_switched(key: str, config: dict[str, Any]) -> bool:
    modules = [key[:end] for end, char in enumerate(key) if char == "."]  # peft goes by the ends of their names
    saved = any(module.endswith(tuple(config.get("modules_to_save") or ())) for module in modules)
    bias = config.get("bias", "none") != "none" and key.endswith(".bias")
    return saved or bias or WEIGHTS[config["peft_type"]] in key or "token_adapter" in key


def is_plain(folder: Path) -> bool:
    """Whether it is LoRA and nothing else, as `unlearn` makes it."""
    config = json.loads((folder / FILES[0]).read_text(encoding="utf-8"))
    more = [key for key in ("modules_to_save", "trainable_token_indices", "use_dora") if config.get(key)]
    return config.get("peft_type") == "LORA" and config.get("bias", "none") == "none" and not more


def without_adapters(model: Any) -> Any:
    """The transformers model under peft's wrapper as it was; peft's own `unload` would leave whole modules behind."""
    from peft.utils.other import ModulesToSaveWrapper

    for name, module in list(model.named_modules()):
        if isinstance(module, ModulesToSaveWrapper):
            parent, _, leaf = name.rpartition(".")
            setattr(model.get_submodule(parent), leaf, module.original_module)
    return model.unload()


@contextmanager
def biases_kept(model: Any, name: str) -> Iterator[None]:
    """Notes, for every bias that peft replaces inside by that of adapter `name`, the base's own; see `biases_on`."""
    held = [(module, module.__dict__.get(BIASES) or {None: module.bias.data.clone()}) for module in _biased(model)]
    for module, known in held:
        module.bias.data = known[None].clone()  # where an earlier adapter has left its own
    yield
    for module, known in held:
        if not module.bias.data.equal(known[None]):
            module.__dict__[BIASES] = known | {name: module.bias.data.clone()}


@contextmanager
def biases_on(model: Any, names: tuple[str, ...]) -> Iterator[None]:
    """Runs the model with the biases of these adapters, where they have some, and else with the base's own."""
    held = [(module, module.bias.data) for module in model.modules() if BIASES in module.__dict__]
    for module, _ in held:
        known = module.__dict__[BIASES]
        module.bias.data = known[next((name for name in reversed(names) if name in known), None)]
    try:
        yield
    finally:
        for module, before in held:
            module.bias.data = before


def _biased(model: Any) -> list[Any]:
    from torch.nn import Parameter

    return [module for module in model.modules() if isinstance(module._parameters.get("bias"), Parameter)]


def check_complete(model: Any, name: str, folder: Path) -> None:
    """Raises ValueError where weights of the file found no place in the model, places no weights, or are no numbers.

    peft says so in a warning and goes on, with what is missing as if it had never been trained.
    """
    from peft import get_peft_model_state_dict
    from safetensors import safe_open

    with safe_open(folder / FILES[1], "pt") as file:
        stored = set(file.keys())
        if wild := [key for key in sorted(stored) if not file.get_tensor(key).isfinite().all()]:
            raise ValueError(f"{len(wild)} of its {len(stored)} weights hold what is no number, such as {wild[0]}")
    there = set(get_peft_model_state_dict(model, adapter_name=name, save_embedding_layers=False))
    if left := sorted(stored - there):
        raise ValueError(f"{len(left)} of its {len(stored)} weights have no place in the model, such as {left[0]}")
    if empty := sorted(there - stored):
        raise ValueError(f"{len(empty)} of its {len(there)} weights are missing from the file, such as {empty[0]}")
