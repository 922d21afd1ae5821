"""The transformers backend on a real tiny model: loading, adapters, and which of them answers."""

import json

import pytest
import torch
from trial import LORA, a_few_steps, adapter_bytes, logits, shake

from relearn_lite.core.errors import RecipeError
from relearn_lite.models import backends
from relearn_lite.models.loaded import UNLEARNED, VANILLA, active_adapters, recomputes_activations
from relearn_lite.models.logprobs import without_dropout
from relearn_lite.recipe import Lora, Model


def load(folder, quantization="none", vanilla=False):
    loaded = backends.load(Model(name=str(folder), backend="transformers", quantization=quantization, max_length=64), 7)
    if vanilla:
        backends.add_adapter(loaded, VANILLA, LORA, 7)
        shake(loaded, VANILLA, 1)
        loaded.vanilla_adapters = (VANILLA,)
    return loaded


def quantised(loaded):
    return [layer for layer in loaded.model.modules() if type(layer).__name__ == "Linear4bit"]


def trainable(loaded):
    return {name for name, p in loaded.model.named_parameters() if p.requires_grad}


@pytest.mark.parametrize("quantization", ["none", "4bit"])
def test_a_model_is_loaded_frozen_and_as_precise_as_asked(tiny_model_dir, quantization):
    loaded = load(tiny_model_dir, quantization)
    assert len(quantised(loaded)) == (14 if quantization == "4bit" else 0)
    assert not trainable(loaded)
    assert not loaded.model.training
    assert loaded.tokenizer.pad_token == "<|pad|>"


def test_4bit_answers_nearly_as_the_whole_model_does(tiny_model_dir):
    whole, packed = logits(load(tiny_model_dir)), logits(load(tiny_model_dir, "4bit"))
    assert 0 < (whole - packed).abs().max() < 0.2 * whole.abs().max()


def test_4bit_weights_are_never_repacked_on_a_cpu(tiny_model_dir):
    """With the switch on, one evaluation on an AVX512-BF16 processor spoils all gradients that follow."""
    layers = quantised(load(tiny_model_dir, "4bit"))
    assert layers and all(layer.support_avx512bf16_for_cpu is False for layer in layers)


def test_gradients_are_the_same_after_an_evaluation(tiny_model_dir):
    loaded = load(tiny_model_dir, "4bit", vanilla=True)

    def gradients():
        loaded.model.zero_grad()
        loaded.model(input_ids=torch.arange(8, 24)[None]).logits.square().mean().backward()
        return [p.grad.clone() for p in loaded.model.parameters() if p.requires_grad]

    before = gradients()
    logits(loaded)
    assert all(torch.equal(a, b) for a, b in zip(before, gradients(), strict=True))


def test_a_folder_without_a_model_is_a_clear_error(tmp_path):
    with pytest.raises(RecipeError, match=f"model.name: {tmp_path} could not be loaded"):
        load(tmp_path)


def test_a_tokenizer_without_padding_pads_with_its_end_of_text(tiny_model_dir, tmp_path):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_model_dir)
    tokenizer.pad_token = None
    tokenizer.save_pretrained(tmp_path)
    AutoModelForCausalLM.from_pretrained(tiny_model_dir).save_pretrained(tmp_path)
    assert load(tmp_path).tokenizer.pad_token == "<|end|>"


