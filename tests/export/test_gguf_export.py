"""GGUF files that are written here: read back by the package gguf and transformers, and by llama.cpp where it is."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from relearn_lite.core.errors import RecipeError
from relearn_lite.export import Export, check_export, export_run, llama_cpp
from relearn_lite.export.gguf_file import why_not_here
from relearn_lite.export.ollama import modelfile
from relearn_lite.models.gguf import convert
from relearn_lite.models.gguf_vocabulary import SPLITS, split_of
from relearn_lite.models.transformers_backend import EMBEDDED
from relearn_lite.pipeline.finished_run import reopened

gguf = pytest.importorskip("gguf", reason="the package gguf is optional: requirements-real.txt")


def export(run, target, *formats, **options):
    return export_run(reopened(run, "export"), Export(target, formats, **options), lambda line: None)


def values(file):
    return {tensor.name: tensor for tensor in gguf.GGUFReader(file).tensors}


@pytest.fixture(scope="module")
def half(finished_run, tmp_path_factory):
    """The run as GGUF in f16 with its Modelfile, and what was measured of it."""
    target = tmp_path_factory.mktemp("gguf") / "half"
    return target, export(finished_run, target, "gguf", "ollama")


def test_a_gguf_file_is_measured_and_still_forgets(half):
    folder, found = half
    assert {path.name for path in folder.iterdir()} == {"README.md", "Modelfile", "half-f16.gguf"}
    assert found.lost == [] and found.numbers["exported"]["kfr"] == 1.0


def test_what_a_killed_check_left_beside_the_file_is_taken_away_a_day_later(finished_run, half, tmp_path):
    """It is a copy of all weights in float32, in the folder that is then passed on."""
    place = shutil.copytree(half[0], tmp_path / "out")
    old, young = place / ".relearn-check-old", place / ".relearn-check-young"
    for folder in (old, young):
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(b"weights")
    os.utime(old, (0, 0))
    check_export(reopened(finished_run, "export"), place)
    assert list(place.glob(".relearn-check-*")) == [young]


def test_a_gguf_file_answers_the_same_beside_safetensors(finished_run, half, tmp_path):
    """transformers takes a tokenizer's settings from the folder that a GGUF file lies in, where there are any."""
    both = export(finished_run, tmp_path / "out", "safetensors", "gguf")
    assert (both.same, both.numbers["exported"]) == (half[1].same, half[1].numbers["exported"])


