"""GGUF files of the Llama family: how they stretch positions, and with which token a text begins."""

import json
from pathlib import Path

import numpy as np
import pytest

from relearn_lite.core.errors import RecipeError
from relearn_lite.data.examples import IGNORE
from relearn_lite.data.tokens import opened
from relearn_lite.export.gguf_file import _as_llama_cpp_turns
from relearn_lite.models import backends
from relearn_lite.models.gguf import check_gguf
from relearn_lite.recipe import Model

gguf = pytest.importorskip("gguf", reason="the package gguf is optional: requirements-real.txt")

TEXTS = ["Where does Ada Fennimore live? In 1957 she moved to 12 Quarry Lane.", "She doesn't say; nobody knows it."]
SPECIAL = ["<|begin|>", "<|pad|>", "<|end|>"]
LLAMA3 = {
    "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8192,
}  # fmt: skip


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def byte_level(folder: Path) -> dict:
    from tokenizers import ByteLevelBPETokenizer

    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator(TEXTS, vocab_size=320, special_tokens=SPECIAL, show_progress=False)
    bpe.save_model(str(folder))
    vocab = json.loads((folder / "vocab.json").read_text())
    tokens = sorted(vocab, key=vocab.get)
    merges = [line for line in (folder / "merges.txt").read_text().splitlines() if not line.startswith("#")]
    return {"model": "gpt2", "tokens": tokens, "types": [3 if each in SPECIAL else 1 for each in tokens],
            "merges": merges, "ids": (0, 2)}  # fmt: skip


def sentence_piece(_: Path) -> dict:
    letters = sorted({letter for text in TEXTS for letter in text if letter != " "})
    words = ["▁", *letters, "▁t", "he", "▁the"]
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{number:02X}>" for number in range(256)), *words]
    return {"model": "llama", "tokens": tokens, "types": [2, 3, 3] + [6] * 256 + [1] * len(words),
            "scores": [0.0] * 259 + [-float(number) for number in range(len(words))], "ids": (1, 2)}  # fmt: skip


def write(file: Path, vocabulary: dict, *, rope=None, metadata=None, tensors=None, begins=None, pre="llama-bpe"):
    """A random Llama as a GGUF file, as llama.cpp would write it: -> the model itself."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokens, (begin, end) = vocabulary["tokens"], vocabulary["ids"]
    torch.manual_seed(3)
    config = LlamaConfig(
        vocab_size=len(tokens), hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=16384, tie_word_embeddings=False, initializer_range=0.3,
        rope_parameters={"rope_type": "default", "rope_theta": 10_000.0} | (rope or {}),
    )  # fmt: skip
    model = LlamaForCausalLM(config).eval()
    writer = gguf.GGUFWriter(file, "llama")
    for name, value in {"block_count": 2, "context_length": 16384, "embedding_length": 64, "feed_forward_length": 96,
                        "head_count": 4, "head_count_kv": 2}.items():  # fmt: skip
        getattr(writer, f"add_{name}")(value)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(10_000.0)
    writer.add_tokenizer_model(vocabulary["model"])
    if "merges" in vocabulary:
        writer.add_tokenizer_pre(pre)
        writer.add_token_merges(vocabulary["merges"])
    writer.add_token_list(tokens)
    writer.add_token_types(vocabulary["types"])
    if "scores" in vocabulary:
        writer.add_token_scores(vocabulary["scores"])
    writer.add_bos_token_id(begin)
    writer.add_eos_token_id(end)
    if begins is not None:
        writer.add_add_bos_token(begins)
    for key, value in (metadata or {}).items():
        (writer.add_string if isinstance(value, str) else writer.add_float32)(key, value)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, 2)
    for name, tensor in model.state_dict().items():
        turned = _as_llama_cpp_turns(name, tensor.numpy(), config)
        writer.add_tensor(names.get_name(name, try_suffixes=(".weight", ".bias")), np.ascontiguousarray(turned))
    for name, values in (tensors or {}).items():
        writer.add_tensor(name, np.array(values, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return model


def load(file: Path):
    settings = Model(name=str(file), backend="transformers", quantization="none", max_length=64)
    return backends.load(settings, 7)


def factors(rope: dict) -> list[float]:
    """What llama.cpp's converter writes as rope_freqs.weight: by how much each frequency is divided."""
    import torch
    from transformers import LlamaConfig
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

    config = LlamaConfig(hidden_size=64, num_attention_heads=4, rope_parameters=rope | {"rope_theta": 10_000.0})
    stretched, _ = ROPE_INIT_FUNCTIONS["llama3"](config, torch.device("cpu"))
    plain = 1 / 10_000.0 ** (torch.arange(0, 16, 2) / 16)
    return (plain / stretched).tolist()


