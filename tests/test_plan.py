"""The plan against torch: what can be counted is exact, and nothing but config.json is read."""

from __future__ import annotations

import json

import pytest
import torch

from relearn_lite import backends, plan
from relearn_lite.errors import RecipeError
from relearn_lite.footprint import empty_model, lora_parameters, optimizer, shape_of
from relearn_lite.recipe import load_recipe
from relearn_lite.schema import Lora, Model

SIZES = {"vocab_size": 97, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
         "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 64}
KINDS = {"llama": ("LlamaConfig", {}), "qwen2": ("Qwen2Config", {"tie_word_embeddings": True}),
         "gemma2": ("Gemma2Config", {"head_dim": 8})}
LLAMA_8B = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 128256, "hidden_size": 4096,
            "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8}


@pytest.fixture(params=sorted(KINDS))
def real(request, tmp_path):
    """A real model of each layout, and a folder with nothing but its configuration."""
    import transformers

    name, extra = KINDS[request.param]
    model = transformers.AutoModelForCausalLM.from_config(getattr(transformers, name)(**SIZES, **extra, pad_token_id=0))
    model.config.save_pretrained(tmp_path)
    return model, Model(name=str(tmp_path), quantization="none", backend="transformers")


def recipe(tmp_path, model="embedded", **overrides):
    for part in ("forget", "retain"):
        (tmp_path / f"{part}.jsonl").write_text(json.dumps({"question": part, "answer": "It is so."}) + "\n")
    data = "{forget: {path: forget.jsonl}, retain: {path: retain.jsonl}}"
    (tmp_path / "recipe.yaml").write_text(f"name: t\nmodel: {{name: {model}}}\ndata: {data}\n")
    return load_recipe(tmp_path / "recipe.yaml", [f"{key}={value}" for key, value in overrides.items()])


@pytest.fixture
def llama_8b(tmp_path):
    folder = tmp_path / "8b"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(LLAMA_8B))
    return folder


def test_parameters_are_exact(real):
    model, settings = real
    empty = empty_model(settings)
    assert all(p.is_meta for p in empty.parameters()), "memory was taken for weights"
    assert shape_of(empty).parameters == sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("lora", [Lora(r=4), Lora(r=7, targets=["q_proj", "v_proj"])], ids=["all-linear", "two"])
def test_lora_and_its_optimizer_are_exact(real, lora):
    model, settings = real
    loaded = backends.Loaded(model, None, "transformers")
    backends.add_adapter(loaded, backends.UNLEARNED, lora, 0)
    free = [p for p in loaded.model.parameters() if p.requires_grad]
    assert lora_parameters(settings, lora) == sum(p.numel() for p in free)
    adam = torch.optim.AdamW(free)
    for parameter in free:
        parameter.grad = torch.ones_like(parameter)
    adam.step()
    moments = [t for state in adam.state.values() for t in state.values() if t.dim()]
    assert optimizer(lora_parameters(settings, lora)) == sum(t.nbytes for t in moments)


def test_the_kv_cache_is_exact(real):
    model, settings = real
    with torch.no_grad():
        cache = model(input_ids=torch.arange(24).reshape(3, 8) + 5, use_cache=True).past_key_values
    size = sum(layer.keys.nbytes + layer.values.nbytes for layer in cache.layers)
    assert shape_of(empty_model(settings)).kv_cache(3, 8, number=4) == size


def test_4bit_weights_are_those_of_bitsandbytes():
    """Codes, 8-bit scales of 64 weights and float32 scales of 256 scales; the tables of a layer, 1 kB, not counted."""
    from bitsandbytes.functional import quantize_4bit

    weight = torch.randn(2048, 2048)
    packed, state = quantize_4bit(weight, compress_statistics=True, quant_type="nf4")
    size = packed.nbytes + state.absmax.nbytes + state.state2.absmax.nbytes
    from relearn_lite.footprint import BYTES

    assert weight.numel() * BYTES["4bit"] == size


def test_an_8b_model_in_4bit(tmp_path, llama_8b):
    job = recipe(tmp_path, llama_8b)
    counted = plan.count(job)
    assert counted.shape.parameters == 8_030_261_248
    assert counted.trained(job, "unlearn") == 83_886_080
    unlearn = next(need for need in plan.needs(job, counted) if need.stage == "unlearn")
    assert unlearn.parts["weights"] == pytest.approx(5.70e9, rel=0.01)
    assert unlearn.parts["optimizer"] == 8 * 83_886_080
    assert not plan.fits(unlearn.total, 6) and plan.fits(unlearn.total, 24)


def test_16bit_is_told_what_to_change_and_then_fits(tmp_path, llama_8b):
    job = recipe(tmp_path, llama_8b, **{"model.quantization": "none", "unlearn.batch_size": 8, "unlearn.accumulate": 2})
    changes = plan.advice(job, plan.count(job), 12)
    assert changes[0] == "model.quantization=4bit"
    told = dict(pair.split("=") for change in changes for pair in change.split())
    again = recipe(tmp_path, llama_8b, **{"unlearn.batch_size": 8, "unlearn.accumulate": 2} | told)
    assert plan.advice(again, plan.count(again), 12) == []
    assert again.unlearn.batch_size * again.unlearn.accumulate == 16, "the effective batch changed"
    assert plan.advice(job, plan.count(job), 6) is None
    small = dict(pair.split("=") for change in plan.advice(job, plan.count(job), 8) for pair in change.split())
    small = recipe(tmp_path, llama_8b, **small)
    assert small.unlearn.lora.r < 32 and plan.advice(small, plan.count(small), 8) == [], "another rank, another count"


def test_checkpointing_saves_what_it_should(tmp_path, llama_8b):
    job = recipe(tmp_path, llama_8b)
    counted = plan.count(job)
    saving = job.model_copy(update={"model": job.model.model_copy(update={"gradient_checkpointing": False})})
    with_it, without = (
        next(n for n in plan.needs(j, counted) if n.stage == "unlearn").parts["activations"] for j in (job, saving)
    )
    assert with_it < without / 8


def test_what_is_shown(tmp_path, llama_8b):
    from rich.console import Console

    console = Console(record=True, width=200)
    plan.plan(recipe(tmp_path, llama_8b), console.print)
    shown = console.export_text()
    for line in ("8,030,261,248 parameters, 4bit", "unlearn: 83,886,080 trained parameters (1.04%)", " 24 GB: fits",
                 "  6 GB: no setting fits"):
        assert line in shown
    assert "download of the model 0.0 MB" in shown, "a folder was taken for a download"


def test_without_network_the_message_says_what_is_needed(tmp_path, monkeypatch):
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(RecipeError, match="model.name: the configuration of no-such/model could not be .* network"):
        plan.count(recipe(tmp_path, "no-such/model"))


def test_the_command_runs_on_the_embedded_model(tmp_path):
    from click.testing import CliRunner

    from relearn_lite.cli import cli

    recipe(tmp_path)
    shown = CliRunner().invoke(cli, ["plan", str(tmp_path / "recipe.yaml")], catch_exceptions=False)
    assert shown.exit_code == 0 and "2,347,200 parameters" in shown.output and "  6 GB: fits" in shown.output