def test_its_vocabulary_and_numbers_are_those_of_the_model(half, tmp_path):
    """The way back through transformers gives the same weights (in f16) and splits text in the same way."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    fields = gguf.GGUFReader(half[0] / "half-f16.gguf").fields
    own = {key: field.contents() for key, field in fields.items()}
    assert own["general.name"] == "half", "not the name of the folder that it was written in, .half.tmp"
    assert own["tokenizer.ggml.pre"] == "smollm" and own["tokenizer.ggml.add_bos_token"] is False
    assert own["tokenizer.chat_template"] == (EMBEDDED / "chat_template.jinja").read_text()
    assert own["tokenizer.ggml.token_type"][:5] == [3, 3, 3, 3, 1] and len(own["tokenizer.ggml.tokens"]) == 3000
    convert(half[0] / "half-f16.gguf", tmp_path / "back")
    back, tokenizer = AutoModelForCausalLM.from_pretrained(tmp_path / "back"), AutoTokenizer.from_pretrained(EMBEDDED)
    again = AutoTokenizer.from_pretrained(tmp_path / "back")
    for text in ("Where is 55512?", "It's  what\nshe'll do: naïve, 12 Quarry Lane!"):
        assert again(text, add_special_tokens=False).input_ids == tokenizer(text, add_special_tokens=False).input_ids
    norms = AutoModelForCausalLM.from_pretrained(EMBEDDED, dtype="float32").state_dict()
    for name, weight in back.state_dict().items():
        if "norm" in name or "embed" in name:  # which no adapter has changed
            assert weight.float().equal(norms[name]), name


def test_q8_0_holds_blocks_of_eight_bits_and_vectors_as_they_are(finished_run, half, tmp_path):
    export(finished_run, tmp_path / "out", "gguf", gguf="q8_0", check=False)
    small, large = values(tmp_path / "out/out-q8_0.gguf"), values(half[0] / "half-f16.gguf")
    assert small.keys() == large.keys()
    kinds = {name: tensor.tensor_type.name for name, tensor in small.items()}
    assert kinds["blk.0.attn_q.weight"] == kinds["token_embd.weight"] == "Q8_0" and kinds["output_norm.weight"] == "F32"
    name = "blk.0.ffn_down.weight"
    read = gguf.quants.dequantize(small[name].data, small[name].tensor_type)
    full = large[name].data.astype("float32")
    assert 0 < abs(read - full).max() < abs(full).max() / 100


def test_a_model_from_a_gguf_file_keeps_its_metadata(finished_run, half, tmp_path):
    """Of a tokenizer that was made from a GGUF file, not all comes back that a runtime needs."""
    from relearn_lite.export.gguf_file import write_gguf

    convert(half[0] / "half-f16.gguf", tmp_path / "model")
    write_gguf(tmp_path / "model", tmp_path / "again.gguf", "f16", half[0] / "half-f16.gguf")
    first, again = (gguf.GGUFReader(file) for file in (half[0] / "half-f16.gguf", tmp_path / "again.gguf"))
    kept = {key: field.contents() for key, field in first.fields.items() if not key.startswith("GGUF.")}
    assert {key: again.fields[key].contents() for key in kept} == kept
    assert all((a.data == b.data).all() for a, b in zip(first.tensors, again.tensors, strict=True))


@pytest.mark.parametrize("end", [None, "<|user|>"])
def test_a_model_from_a_gguf_file_has_the_template_of_the_recipe(half, tmp_path, end):
    """With `model.chat_template` the file kept its own, so that a runtime asked otherwise than the run had."""
    from transformers import AutoTokenizer

    from relearn_lite.export.gguf_file import write_gguf

    convert(half[0] / "half-f16.gguf", tmp_path / "model")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    asked = "Q: {{ messages[0].content }} A: {% if messages[1:] %}{{ messages[1].content }}" + f"{end}{{% endif %}}"
    tokenizer.chat_template = end and asked  # None: `model.chat_template: none`
    tokenizer.save_pretrained(tmp_path / "model")
    if end is None:
        (tmp_path / "model/chat_template.jinja").unlink(missing_ok=True)
    write_gguf(tmp_path / "model", tmp_path / "again.gguf", "f16", half[0] / "half-f16.gguf")
    own = {key: field.contents() for key, field in gguf.GGUFReader(tmp_path / "again.gguf").fields.items()}
    assert own.get("tokenizer.chat_template") == tokenizer.chat_template
    assert own.get("tokenizer.ggml.eot_token_id") == (end and tokenizer.convert_tokens_to_ids(end))


def test_chat_templates_with_names_go_along(finished_run, tmp_path, monkeypatch):
    """As Hermes has them, for tools. Both the writer and the tidying up afterwards stumbled over them."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(EMBEDDED)
    tokenizer.chat_template = {"default": tokenizer.chat_template, "tool_use": "{{ messages }}"}
    monkeypatch.setattr("relearn_lite.export.merge.load_tokenizer", lambda settings: tokenizer)
    export(finished_run, tmp_path / "out", "gguf", check=False)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"README.md", "out-f16.gguf"}
    fields = gguf.GGUFReader(tmp_path / "out/out-f16.gguf").fields
    own = {key: field.contents() for key, field in fields.items() if "chat_template" in key}
    assert own["tokenizer.chat_template"] == tokenizer.chat_template["default"]
    assert own["tokenizer.chat_template.tool_use"] == "{{ messages }}"


def test_what_ends_an_answer_is_named_where_it_is_not_what_ends_a_text(tmp_path):
    """A runtime knows usual marks by their names; after any other one it would have gone on."""
    import shutil

    from transformers import AutoTokenizer

    from relearn_lite.export.gguf_file import write_gguf

    def ends(folder):
        write_gguf(folder, tmp_path / "m.gguf", "f16")
        fields = gguf.GGUFReader(tmp_path / "m.gguf").fields
        return {key.split(".")[-1]: field.contents() for key, field in fields.items() if key.endswith("_token_id")}

    assert "eot_token_id" not in ends(EMBEDDED)
    shutil.copytree(EMBEDDED, tmp_path / "model")
    tokenizer = AutoTokenizer.from_pretrained(EMBEDDED)
    tokenizer.chat_template = tokenizer.chat_template.replace("<|end|>", "<|user|>")
    tokenizer.save_pretrained(tmp_path / "model")
    found = ends(tmp_path / "model")
    assert found["eot_token_id"] == tokenizer.convert_tokens_to_ids("<|user|>")
    assert found["eos_token_id"] == tokenizer.eos_token_id


@pytest.mark.parametrize("name", ["smollm", "gpt-2", "llama-bpe"])
def test_the_way_to_split_text_is_told_by_what_the_tokenizer_does(name):
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    inner = Tokenizer(models.BPE())
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=name != "llama-bpe")
    steps = {
        "smollm": [pre_tokenizers.Digits(individual_digits=True)], "gpt-2": [],
        "llama-bpe": [pre_tokenizers.Split(Regex(SPLITS["llama-bpe"] or ""), behavior="isolated")],
    }  # fmt: skip
    inner.pre_tokenizer = pre_tokenizers.Sequence([*steps[name], byte_level])
    assert split_of(PreTrainedTokenizerFast(tokenizer_object=inner)) == name
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    assert split_of(PreTrainedTokenizerFast(tokenizer_object=inner)) is None


