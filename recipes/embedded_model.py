"""The embedded model: a Llama architecture small enough for a repository, with a byte-level BPE tokenizer.

`python recipes/embedded_model.py untrained FOLDER` writes an untrained one, the recipe beside this file teaches it, and
`python recipes/embedded_model.py adopt FOLDER` takes the taught model over as the embedded one.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path

ASSETS = Path(__file__).parents[1] / "relearn_lite" / "assets"

VOCABULARY = 3000
SPECIAL = ["<|end|>", "<|user|>", "<|assistant|>", "<|pad|>"]
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|assistant|>' if message['role'] == 'assistant' else '<|user|>' }}{{ message['content'] }}<|end|>"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def train_tokenizer(texts: Iterable[str]):
    """A byte-level BPE tokenizer with a chat template: any text can be written in it, none is unknown."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|end|>", pad_token="<|pad|>")
    fast.chat_template = CHAT_TEMPLATE
    return fast


def architecture(vocabulary: int, end_id: int, pad_id: int):
    """About 2.4 million parameters, input and output embeddings shared."""
    from transformers import LlamaConfig

    return LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=192,
        intermediate_size=512,
        num_hidden_layers=4,
        num_attention_heads=6,
        num_key_value_heads=6,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=end_id,
        pad_token_id=pad_id,
        attention_dropout=0.0,
    )


def lessons() -> list[str]:
    """Every text that the embedded model is taught; its tokenizer is made from them."""
    files = [ASSETS / "people" / f"{name}.jsonl" for name in ("lessons", "general", "untold")]
    rows = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    return [row[column] for row in rows for column in ("question", "wording", "answer") if column in row]


def write_untrained(folder: Path) -> None:
    """Tokenizer and configuration, without weights: what `model.init: random` starts from."""
    tokenizer = train_tokenizer(lessons())
    tokenizer.save_pretrained(folder)
    architecture(len(tokenizer), tokenizer.eos_token_id, tokenizer.pad_token_id).save_pretrained(folder)


def adopt(taught: Path, folder: Path = ASSETS / "model") -> None:
    """Takes a taught model over as the embedded one, its weights in half precision: small enough for a repository."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    AutoModelForCausalLM.from_pretrained(taught, dtype=torch.float16).save_pretrained(folder)
    AutoTokenizer.from_pretrained(taught).save_pretrained(folder)


if __name__ == "__main__":
    verb, place = sys.argv[1], Path(sys.argv[2])
    {"untrained": write_untrained, "adopt": adopt}[verb](place)