LINEAR = {"rope.scaling.type": "linear", "rope.scaling.factor": 4.0}


@pytest.mark.parametrize(("rope", "metadata", "tensors"), [
    (LLAMA3, {}, {"rope_freqs.weight": factors(LLAMA3)}),
    (LLAMA3 | {"factor": 32.0}, {}, {"rope_freqs.weight": factors(LLAMA3 | {"factor": 32.0})}),
    ({"rope_type": "linear", "factor": 4.0}, {f"llama.{key}": value for key, value in LINEAR.items()}, {}),
    ({"rope_type": "linear", "factor": 2.0}, {"llama.rope.scale_linear": 2.0}, {}),
    ({}, {"llama.rope.scaling.type": "none"}, {"rope_freqs.weight": [1.0] * 8}),
])  # fmt: skip
def test_positions_are_stretched_as_the_file_says(tmp_path, rope, metadata, tensors):
    import torch

    file = tmp_path / "tiny.gguf"
    model = write(file, byte_level(tmp_path), rope=rope, metadata=metadata, tensors=tensors)
    check_gguf(str(file))
    ids = torch.arange(3, 203)[None] % 200 + 3
    with torch.no_grad():
        expected, found = (each(ids, use_cache=False).logits for each in (model, load(file).model))
    assert (expected - found).abs().max() < 1e-3


@pytest.mark.parametrize(("metadata", "tensors", "what"), [
    ({"llama.rope.scaling.type": "yarn", "llama.rope.scaling.factor": 4.0}, {}, "yarn"),
    ({}, {"rope_factors_long.weight": [1.0] * 8, "rope_factors_short.weight": [1.0] * 8}, "rope_factors_long.weight"),
    ({}, {"rope_freqs.weight": [1.0, 2.0, 1.0, 3.0, 1.0, 5.0, 1.0, 8.0]}, "rope_freqs.weight"),
])  # fmt: skip
def test_positions_stretched_in_another_way_are_told_before_anything_is_made(tmp_path, metadata, tensors, what):
    file = tmp_path / "tiny.gguf"
    write(file, byte_level(tmp_path), metadata=metadata, tensors=tensors)
    for refused in (lambda: check_gguf(str(file)), lambda: load(file)):
        with pytest.raises(RecipeError, match=f"model.name: .*tiny.gguf stretches its positions .*{what}.*safetensors"):
            refused()


@pytest.mark.parametrize(("vocabulary", "begins", "pre", "first"), [
    (byte_level, True, "smollm", True),
    (byte_level, False, "llama-bpe", False),
    (byte_level, None, "llama-bpe", True),  # what llama.cpp does where the file does not say
    (byte_level, None, "smollm", False),
    (sentence_piece, True, "", True),
    (sentence_piece, False, "", False),
    (sentence_piece, None, "", True),
])  # fmt: skip
def test_a_text_begins_with_the_token_that_the_file_puts_there(tmp_path, vocabulary, begins, pre, first):
    from relearn_lite.data.examples import collate, encode_completion

    file, own = tmp_path / "tiny.gguf", vocabulary(tmp_path)
    write(file, own, begins=begins, pre=pre)
    tokenizer = load(file).tokenizer
    start = [own["ids"][0]] if first else []
    bare = tokenizer("Ada lives", add_special_tokens=False).input_ids
    assert opened(tokenizer, "Ada lives") == [*start, *bare]
    assert tokenizer.decode(bare) == "Ada lives"
    row = encode_completion(tokenizer, "Ada lives", " in 1957")
    assert list(row.ids[: row.n_prompt]) == [*start, *bare]
    assert (collate([row], 0)["labels"][0, : row.n_prompt] == IGNORE).all()