@pytest.mark.parametrize("pads", [False, True])
def test_a_tokenizer_without_an_end_of_text_is_a_clear_error(tiny_model_dir, tmp_path, pads):
    """Rows ended with None, which failed only when they were made a tensor."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_model_dir)
    tokenizer.eos_token = None
    if not pads:
        tokenizer.pad_token = None
    tokenizer.save_pretrained(tmp_path)
    AutoModelForCausalLM.from_pretrained(tiny_model_dir).save_pretrained(tmp_path)
    with pytest.raises(RecipeError, match=f"^model.name: the tokenizer of {tmp_path} has no end-of-text token"):
        load(tmp_path)


def test_all_weights_are_trained_from_what_is_stored_not_from_16_bit(tiny_model_dir, monkeypatch):
    """On a GPU `none` is 16 bit; weights that are trained would start from rounded ones."""
    monkeypatch.setattr("relearn_lite.models.transformers_backend.compute_dtype", lambda: torch.bfloat16)
    settings = Model(name=str(tiny_model_dir), backend="transformers", quantization="none")
    models = [backends.load(settings, 7, full_precision=precise).model for precise in (False, True)]
    rounded, whole = (torch.cat([p.detach().flatten() for p in model.parameters()]) for model in models)
    assert rounded.dtype == torch.bfloat16 and whole.dtype == torch.float32
    assert not torch.equal(rounded.float(), whole)


@pytest.mark.parametrize("quantization", ["none", "4bit", "8bit"])
def test_without_dropout_is_the_model_of_training_but_for_noise(tiny_model_dir, quantization):
    """Its mode comes back module by module, after an error too, and gradient checkpointing is not touched.

    In 8 bit bitsandbytes computes otherwise in evaluation mode, so that a reference would be another model.
    """
    settings = Model(name=str(tiny_model_dir), backend="transformers", quantization=quantization,
                     gradient_checkpointing=True)
    loaded = backends.load(settings, 7)
    backends.add_adapter(loaded, UNLEARNED, Lora(r=4, dropout=0.5), 7)
    shake(loaded, UNLEARNED, 2)
    ids = torch.arange(8, 24)[None]
    loaded.model.train()
    loaded.model.get_base_model().model.layers[0].training = False  # as somebody else may have set it
    before = {name: module.training for name, module in loaded.model.named_modules()}
    random, checkpointing = torch.get_rng_state(), loaded.model.is_gradient_checkpointing
    with torch.no_grad(), pytest.raises(KeyError), without_dropout(loaded.model):
        quiet = [loaded.model(input_ids=ids).logits for _ in range(2)]
        raise KeyError
    assert torch.equal(*quiet) and torch.equal(torch.get_rng_state(), random)
    assert {name: module.training for name, module in loaded.model.named_modules()} == before
    assert loaded.model.is_gradient_checkpointing is checkpointing is True
    for module in loaded.model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    loaded.model.train()
    with torch.no_grad():
        assert torch.equal(loaded.model(input_ids=ids).logits, quiet[0])


def test_the_author_s_code_runs_for_the_recipe_s_model_only():
    """A judge's ran too: leave was given for one model and taken for every other."""
    model = Model(name="a/model", trust_remote_code=True, revision="0123abc")
    assert not model.settings_for("b/judge").trust_remote_code
    assert model.settings_for("runs/taught", derived=True).trust_remote_code
    assert not Model(name="a/model").settings_for("runs/taught", derived=True).trust_remote_code


def test_a_random_start_follows_from_the_seed(tiny_model_dir):
    def weights(seed):
        settings = Model(name=str(tiny_model_dir), init="random", quantization="none", backend="transformers")
        return torch.cat([p.detach().flatten() for p in backends.load(settings, seed).model.parameters()])

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


def test_an_adapter_starts_without_effect_and_is_all_that_is_trained(tiny_model_dir):
    loaded = load(tiny_model_dir)
    base = logits(loaded)
    backends.add_adapter(loaded, UNLEARNED, LORA, 7)
    assert torch.equal(logits(loaded), base)
    assert len(trainable(loaded)) == 2 * 14
    assert all(f".{UNLEARNED}." in name for name in trainable(loaded))


def test_an_adapter_starts_from_the_seed_alone(tiny_model_dir):
    first, again, other = load(tiny_model_dir), load(tiny_model_dir), load(tiny_model_dir)
    backends.add_adapter(first, UNLEARNED, LORA, 7)
    torch.rand(5)
    backends.add_adapter(again, UNLEARNED, LORA, 7)
    backends.add_adapter(other, UNLEARNED, LORA, 8)
    assert adapter_bytes(first, UNLEARNED) == adapter_bytes(again, UNLEARNED)
    assert adapter_bytes(first, UNLEARNED) != adapter_bytes(other, UNLEARNED)


@pytest.mark.parametrize(("target", "why"), [
    ("no_such_proj", "it has no no_such_proj"), ("lm_head", "lm_head is its tab"), ("embed_tokens", "embed_tokens is"),
])  # fmt: skip
@pytest.mark.parametrize("others", [[], ["q_proj"]])
def test_unfit_lora_targets_are_a_recipe_error(tiny_model_dir, target, why, others):
    """A misspelt one among others was left untrained in silence; an adapter on a table that two layers share was
    trained, saved and could not be read, and merged it was another model."""
    loaded = load(tiny_model_dir)
    with pytest.raises(RecipeError, match=rf"^lora.targets: \[.*'{target}'\] does not fit this model \({why}"):
        backends.add_adapter(loaded, UNLEARNED, Lora(targets=[*others, target]), 7)


