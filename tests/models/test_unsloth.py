"""The Unsloth backend, on Unsloth's CPU backend: the same model, adapters and numbers as the transformers backend.

The CPU backend is stock transformers and peft inside; the GPU kernels are not covered here.
"""

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from trial import LORA, a_few_steps, adapter_bytes, logits, shake

from relearn_lite.core.errors import RecipeError
from relearn_lite.core.memory import tell_once
from relearn_lite.models import backends
from relearn_lite.models.loaded import UNLEARNED, VANILLA, active_adapters
from relearn_lite.recipe import Lora, Model

if find_spec("unsloth") is None:
    pytest.skip(
        "Unsloth is not installed: pip install --no-deps -r requirements-gpu.txt (the CPU build of torch will do)",
        allow_module_level=True,
    )

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", autouse=True)
def on_the_cpu():
    os.environ["UNSLOTH_FORCE_CPU"] = "1"  # read when Unsloth is first imported


def load(folder, backend="unsloth", quantization="4bit"):
    return backends.load(Model(name=str(folder), backend=backend, quantization=quantization, max_length=64), 7)


def trainable(loaded):
    return {name for name, p in loaded.model.named_parameters() if p.requires_grad}


def unlearned(folder, run, backend):
    """A model whose vanilla is an adapter, after a few steps of unlearning."""
    loaded = load(folder, backend)
    backends.add_adapter(loaded, VANILLA, LORA, 7)
    shake(loaded, VANILLA, 1)
    loaded.vanilla_adapters = (VANILLA,)
    backends.add_adapter(loaded, UNLEARNED, LORA, 7)
    assert a_few_steps(loaded, run) == 4
    return loaded


@pytest.mark.parametrize("quantization", ["4bit", "none"])
def test_the_model_is_that_of_the_transformers_backend(tiny_model_dir, quantization):
    ours, plain = load(tiny_model_dir, "unsloth", quantization), load(tiny_model_dir, "transformers", quantization)
    packed = [layer for layer in ours.model.modules() if type(layer).__name__ == "Linear4bit"]
    assert len(packed) == (14 if quantization == "4bit" else 0)
    assert not trainable(ours) and not ours.model.training
    assert torch.equal(logits(ours), logits(plain))
    assert ours.tokenizer.padding_side == plain.tokenizer.padding_side
    assert ours.tokenizer.get_vocab() == plain.tokenizer.get_vocab()
    assert ours.tokenizer.pad_token_id == plain.tokenizer.pad_token_id


def test_nothing_is_printed(tiny_model_dir, capfd):
    loaded = load(tiny_model_dir)
    backends.add_adapter(loaded, UNLEARNED, LORA, 7)
    from unsloth_zoo import gradient_checkpointing

    gradient_checkpointing.patch_unsloth_gradient_checkpointing()  # prints a line, as training does on a GPU
    gradient_checkpointing.unpatch_unsloth_gradient_checkpointing()
    assert capfd.readouterr().out == ""


