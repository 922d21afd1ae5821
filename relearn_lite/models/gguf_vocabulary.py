"""The vocabulary of a GGUF file as a tokenizer. What transformers gets wrong of it is put right from the metadata.

That is the end, begin and padding tokens, how text is split before the vocabulary applies, and with what a text begins.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from relearn_lite.data.tokens import adds_begin_token

ARCHITECTURE, SPLIT = "general.architecture", "tokenizer.ggml.pre"
# How byte-level vocabularies split text, by the name in the metadata. transformers splits all of those of the llama
# architecture as GPT-2 did; None: that is right.
_LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)
SPLITS = {"gpt-2": None, "gpt2": None, "default": None, "smollm": "digits", "llama-bpe": _LLAMA3, "llama3": _LLAMA3}


def split_of(tokenizer: Any) -> str | None:
    """How llama.cpp calls the way in which a byte-level tokenizer splits text; None where it is not one of SPLITS."""
    own = json.loads(tokenizer.backend_tokenizer.to_str())["pre_tokenizer"] or {}
    steps = own.get("pretokenizers", [own])
    last = {"type": "ByteLevel", "add_prefix_space": False}
    if not steps or {key: steps[-1].get(key) for key in last} != last:
        return None
    before, whole = steps[:-1], steps[-1].get("use_regex", True)
    if not before:
        return "gpt-2" if whole else None
    if len(before) > 1 or before[0].get("type") not in ("Digits", "Split"):
        return None
    if before[0]["type"] == "Digits":
        return "smollm" if whole and before[0].get("individual_digits") else None
    isolated = before[0].get("behavior") == "Isolated" and not before[0].get("invert")
    return "llama-bpe" if isolated and not whole and before[0]["pattern"].get("Regex") == _LLAMA3 else None


def read_tokenizer(alone: Path, metadata: Mapping[str, Any]) -> Any:
    """The tokenizer of a GGUF file that lies in a folder of its own."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(alone.parent, gguf_file=alone.name)
    tokens = metadata["tokenizer.ggml.tokens"]
    for ours, theirs in {"bos": "bos", "eos": "eos", "pad": "padding", "unk": "unknown"}.items():
        id_ = metadata.get(f"tokenizer.ggml.{theirs}_token_id")
        setattr(tokenizer, f"{ours}_token", None if id_ is None else tokens[id_])
    if metadata.get("tokenizer.ggml.model") == "gpt2" and metadata[ARCHITECTURE] == "llama":
        _split_as_trained(tokenizer, SPLITS[metadata.get(SPLIT, "default")])
    if _begins(metadata) and tokenizer.bos_token and not adds_begin_token(tokenizer):
        _begin_texts(tokenizer)
    tokenizer.clean_up_tokenization_spaces = False  # it would take the space before "," and "?" out of what is decoded
    tokenizer.padding_side = "right"
    return tokenizer


def _begins(metadata: Mapping[str, Any]) -> bool:
    """Whether a text begins with a token of its own; where the file does not say, as llama.cpp has it."""
    default = metadata.get("tokenizer.ggml.model") == "llama" or metadata.get(SPLIT) in ("llama-bpe", "llama3")
    return metadata.get("tokenizer.ggml.add_bos_token", default)


def _begin_texts(tokenizer: Any) -> None:
    from tokenizers import processors

    backend, token = tokenizer.backend_tokenizer, tokenizer.bos_token
    first = processors.TemplateProcessing(
        single=[token, "$A"], pair=[token, "$A", "$B"], special_tokens=[(token, tokenizer.bos_token_id)]
    )
    before = [backend.post_processor] if backend.post_processor else []
    backend.post_processor = processors.Sequence([*before, first])


def _split_as_trained(tokenizer: Any, split: str | None) -> None:
    from tokenizers import Regex, pre_tokenizers

    if split == "digits":
        first = pre_tokenizers.Digits(individual_digits=True)
        rest = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    elif split:
        first = pre_tokenizers.Split(Regex(split), behavior="isolated")
        rest = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    else:
        return
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence([first, rest])