def test_active_adapters_answers_as_base_vanilla_or_unlearned(tiny_model_dir):
    """Each answer is compared with a model that carries just these adapters and nothing to switch off."""
    loaded = load(tiny_model_dir, vanilla=True)
    backends.add_adapter(loaded, UNLEARNED, LORA, 7)
    shake(loaded, UNLEARNED, 2)
    answers = {}
    of = {"base": (), "vanilla": loaded.vanilla_adapters, "unlearned": loaded.unlearned_adapters}
    for name, adapters in of.items():
        with active_adapters(loaded.model, adapters):
            answers[name] = logits(loaded)
    assert torch.equal(answers["base"], logits(load(tiny_model_dir)))
    assert torch.equal(answers["vanilla"], logits(load(tiny_model_dir, vanilla=True)))
    merged = load(tiny_model_dir, vanilla=True)
    backends.add_adapter(merged, UNLEARNED, LORA, 7)
    shake(merged, UNLEARNED, 2)
    merged.model = merged.model.merge_and_unload(adapter_names=[VANILLA, UNLEARNED])
    torch.testing.assert_close(answers["unlearned"], logits(merged), rtol=0, atol=1e-5)
    assert not torch.allclose(answers["unlearned"], answers["vanilla"], atol=1e-3)


def test_active_adapters_leaves_no_trace_even_after_an_error(tiny_model_dir):
    """peft's own way out of `disable_adapter` frees every active adapter, a frozen vanilla one too."""
    loaded = load(tiny_model_dir, vanilla=True)
    backends.add_adapter(loaded, UNLEARNED, LORA, 7)
    with active_adapters(loaded.model, loaded.unlearned_adapters):
        before, outside = trainable(loaded), logits(loaded)
        for adapters in ((), (VANILLA,)):
            with pytest.raises(KeyError), active_adapters(loaded.model, adapters):
                raise KeyError
            assert trainable(loaded) == before
            assert torch.equal(logits(loaded), outside)
    assert all(f".{UNLEARNED}." in name for name in before)


@pytest.mark.parametrize("quantization", ["none", "4bit"])
def test_vanilla_stays_as_it_is_while_unlearned_trains(tiny_model_dir, tmp_path, quantization):
    loaded = load(tiny_model_dir, quantization, vanilla=True)
    with active_adapters(loaded.model, loaded.vanilla_adapters):
        knows = logits(loaded)
    backends.add_adapter(loaded, UNLEARNED, LORA, 7)
    frozen = {name: p.detach().clone() for name, p in loaded.model.named_parameters() if f".{UNLEARNED}." not in name}
    start = adapter_bytes(loaded, UNLEARNED)
    assert a_few_steps(loaded, tmp_path) == 4
    assert all(torch.equal(p, frozen[name]) for name, p in loaded.model.named_parameters() if name in frozen)
    assert all(f".{UNLEARNED}." in name for name in trainable(loaded))
    assert not set(start.values()) & set(adapter_bytes(loaded, UNLEARNED).values()), "an adapter weight did not move"
    with active_adapters(loaded.model, loaded.vanilla_adapters):
        assert torch.equal(logits(loaded), knows)
    with active_adapters(loaded.model, loaded.unlearned_adapters):
        assert not torch.allclose(logits(loaded), knows, atol=1e-3)


def test_adapters_come_back_bit_by_bit(tiny_model_dir, tmp_path):
    loaded = load(tiny_model_dir, "4bit", vanilla=True)
    backends.add_adapter(loaded, UNLEARNED, Lora(r=2, targets=["q_proj", "v_proj"]), 7)
    shake(loaded, UNLEARNED, 2)
    for name in (VANILLA, UNLEARNED):
        backends.save_adapter(loaded, name, tmp_path / name)
        assert {f.name for f in (tmp_path / name).iterdir()} == {"adapter_config.json", "adapter_model.safetensors"}
    again = load(tiny_model_dir, "4bit")
    for name in (VANILLA, UNLEARNED):
        backends.load_adapter(again, name, tmp_path / name)
        assert adapter_bytes(again, name) == adapter_bytes(loaded, name)
    again.vanilla_adapters = (VANILLA,)
    assert not trainable(again)
    for adapters in ((), loaded.vanilla_adapters, loaded.unlearned_adapters):
        with active_adapters(loaded.model, adapters), active_adapters(again.model, adapters):
            assert torch.equal(logits(loaded), logits(again))