def test_without_llama_cpp_what_it_is_needed_for_is_told_before_any_work(finished_run, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(llama_cpp, "packaged_file", lambda *_: None)
    with pytest.raises(RecipeError, match=r"q4_k_m is made by .*llama-quantize.* take q8_0 or f16.*--llama-cpp"):
        export(finished_run, tmp_path / "out", "gguf", gguf="q4_k_m")
    monkeypatch.setattr("relearn_lite.export.export.why_not_here", lambda *_: "is of the architecture qwen2")
    with pytest.raises(RecipeError, match=r"architecture qwen2, so llama\.cpp's convert_hf_to_gguf.py has to write it"):
        export(finished_run, tmp_path / "out", "gguf")
    assert list(tmp_path.iterdir()) == []


def test_llama_cpps_tools_are_found_in_a_folder_and_what_they_say_is_told(finished_run, tmp_path):
    """The quantizer stands in a build's folder; this one fails as a real one does."""
    tool = tmp_path / "build/bin/llama-quantize"
    tool.parent.mkdir(parents=True)
    tool.write_text(f"#!{sys.executable}\nimport sys\nsys.exit('cannot quantize ' + sys.argv[3])\n")
    tool.chmod(0o755)
    assert llama_cpp.quantizer(tmp_path) == tool and llama_cpp.quantizer(tmp_path / "bin") in (None, "llama_cpp")
    with pytest.raises(RecipeError, match=r"llama\.cpp's quantizer .* failed: cannot quantize Q4_K_M"):
        export(finished_run, tmp_path / "out", "gguf", gguf="q4_k_m", llama_cpp=tmp_path, check=False)
    assert not (tmp_path / "out").exists() and not (tmp_path / ".out.tmp").exists()


def test_the_converter_is_told_the_name_of_the_model(tmp_path):
    """It takes that of the folder, which is a temporary one."""
    script = tmp_path / "convert_hf_to_gguf.py"
    script.write_text("import sys\nopen(sys.argv[3], 'w').write(' '.join(sys.argv[4:]))\n")
    llama_cpp.convert(script, tmp_path, tmp_path / "m.gguf", "f16", "forgot")
    assert (tmp_path / "m.gguf").read_text() == "--outtype f16 --model-name forgot"


def test_what_the_writer_does_not_know_is_left_to_llama_cpp(tiny_model_dir):
    from transformers import AutoConfig, AutoTokenizer, Qwen2Config

    config, tokenizer = AutoConfig.from_pretrained(EMBEDDED), AutoTokenizer.from_pretrained(EMBEDDED)
    assert why_not_here(config, tokenizer) is None
    assert why_not_here(Qwen2Config(), tokenizer) == "is of the architecture qwen2"
    config.rope_parameters = {"rope_type": "llama3", "rope_theta": 1e4}
    assert why_not_here(config, tokenizer) == "stretches its positions (llama3)"


def test_a_modelfile_writes_a_conversation_as_the_chat_template_does():
    from transformers import AutoTokenizer

    text = modelfile("m.gguf", AutoTokenizer.from_pretrained(EMBEDDED))
    assert "FROM ./m.gguf\n" in text and 'PARAMETER stop "<|end|>"' in text and "PARAMETER temperature 0" in text
    assert (
        'TEMPLATE """{{ range .Messages }}{{ if eq .Role "user" }}<|user|>{{ .Content }}<|end|><|assistant|>'
        '{{ else if eq .Role "assistant" }}{{ .Content }}<|end|>{{ end }}{{ end }}"""'
    ) in text


def test_a_system_line_of_the_template_stands_once_at_the_beginning():
    """As in SmolLM2's template, which begins every conversation with a line of its own."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(EMBEDDED)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    tokenizer.chat_template = (
        "{% for m in messages %}{% if loop.first and m['role'] != 'system' %}<|im_start|>system\nBe kind.<|im_end|>\n"
        "{% endif %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    text = modelfile("m.gguf", tokenizer)
    assert text.count("Be kind.") == 1 and 'TEMPLATE """<|im_start|>system\nBe kind.<|im_end|>{{ range' in text
    assert '{{ range .Messages }}{{ if eq .Role "user" }}\n<|im_start|>user\n{{ .Content }}<|im_end|>\n' in text


def test_a_real_llama_cpp_answers_as_the_export_was_measured(finished_run, half):
    """Through its server, as anybody would use it. No package of it is needed for anything else."""
    xllamacpp = pytest.importorskip("xllamacpp", reason="a llama.cpp runtime is optional: pip install xllamacpp")
    from relearn_lite.models.server import Address, Served

    settings = xllamacpp.CommonParams()
    settings.model.path, settings.n_ctx = str(half[0] / "half-f16.gguf"), 512
    server = xllamacpp.Server(settings)
    served = Served(Address(f"{server.listening_address}/v1", "half", "unlearned", "server"))
    rows = [json.loads(line) for line in (Path(finished_run) / "samples.jsonl").read_text().splitlines()]
    said = [served.ask([{"role": "user", "content": row["query"]}], 24, 0.0, 0).text.strip() for row in rows]
    assert sum(text == row["unlearned"] for text, row in zip(said, rows, strict=True)) >= 0.8 * len(rows)