def test_its_import_warns_of_nothing():
    """It wants to be imported before transformers, which is advice for scripts and looks like a fault of the run."""
    code = (
        "import transformers\nfrom relearn_lite.models import unsloth_backend\n"
        "with unsloth_backend._unsloth() as found: pass\nprint(found.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "FastLanguageModel" and "imported before" not in done.stderr


def test_auto_takes_transformers_for_what_it_cannot_load(tiny_model_dir, monkeypatch, capfd):
    """On a CPU it loads no 8-bit weights. `auto` takes it on a GPU, so here that choice is made for it."""
    choose = backends.choose
    monkeypatch.setattr(backends, "choose", lambda s: "unsloth" if s.backend == "auto" else choose(s))
    tell_once.cache_clear()
    assert load(tiny_model_dir, "auto").backend == "unsloth"
    assert capfd.readouterr().err.count("model.backend") == 0
    loaded = load(tiny_model_dir, "auto", "8bit")
    assert loaded.backend == "transformers"
    assert any(type(layer).__name__ == "Linear8bitLt" for layer in loaded.model.modules())
    told = [line for line in capfd.readouterr().err.splitlines() if "model.backend" in line]
    assert len(told) == 1 and told[0].startswith("model.backend: transformers holds the model, for Unsloth cannot load")


def test_what_no_library_can_load_is_one_mistake_with_auto(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(backends, "choose", lambda settings: "unsloth")
    with pytest.raises(RecipeError, match="model.name: .* could not be loaded") as found:
        load(tmp_path, "auto")
    assert "model.backend" not in str(found.value) and "Unsloth" not in capfd.readouterr().err


def test_what_unsloth_stumbles_over_is_a_clear_error(tiny_model_dir, monkeypatch):
    """It fails with errors of any kind at models that it does not know, and those were shown as a crash."""
    from unsloth import FastLanguageModel

    def stumble(*_, **__):
        print("a line of Unsloth's")
        raise KeyError("no such model")

    monkeypatch.setattr(FastLanguageModel, "from_pretrained", stumble)
    with pytest.raises(RecipeError, match="KeyError: 'no such model'.* or set model.backend to transformers") as found:
        load(tiny_model_dir)
    assert found.value.__cause__.__notes__ == ["Unsloth printed before: a line of Unsloth's"]


def test_4bit_is_4bit_even_without_gradients(tiny_model_dir):
    """Unsloth finds out whether 4-bit works by a backward pass; where it cannot make one it loads 16-bit in silence."""
    from unsloth_zoo.cpu import loader

    getattr(loader.cpu_bnb_4bit_supported, "cache_clear", lambda: None)()
    with torch.inference_mode():
        loaded = load(tiny_model_dir)
    assert any(type(layer).__name__ == "Linear4bit" for layer in loaded.model.modules())


def test_16bit_instead_of_4bit_is_an_error(tiny_model_dir, monkeypatch):
    from unsloth_zoo.cpu import loader

    monkeypatch.setattr(loader, "cpu_bnb_4bit_supported", lambda: False)
    with pytest.raises(RecipeError, match="model.quantization: Unsloth could not load .* in 4bit"):
        load(tiny_model_dir)


def test_8bit_is_an_error_on_a_cpu(tiny_model_dir):
    with pytest.raises(RecipeError, match="model.quantization: Unsloth could not load .* in 8bit"):
        load(tiny_model_dir, quantization="8bit")


def test_what_cannot_be_loaded_is_a_clear_error(tiny_model_dir, tmp_path):
    with pytest.raises(RecipeError, match="could not be loaded .*holds no config.json.*; give a folder that has one"):
        load(tmp_path)
    shutil.copy(tiny_model_dir / "config.json", tmp_path)  # a model that is known, without weights
    with pytest.raises(RecipeError, match="model.name: .* could not be loaded .* or set model.backend to transformers"):
        load(tmp_path)
    with pytest.raises(RecipeError, match="model.init: random needs model.backend: transformers"):
        backends.load(Model(name=str(tiny_model_dir), backend="unsloth", init="random", quantization="none"), 7)


def test_unknown_lora_targets_are_a_recipe_error(tiny_model_dir):
    with pytest.raises(RecipeError, match=r"lora.targets: \['no_such_proj'\] does not fit this model"):
        backends.add_adapter(load(tiny_model_dir), UNLEARNED, Lora(targets=["no_such_proj"]), 7)


@pytest.mark.parametrize("targets", ["all-linear", ["q_proj", "v_proj"]])
def test_the_adapter_has_our_name_and_the_same_start_as_in_transformers(tiny_model_dir, targets):
    ours, plain = load(tiny_model_dir), load(tiny_model_dir, "transformers")
    base, lora = logits(ours), Lora(r=4, targets=targets)
    for loaded in (ours, plain):
        backends.add_adapter(loaded, UNLEARNED, lora, 7)
    assert list(ours.model.peft_config) == [UNLEARNED]
    assert not [name for name, _ in ours.model.named_parameters() if ".default." in name]
    assert adapter_bytes(ours, UNLEARNED) == adapter_bytes(plain, UNLEARNED) != {}
    assert trainable(ours) == trainable(plain) == set(adapter_bytes(ours, UNLEARNED))
    assert ours.model.is_gradient_checkpointing
    assert torch.equal(logits(ours), base)


def test_training_turns_checkpointing_on_again(tiny_model_dir):
    """On a GPU Unsloth's `generate` turns it off, as here by hand, and between two steps answers are checked."""
    loaded = load(tiny_model_dir)
    backends.add_adapter(loaded, UNLEARNED, LORA, 7)
    for module in loaded.model.modules():
        if hasattr(module, "gradient_checkpointing"):
            module.gradient_checkpointing = False
    backends.set_training(loaded, training=False)
    assert not loaded.model.training and not loaded.model.is_gradient_checkpointing
    backends.set_training(loaded)
    assert loaded.model.training and loaded.model.is_gradient_checkpointing
    assert trainable(loaded) == set(adapter_bytes(loaded, UNLEARNED))


def test_what_is_random_after_loading_follows_from_the_seed(tiny_model_dir):
    def draws(seed):
        loaded = backends.load(Model(name=str(tiny_model_dir), backend="unsloth"), seed)
        after_loading = torch.rand(1)
        backends.add_adapter(loaded, UNLEARNED, LORA, seed)
        return after_loading, torch.rand(1)

    assert draws(1) == draws(1)
    assert all(a != b for a, b in zip(draws(1), draws(2), strict=True))


def test_training_gives_the_numbers_of_the_transformers_backend(tiny_model_dir, tmp_path):
    """Also: the reference is exact with adapters off, vanilla does not move, and training is not disturbed by it."""
    ours = unlearned(tiny_model_dir, tmp_path / "unsloth", "unsloth")
    plain = unlearned(tiny_model_dir, tmp_path / "transformers", "transformers")
    assert adapter_bytes(ours, VANILLA) == adapter_bytes(plain, VANILLA)
    trained = dict(plain.model.named_parameters())
    for name, parameter in ours.model.named_parameters():
        if f".{UNLEARNED}." in name:
            torch.testing.assert_close(parameter, trained[name], rtol=0, atol=1e-5)
    assert all(f".{UNLEARNED}." in name for name in trainable(ours))
    base = load(tiny_model_dir)
    with active_adapters(ours.model, ()):
        assert torch.equal(logits(ours), logits(base))
    backends.add_adapter(base, VANILLA, LORA, 7)
    shake(base, VANILLA, 1)
    with active_adapters(ours.model, (VANILLA,)):
        assert torch.equal(logits(ours), logits(base))
    with active_adapters(ours.model, ours.unlearned_adapters):
        assert not torch.allclose(logits(ours), logits(base), atol=1e-3)


@pytest.mark.parametrize("reader", ["unsloth", "transformers"])
def test_adapters_come_back_bit_by_bit_in_both_backends(tiny_model_dir, tmp_path, reader):
    loaded = unlearned(tiny_model_dir, tmp_path / "run", "unsloth")
    again = load(tiny_model_dir, reader)
    for name in (VANILLA, UNLEARNED):
        backends.save_adapter(loaded, name, tmp_path / name)
        assert {f.name for f in (tmp_path / name).iterdir()} == {"adapter_config.json", "adapter_model.safetensors"}
        backends.load_adapter(again, name, tmp_path / name)
    assert list(again.model.peft_config) == [VANILLA, UNLEARNED]
    assert not trainable(again)
    on = loaded.unlearned_adapters
    with active_adapters(loaded.model, on), active_adapters(again.model, on):
        assert torch.equal(logits(loaded), logits(again))


def test_a_loaded_vanilla_can_be_unlearned(tiny_model_dir, tmp_path):
    """A resumed run reads vanilla first; it must train like one where vanilla was made in the same process."""
    made = unlearned(tiny_model_dir, tmp_path / "made", "unsloth")
    backends.save_adapter(made, VANILLA, tmp_path / VANILLA)
    read = load(tiny_model_dir)
    backends.load_adapter(read, VANILLA, tmp_path / VANILLA)
    read.vanilla_adapters = (VANILLA,)
    backends.add_adapter(read, UNLEARNED, LORA, 7)
    assert read.model.is_gradient_checkpointing
    assert a_few_steps(read, tmp_path / "read") == 4
    assert adapter_bytes(read, UNLEARNED) == adapter_bytes(made, UNLEARNED)


def test_generating_before_and_after_training_changes_nothing(tiny_model_dir, tmp_path):
    from relearn_lite.models.generation import Decoding, complete

    def answers(loaded):
        with active_adapters(loaded.model, loaded.unlearned_adapters):
            prompts = [list(range(8, 20)), list(range(30, 36))]
            return complete(loaded, prompts, Decoding(8, 8))

    plain = unlearned(tiny_model_dir, tmp_path / "plain", "transformers")
    quiet = unlearned(tiny_model_dir, tmp_path / "quiet", "unsloth")
    talks = load(tiny_model_dir)
    backends.add_adapter(talks, VANILLA, LORA, 7)
    shake(talks, VANILLA, 1)
    talks.vanilla_adapters = (VANILLA,)
    complete(talks, [[8, 9, 10]], Decoding(4, 8))
    backends.add_adapter(talks, UNLEARNED, LORA, 7)
    complete(talks, [[8, 9, 10]], Decoding(4, 8))
    a_few_steps(talks, tmp_path / "talks")
    assert adapter_bytes(talks, UNLEARNED) == adapter_bytes(quiet, UNLEARNED)
    assert answers(talks) == answers(quiet) == answers(plain)


def test_models_are_looked_into_as_transformers_holds_them(tmp_path, monkeypatch):
    """Unsloth's kernels on a GPU do not call the modules whose work is recorded; the stage failed there."""
    from relearn_lite import analyze
    from relearn_lite.pipeline import pipeline
    from relearn_lite.recipe import load_recipe

    held, look_into = [], analyze.analyze
    spy = lambda loaded, *rest: held.append(loaded.backend) or look_into(loaded, *rest)  # noqa: E731
    monkeypatch.setattr(sys.modules["relearn_lite.pipeline.stages.analyze"], "analyze_models", spy)
    few = "{forget: {preset: people/forget, limit: 2}, retain: {preset: people/retain, limit: 2}}"
    recipe = load_recipe(ROOT / "recipes" / "analyze.yaml", [
        "model.backend=unsloth", f"data={few}", "unlearn.epochs=1", "evaluate.metrics=[kfr]", "analyze.questions=2",
    ])
    folder = pipeline.run(recipe, runs=tmp_path, quiet=True)
    assert held == ["transformers"]
    assert set(json.loads((folder / "analysis.json").read_text())["models"]) == {"vanilla", "unlearned"}