def test_the_same_adapter_is_the_same_file(tiny_model_dir, tmp_path):
    """peft holds the names of what it trains as a set: done again, a run had another adapter to what built on it."""
    loaded = load(tiny_model_dir, vanilla=True)
    backends.save_adapter(loaded, VANILLA, tmp_path)
    targets = json.loads((tmp_path / "adapter_config.json").read_text())["target_modules"]
    assert targets == sorted(targets) and len(targets) > 5


def test_loading_an_adapter_replaces_the_one_of_its_name(tiny_model_dir, tmp_path):
    """That is how a resumed run, which may hold a half-trained adapter, takes the finished one."""
    loaded = load(tiny_model_dir)
    backends.add_adapter(loaded, UNLEARNED, LORA, 7)
    shake(loaded, UNLEARNED, 2)
    saved = adapter_bytes(loaded, UNLEARNED)
    backends.save_adapter(loaded, UNLEARNED, tmp_path)
    shake(loaded, UNLEARNED, 3)
    backends.load_adapter(loaded, UNLEARNED, tmp_path)
    assert list(loaded.model.peft_config) == loaded.model.active_adapters == [UNLEARNED]
    assert adapter_bytes(loaded, UNLEARNED) == saved
    assert not trainable(loaded)


def test_plain_peft_can_read_what_is_saved(tiny_model_dir, tmp_path):
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    loaded = load(tiny_model_dir, vanilla=True)
    backends.save_adapter(loaded, VANILLA, tmp_path)
    plain = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(tiny_model_dir), tmp_path)
    ids = torch.arange(8, 20)[None]
    with torch.no_grad():
        assert torch.equal(plain(ids).logits, loaded.model.eval()(ids).logits)


def test_answers_come_from_the_active_adapters(tiny_model_dir):
    from relearn_lite.models.generation import Decoding, complete

    loaded = load(tiny_model_dir, "4bit", vanilla=True)
    shake(loaded, VANILLA, 1, scale=0.5)
    prompts = [list(range(8, 20)), list(range(30, 36))]
    together = complete(loaded, prompts, Decoding(8, 8))
    alone = [complete(loaded, [prompt], Decoding(8, 8))[0] for prompt in prompts]
    assert together == alone
    with active_adapters(loaded.model, ()):
        assert complete(loaded, prompts, Decoding(8, 8)) != together


@pytest.mark.parametrize(("wanted", "gpu", "expected"), [
    ("auto", False, False), ("auto", True, True), (True, False, True), (False, True, False),
])
def test_gradient_checkpointing_is_on_where_asked_or_on_a_gpu(monkeypatch, wanted, gpu, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    assert recomputes_activations(Model(gradient_checkpointing=wanted)) is expected


def test_gradient_checkpointing_changes_no_weight(tiny_model_dir, tmp_path):
    """Also with a reference in the same step, whose adapters are switched off between forward and backward pass."""
    trained = []
    for wanted in (False, True):
        settings = Model(name=str(tiny_model_dir), backend="transformers", gradient_checkpointing=wanted, max_length=64)
        loaded = backends.load(settings, 7)
        backends.add_adapter(loaded, VANILLA, LORA, 7)
        shake(loaded, VANILLA, 1)
        loaded.vanilla_adapters = (VANILLA,)
        backends.add_adapter(loaded, UNLEARNED, LORA, 7)
        assert loaded.checkpointing is wanted is loaded.model.is_gradient_checkpointing
        a_few_steps(loaded, tmp_path / str(wanted))
        trained.append({name: p for name, p in loaded.model.named_parameters() if f".{UNLEARNED}." in name})
    for name, parameter in trained[0].items():
        torch.testing.assert_close(trained[1][name], parameter, rtol=0, atol=1e-6)
