"""Merged weights as a GGUF file, without llama.cpp: models of the Llama architecture with a byte-level vocabulary.

A model that came out of a GGUF file keeps that file's metadata and vocabulary as they were (what is read of them into a
tokenizer is not all that a runtime needs), but for the chat template, where the recipe has another. Names of tensors
and kinds of numbers are the package gguf's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from relearn_lite.core.errors import RecipeError
from relearn_lite.data.examples import turn_end_id
from relearn_lite.data.tokens import adds_begin_token
from relearn_lite.models.gguf import INSTALL
from relearn_lite.models.gguf_vocabulary import split_of

NORMAL, CONTROL, USER_DEFINED, UNUSED = 1, 3, 4, 5  # kinds of tokens, as llama.cpp numbers them
DERIVED = ("general.file_type", "general.quantization_version")  # of the numbers, which are written anew
TEMPLATE = ("tokenizer.chat_template", "tokenizer.ggml.eot_token_id")  # and what ends an answer in it
FILE_TYPES = {"f16": 1, "q8_0": 7}


def why_not_here(config: Any, tokenizer: Any) -> str | None:
    """What of a model this file cannot write, as the end of a sentence; None: nothing."""
    if config.model_type != "llama":
        return f"is of the architecture {config.model_type}"
    if config.rope_parameters.get("rope_type", "default") != "default":
        return f"stretches its positions ({config.rope_parameters['rope_type']})"
    if config.attention_bias or config.mlp_bias:
        return "has biases"
    kind = json.loads(tokenizer.backend_tokenizer.to_str())["model"]["type"] if tokenizer.is_fast else "slow"
    if kind != "BPE" or tokenizer.backend_tokenizer.normalizer or split_of(tokenizer) is None:
        return "splits text in a way that is not known here"
    return None


def write_gguf(folder: Path, file: Path, kind: str, original: Path | None = None, name: str | None = None) -> None:
    """Writes the model in a folder of safetensors as a GGUF file. Raises RecipeError for a missing package.

    kind: f16 or q8_0; vectors, such as norms, are in float32. original: the GGUF file that the model was read from,
    whose name it keeps; else name, or that of the folder, is its name.
    """
    try:
        import gguf
    except ImportError:
        raise RecipeError(f"export: --format gguf needs the package gguf; run `{INSTALL}`") from None
    from transformers import AutoConfig, AutoTokenizer

    config, tokenizer = AutoConfig.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    writer = gguf.GGUFWriter(file, "llama")
    if original:
        _copy_metadata(writer, original, tokenizer)
    else:
        _add_model(writer, config, name or folder.name)
        _add_vocabulary(writer, tokenizer, config.vocab_size)
    writer.add_file_type(FILE_TYPES[kind])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    tied = config.tie_word_embeddings
    for tensor, values in _weights(folder):
        if tied and tensor == "lm_head.weight":
            continue
        place = names.get_name(tensor, try_suffixes=(".weight", ".bias"))
        if place is None:
            raise RecipeError(f"export: {tensor} has no place in a GGUF file of the Llama architecture")
        _add_tensor(writer, place, _as_llama_cpp_turns(tensor, values, config), kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _weights(folder: Path) -> Iterator[tuple[str, Any]]:
    """Name and float32 values (numpy) of each tensor, one at a time."""
    import torch
    from safetensors import safe_open

    for shard in sorted(folder.glob("*.safetensors")):
        with safe_open(shard, "pt") as file:
            for name in file.keys():
                yield name, file.get_tensor(name).to(torch.float32).numpy()


def _as_llama_cpp_turns(name: str, values: Any, config: Any) -> Any:
    """Queries and keys in the order in which llama.cpp rotates them: pairs side by side, not halves."""
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
    count = next((count for part, count in heads.items() if f".{part}." in name), None)
    if count is None:
        return values
    return values.reshape(count, 2, -1, *values.shape[1:]).swapaxes(1, 2).reshape(values.shape)


def _add_tensor(writer: Any, name: str, values: Any, kind: str) -> None:
    import numpy as np
    from gguf import GGMLQuantizationType, quants

    if values.ndim < 2:
        writer.add_tensor(name, np.ascontiguousarray(values, dtype=np.float32))
        return
    if kind == "q8_0" and values.shape[-1] % 32 == 0:
        packed = quants.quantize(np.ascontiguousarray(values), GGMLQuantizationType.Q8_0)
        writer.add_tensor(name, packed, raw_dtype=GGMLQuantizationType.Q8_0)
        return
    half = values.astype(np.float16)
    if not np.isfinite(half).all():
        raise RecipeError(f"export: {name} holds numbers that are too large for f16; take --gguf q8_0")
    writer.add_tensor(name, np.ascontiguousarray(half))


def _copy_metadata(writer: Any, original: Path, tokenizer: Any) -> None:
    from gguf import GGUFReader, GGUFValueType

    fields = GGUFReader(original).fields
    own = fields[TEMPLATE[0]].contents() if TEMPLATE[0] in fields else None
    if other := tokenizer.chat_template != own:
        _add_template(writer, tokenizer)
    for key, field in fields.items():
        if key.startswith(("GGUF.", *(TEMPLATE if other else ()))) or key in (*DERIVED, "general.architecture"):
            continue
        kind, inner = field.types[0], field.types[-1] if field.types[0] == GGUFValueType.ARRAY else None
        writer.add_key_value(key, field.contents(), kind, sub_type=inner)


def _add_model(writer: Any, config: Any, name: str) -> None:
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    writer.add_name(name)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(head)
    writer.add_value_length(head)
    writer.add_rope_dimension_count(head)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)


def _add_vocabulary(writer: Any, tokenizer: Any, size: int) -> None:
    """size: of the embeddings, which may have more rows than there are tokens."""
    known = {number: token for token, number in tokenizer.get_vocab().items() if number < size}
    added = tokenizer.added_tokens_decoder
    kinds = [
        (CONTROL if added[n].special else USER_DEFINED) if n in added else NORMAL if n in known else UNUSED
        for n in range(size)
    ]
    merges = json.loads(tokenizer.backend_tokenizer.to_str())["model"]["merges"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(split_of(tokenizer))
    writer.add_token_list([known.get(n, f"[PAD{n}]") for n in range(size)])
    writer.add_token_types(kinds)
    writer.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in merges])
    # A runtime takes some token of its own for a beginning that is not named, so one is, and switched off.
    writer.add_bos_token_id(tokenizer.eos_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id)
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_pad_token_id(tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id)
    writer.add_add_bos_token(adds_begin_token(tokenizer))
    _add_template(writer, tokenizer)


def _add_template(writer: Any, tokenizer: Any) -> None:
    if (ends := turn_end_id(tokenizer)) != tokenizer.eos_token_id:
        writer.add_eot_token_id(ends)
    if own := tokenizer.chat_template:
        named = [{"name": name, "template": text} for name, text in own.items()] if isinstance(own, dict) else own
        writer.add_chat_template(named)
