"""The plan against torch: what can be counted is exact, and nothing but config.json is read."""

from __future__ import annotations

import gc
import json
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from relearn_lite import plan
from relearn_lite.core.errors import RecipeError
from relearn_lite.models import backends
from relearn_lite.models.loaded import UNLEARNED, Loaded
from relearn_lite.models.shape import BYTES, shape_of
from relearn_lite.models.transformers_backend import empty_model
from relearn_lite.plan.attack import most_answers
from relearn_lite.plan.disk_and_time import step_seconds
from relearn_lite.plan.estimate import Estimate, forward_passes
from relearn_lite.plan.footprint import (
    adapter_parameters,
    encoder_parameters,
    lora_parameters,
    mask_gradients,
    optimizer,
)
from relearn_lite.plan.machine import Machine, told
from relearn_lite.plan.model_sizes import PUBLISHED_ENCODERS, PUBLISHED_SHAPES
from relearn_lite.recipe import Lora, Model, load_recipe

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


def test_a_hub_that_does_not_answer_is_asked_once_and_for_seconds(monkeypatch):
    """Its library tried six times with growing pauses: the answer took close to two minutes."""
    from huggingface_hub import constants

    from relearn_lite.core.hub import hub_answers

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)  # and put back afterwards
    hub_answers.cache_clear()
    start = time.monotonic()
    with pytest.raises(RecipeError, match="could not be read"):
        empty_model(Model(name="nobody/nothing"))
    hub_answers.cache_clear()
    assert time.monotonic() - start < 60


@pytest.mark.parametrize("config", [[], LLAMA_8B | {"hidden_size": "large"}, LLAMA_8B | {"num_attention_heads": 0}])
def test_a_damaged_configuration_is_told(tmp_path, config):
    """What transformers raises at one that is JSON, and no configuration, was a traceback."""
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(RecipeError, match="model.name: the configuration of .* could not be read"):
        empty_model(Model(name=str(tmp_path)))


def test_a_model_without_attention_heads_is_told(tmp_path):
    mamba = {"model_type": "mamba", "hidden_size": 64, "num_hidden_layers": 2, "vocab_size": 400, "state_size": 8}
    (tmp_path / "config.json").write_text(json.dumps(mamba))
    with pytest.raises(RecipeError, match=r"model\.name: .* \(mamba\) has no attention heads, by which plan counts"):
        plan.model_sizes(recipe(tmp_path, tmp_path))


def test_a_saving_does_not_go_below_the_least_that_it_may(tmp_path):
    """Half of rank 12 is 6, and half of 200 tokens 100: less than the 8 and the 128 at which it stops."""
    from relearn_lite.plan.advice import _halve

    job = recipe(tmp_path, **{"unlearn.lora.r": 12, "model.max_length": 200})
    assert _halve(job, "unlearn.lora.r", least=8)[1] == "unlearn.lora.r=8"
    assert _halve(job, "model.max_length", least=128)[1] == "model.max_length=128"
    assert _halve(job, "unlearn.lora.r", least=12) is None


def test_parameters_are_exact(real):
    model, settings = real
    empty = empty_model(settings)
    assert all(p.is_meta for p in empty.parameters()), "memory was taken for weights"
    assert shape_of(empty).parameters == sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("lora", [Lora(r=4), Lora(r=7, targets=["q_proj", "v_proj"])], ids=["all-linear", "two"])
def test_lora_and_its_optimizer_are_exact(real, lora):
    model, settings = real
    loaded = Loaded(model, None, "transformers")
    backends.add_adapter(loaded, UNLEARNED, lora, 0)
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
    """Codes, 8-bit scales of 64 weights and float32 scales of 256 scales; the tables of a layer, 1 kB, not sizes."""
    from bitsandbytes.functional import quantize_4bit

    weight = torch.randn(2048, 2048)
    packed, state = quantize_4bit(weight, compress_statistics=True, quant_type="nf4")
    size = packed.nbytes + state.absmax.nbytes + state.state2.absmax.nbytes
    assert weight.numel() * BYTES["4bit"] == size


def test_an_8b_model_in_4bit(tmp_path, llama_8b):
    job = recipe(tmp_path, llama_8b)
    sizes = plan.model_sizes(job)
    assert sizes.shape.parameters == 8_030_261_248
    assert sizes.trained(job, "unlearn") == 83_886_080
    unlearn = next(need for need in plan.memory_of_stages(job, sizes) if need.stage == "unlearn")
    assert unlearn.parts["weights"] == pytest.approx(5.70e9, rel=0.01)
    assert unlearn.parts["optimizer"] == 8 * 83_886_080
    assert not plan.fits(unlearn.total, 6) and plan.fits(unlearn.total, 24)


def test_16bit_is_told_what_to_change_and_then_fits(tmp_path, llama_8b):
    job = recipe(tmp_path, llama_8b, **{"model.quantization": "none", "unlearn.batch_size": 8, "unlearn.accumulate": 2})
    changes = plan.advice(job, plan.model_sizes(job), 12)
    assert changes[0] == "model.quantization=4bit"
    told = dict(pair.split("=") for change in changes for pair in change.split())
    again = recipe(tmp_path, llama_8b, **{"unlearn.batch_size": 8, "unlearn.accumulate": 2} | told)
    assert plan.advice(again, plan.model_sizes(again), 12) == []
    assert again.unlearn.batch_size * again.unlearn.accumulate == 16, "the effective batch changed"
    assert plan.advice(job, plan.model_sizes(job), 6) is None
    small = dict(pair.split("=") for change in plan.advice(job, plan.model_sizes(job), 7) for pair in change.split())
    small = recipe(tmp_path, llama_8b, **small)
    assert small.unlearn.lora.r < 32, "the rank was not lowered"
    assert plan.advice(small, plan.model_sizes(small), 7) == [], "another rank, another count"


def test_batches_sized_by_memory_count_one_row_and_are_named(tmp_path, llama_8b):
    def need(size):
        job = recipe(tmp_path, llama_8b, **{"generate.batch_size": size})
        sizes = plan.model_sizes(job)
        assert all("generate.batch_size" not in change for change in plan.advice(job, sizes, 8) or [])
        return next(stage.total for stage in plan.memory_of_stages(job, sizes) if stage.stage == "generate")

    assert need("auto") == need(1)
    said = []
    plan.plan(recipe(tmp_path, llama_8b, **{"generate.batch_size": "auto"}), lambda line: said.append(str(line)))
    (line,) = [line for line in said if "batch_size: auto" in line]
    assert line.startswith("generate.batch_size: auto is counted as 1") and "70% of the card's memory" in line


def test_checkpointing_saves_what_it_should(tmp_path, llama_8b):
    job = recipe(tmp_path, llama_8b)
    sizes = plan.model_sizes(job)
    saving = job.model_copy(update={"model": job.model.model_copy(update={"gradient_checkpointing": False})})
    with_it, without = (
        {stage.name: stage for stage in plan.memory_of_stages(each, sizes)}["unlearn"] for each in (job, saving)
    )
    assert with_it.parts["activations"] < without.parts["activations"] / 8


def test_embeddings_in_main_memory_are_not_on_the_card(tmp_path, llama_8b):
    """By which rank 32 and 512 tokens fit on a card of 8 GB; a table that is the output layer too stays there."""
    job = recipe(tmp_path, llama_8b, **{"unlearn.batch_size": 1, "unlearn.reference": "recompute"})
    sizes = plan.model_sizes(job)
    changes = plan.advice(job, sizes, 8)
    assert "model.offload_embeddings=true" in changes and not any("lora.r" in each for each in changes)
    model = job.model.model_copy(update={"offload_embeddings": True})
    offloaded = job.model_copy(update={"model": model})
    with_it, without = (
        {stage.name: stage.total for stage in plan.memory_of_stages(each, sizes)} for each in (job, offloaded)
    )
    saved = {name: with_it[name] - without[name] for name in with_it if with_it[name]}
    assert set(saved.values()) == {2 * 128256 * 4096} and "unlearn" in saved
    tied = plan.model_sizes(recipe(tmp_path, "embedded"))
    assert tied.shape.embeddings == 0
    here = Machine(2, 16e9, 12e9, None)
    assert told(job, sizes, here) == told(offloaded, sizes, here), "without a card there is one memory"
    assert "offload" not in told(job, sizes, here)


def need(job, name):
    return next(each for each in plan.memory_of_stages(job, plan.model_sizes(job)) if each.name.startswith(name))


def live_bytes(parameters):
    """Of all tensors of a model's parameters, their gradients and every other one that somebody holds."""
    held = [p.grad for p in parameters if p.grad is not None]
    held += [each for each in gc.get_objects() if type(each) in (torch.Tensor, torch.nn.Parameter) and each.numel()]
    return sum({each.data_ptr(): each.nbytes for each in held}.values())


@pytest.mark.parametrize("retain", [True, False])
def test_gradients_of_a_mask_are_exact(real, retain, monkeypatch):
    """Counted while rows are chosen, which is when there are most."""
    from relearn_lite.recipe.hyperparameters import Sure
    from relearn_lite.unlearn import gradient_masks

    model, settings = real
    loaded = Loaded(model, None, "transformers")
    backends.add_adapter(loaded, UNLEARNED, Lora(r=4), 0)
    free, sides = [p for p in loaded.model.parameters() if p.requires_grad], ("forget", "retain")[: 1 + retain]
    module = SimpleNamespace(model=loaded.model, terms=sides, ends_step=lambda number: number == len(sides) - 1)
    strategy = SimpleNamespace(reduce=lambda tensor, reduce_op: tensor)
    trainer = SimpleNamespace(precision_plugin=None, strategy=strategy)
    mask, sizes = gradient_masks.GradientMask(Sure()), []
    monkeypatch.setattr(gradient_masks, "sure", lambda *_: sizes.append(live_bytes(free)) or {})
    for number, side in enumerate(sides):
        loaded.model(input_ids=torch.arange(8)[None]).logits.square().mean().backward()
        sizes.append(live_bytes(free))
        mask.on_train_batch_end(trainer, module, None, {"parts": [side]}, number)
    mask.on_before_optimizer_step(trainer, module, None)
    assert mask_gradients(lora_parameters(settings, Lora(r=4)), retain) == sizes[-1] - sizes[0]


def test_the_parts_that_circuits_record_are_exact(real, tmp_path):
    from relearn_lite.analyze.activation_patching import record
    from relearn_lite.analyze.architecture import find_architecture

    model, settings = real
    (tmp_path / "data").mkdir()
    job = recipe(tmp_path / "data", settings.name, analyze="{circuits: patching, distribution: false, memory: false}",
                 **{"model.max_length": 16, "analyze.batch_size": 3})
    ids = torch.arange(48).reshape(3, 16) + 5
    batch = {"input_ids": ids, "attention_mask": ids > 0, "labels": ids}
    with torch.no_grad():
        run, _ = record(model, find_architecture(model), batch, ())
    numbers = sum(tensor.numel() for tensor in (*run.heads, *run.mlps))
    assert need(job, "analyze").parts["states"] == 2 * 2 * numbers  # two models, 16 bit


def test_an_encoder_and_a_saved_adapter_are_exact(real, tmp_path):
    from transformers import BertConfig, BertForSequenceClassification

    config = BertConfig(vocab_size=50, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=40)
    config.save_pretrained(tmp_path / "nli")
    judge = BertForSequenceClassification(config)
    assert encoder_parameters(str(tmp_path / "nli"), labels=True) == sum(p.numel() for p in judge.parameters())
    loaded = Loaded(real[0], None, "transformers")
    backends.add_adapter(loaded, UNLEARNED, Lora(r=4), 0)
    backends.save_adapter(loaded, UNLEARNED, tmp_path / "adapter")
    assert adapter_parameters(tmp_path / "adapter") == lora_parameters(real[1], Lora(r=4))
    assert adapter_parameters(tmp_path / "nli") is None


def test_the_default_judges_are_as_large_as_their_published_configurations_make_them():
    from transformers import AutoModel, AutoModelForCausalLM, BertConfig, Qwen2Config

    qwen = Qwen2Config(vocab_size=151_936, hidden_size=2048, intermediate_size=11_008, num_hidden_layers=36,
                       num_attention_heads=16, num_key_value_heads=2, tie_word_embeddings=True)
    minilm = BertConfig(hidden_size=384, num_hidden_layers=12, num_attention_heads=12, intermediate_size=1536)
    with torch.device("meta"):
        assert shape_of(AutoModelForCausalLM.from_config(qwen)) == PUBLISHED_SHAPES["Qwen/Qwen2.5-3B-Instruct"]
        size = sum(p.numel() for p in AutoModel.from_config(minilm).parameters())
    assert PUBLISHED_ENCODERS["sentence-transformers/all-MiniLM-L12-v2"] == size


@pytest.fixture
def offline(monkeypatch):
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)


def test_judges_are_counted_where_they_are_loaded(tmp_path, llama_8b, offline):
    job = recipe(tmp_path, llama_8b, **{"evaluate.evaluators": "models"})
    judged = need(job, "evaluate").parts
    assert judged["Qwen/Qwen2.5-3B-Instruct"] == pytest.approx(2.05e9, rel=0.01)
    assert judged["sentence-transformers/all-MiniLM-L12-v2"] == 4 * 33_360_000
    assert "sileod/deberta-v3-base-tasksource-nli" in judged and judged["weights"] > 5e9
    assert not {*judged} & {*need(job, "unlearn").parts} - {"weights", "activations", "logits"}
    watched = recipe(tmp_path, llama_8b, **{"evaluate.evaluators": "models", "unlearn.evaluate_every": 5})
    assert need(watched, "unlearn").total > need(job, "unlearn").total + 2.8e9, "they look on while it is trained"
    downloads = plan.disk(job, plan.model_sizes(job))
    assert downloads["download of Qwen/Qwen2.5-3B-Instruct"] == 2 * 3_085_938_688
    elsewhere = recipe(tmp_path, llama_8b, **{
        "evaluate.evaluators": "{entities: {writer: server, base_url: 'http://127.0.0.1:1', model: x}}",
    })  # fmt: skip
    assert not plan.model_sizes(elsewhere).others and not plan.model_sizes(elsewhere).unknown


def test_the_base_model_is_counted_where_it_is_a_model_of_its_own(tmp_path, offline):
    whole = {"finetune": "{lora: null, epochs: 1}", "model.quantization": "none"}
    job = recipe(tmp_path, **whole)
    assert need(job, "evaluate").parts["base model"] == 2 * 2_347_200
    assert "base model" not in need(recipe(tmp_path, finetune="{epochs: 1}"), "evaluate").parts, "vanilla's weights"
    metrics = {"evaluate.metrics": "[mia_reference]", "evaluate.privacy.reference_model": "base"}
    assert need(recipe(tmp_path, **whole, **metrics), "evaluate").parts["reference base"] == 2 * 2_347_200
    assert not plan.model_sizes(job).unknown


def test_what_cannot_be_counted_is_named_and_not_0(tmp_path, offline):
    from rich.console import Console

    job = recipe(tmp_path, **{
        "evaluate.evaluators": "{entities: {writer: local, model: no/such-writer}, nli: no/such-nli}",
        "finetune": "{data: [{preset: tofu/forget01}], epochs: 1}", "model.quantization": "none",
        "compare": "{methods: [{name: ga, method: ga}]}",
    })  # fmt: skip
    console = Console(record=True, width=200)
    plan.plan(job, console.print)
    shown = console.export_text()
    for what in ("no/such-writer (evaluate.evaluators.entities.model)", "no/such-nli (evaluate.evaluators.nli)",
                 "the download of data (locuslab/TOFU)", "the 1 methods of compare"):
        assert f"not counted: {what}" in shown
    assert shown.count("no/such-nli") == 1, "a size was made up"


def test_questions_of_the_hub_that_are_only_asked_are_named_too(tmp_path):
    from relearn_lite.plan.model_sizes import _hub_tables

    assert list(_hub_tables(recipe(tmp_path, **{"data.control": "{dataset: org/general}"}))) == ["org/general"]


@pytest.mark.parametrize(("rows", "told", "effective"), [
    (8, "4 8", 32), (3, "1 12", 12), (5, "2 10", 20), (7, "3 9", 27),
])  # fmt: skip
def test_fewer_rows_at_once_keep_the_effective_batch(tmp_path, rows, told, effective):
    from relearn_lite.plan.advice import _halve_batch

    job = recipe(tmp_path, **{"unlearn.batch_size": rows, "unlearn.accumulate": 4})
    changed, text = _halve_batch(job, "unlearn")
    fewer, more = told.split()
    assert text == f"unlearn.batch_size={fewer} unlearn.accumulate={more}"
    assert changed.unlearn.batch_size * changed.unlearn.accumulate == effective


def test_a_writer_of_its_own_has_the_card_to_itself(tmp_path, llama_8b, offline):
    """It was counted beside the recipe's model, which is not in memory before unlearning begins."""
    qwen = {"augment.writer": "local", "augment.model": "Qwen/Qwen2.5-3B-Instruct"}
    alone = need(recipe(tmp_path, llama_8b, **qwen), "augment").parts
    assert "weights" not in alone and alone["writer Qwen/Qwen2.5-3B-Instruct"] < 2.1e9
    both = need(recipe(tmp_path, llama_8b, **qwen, **{"augment.semantic": "{gain: 0.5}"}), "augment").parts
    assert both["weights"] > 5e9, "the vanilla model measures the gain"


def test_every_step_of_the_attacks(tmp_path, llama_8b):
    job = recipe(tmp_path, llama_8b, attacks="{}")
    sizes = plan.model_sizes(job)
    steps = {each.step: each for each in plan.memory_of_stages(job, sizes) if each.stage == "attack"}
    assert list(steps) == ["asking", "relearning", "precision bf16", "judging"]
    assert steps["precision bf16"].parts["weights"] == 2 * 8_030_261_248
    assert steps["relearning"].parts["optimizer"] == 8 * (83_886_080 // 32 * 8)
    assert steps["relearning"].parts["LoRA"] == 4 * 83_886_080
    assert steps["judging"].parts == {}
    assert steps["asking"].parts["KV cache"] > need(job, "generate").parts["KV cache"], "a talk has several turns"
    assert plan.disk(job, sizes)["merged weights of the attack"] == 2 * 8_030_261_248
    only = recipe(tmp_path, llama_8b, attacks="{precision: [4bit], relearn: null, jailbreak: false}")
    sizes = plan.model_sizes(only)
    steps = [each.step for each in plan.memory_of_stages(only, sizes) if each.stage == "attack"]
    assert steps == ["asking", "precision 4bit", "judging"]
    assert "merged weights of the attack" not in plan.disk(only, sizes)


def test_the_number_of_answers_is_that_of_the_attacks(tmp_path):
    from relearn_lite.attacks.jailbreaks import jailbreak_prompts
    from relearn_lite.core.records import QA

    def at_most(job):
        return most_answers(Estimate(job, plan.model_sizes(job)))

    questions = {side: [QA("1", "Where does Ada Fennimore live?", "There.")] for side in ("forget", "retain")}
    prompts = jailbreak_prompts(questions)
    job = recipe(tmp_path, attacks="{paraphrase: false, sampling: false, relearn: null, precision: [], questions: 1}")
    assert at_most(job) == 2 + sum(len(prompt.turns) for prompt in prompts)
    drawn = recipe(tmp_path, attacks="{paraphrase: false, jailbreak: false, relearn: {}, precision: [4bit, 8bit], "
                   "questions: 1}", **{"evaluate.privacy.samples": 20})
    assert at_most(drawn) == 2 + (20 + 1) + 3 * 4 * 2 + 2 * 2  # plain, drawn, 3 curves, 2 ways


def test_attacks_that_do_not_fit_are_left_out_and_then_it_fits(tmp_path, llama_8b):
    job = recipe(tmp_path, llama_8b, attacks="{}", **{"generate.batch_size": 4})
    changes = plan.advice(job, plan.model_sizes(job), 16)
    (ways,) = [change.strip("'") for change in changes if "precision" in change]
    assert ways == "attacks.precision=[8bit,4bit,merged_in_4bit]"
    told = dict(pair.strip("'").split("=") for change in changes for pair in change.split())
    again = recipe(tmp_path, llama_8b, attacks="{}", **{"generate.batch_size": 4} | told)
    assert plan.advice(again, plan.model_sizes(again), 16) == []


@pytest.mark.parametrize(("method", "passes"), [
    ("ga", 1), ("relearn_klr_gdr", 2), ("dpo", 2), ("relearn_dpo_gdr", 3), ("altpo_klr", 3), ("rmu", 2),
])
def test_every_forward_pass_is_counted(tmp_path, method, passes):
    assert forward_passes(recipe(tmp_path, **{"unlearn.method": method})) == passes


def test_more_retain_rows_take_more(tmp_path):
    one, three = (recipe(tmp_path, **{"unlearn.retain_rows": n}) for n in (1, 3))
    assert (forward_passes(one), forward_passes(three)) == (2, 4)
    times = [step_seconds(job, plan.model_sizes(job), "unlearn", 1e10) for job in (one, three)]
    assert times[1] > 1.9 * times[0]


def test_what_is_shown(tmp_path, llama_8b):
    from rich.console import Console

    console = Console(record=True, width=200)
    plan.plan(recipe(tmp_path, llama_8b), console.print)
    shown = console.export_text()
    for line in ("8,030,261,248 parameters, 4bit", "unlearn: 83,886,080 trained parameters (1.04%)",
                 " 24 GB card: fits", "  6 GB card: no setting fits"):
        assert line in shown
    assert "download of the model 0.0 MB" in shown, "a folder was taken for a download"


@pytest.mark.parametrize(("epochs", "told"), [
    (2, "tries the learning rates 5.7e-05, 0.00017, 0.00043, each as far as a first check"),
    ("auto", "until it has forgotten, 300, or 4 epochs where these are more, optimizer steps at most"),
])  # fmt: skip
def test_a_search_is_told_and_counted(tmp_path, llama_8b, epochs, told):
    from rich.console import Console

    console = Console(record=True, width=200)
    searching = recipe(tmp_path, llama_8b, **{"unlearn.lr": "auto", "unlearn.epochs": epochs})
    plan.plan(searching, console.print)
    assert told in console.export_text()
    given = recipe(tmp_path, llama_8b)
    sizes = plan.model_sizes(given)
    adapter = sizes.trained(given, "unlearn") * 4
    assert plan.disk(searching, sizes)["checkpoints"] - plan.disk(given, sizes)["checkpoints"] == (2 + 2 * 4) * adapter
    assert sum(stage.total for stage in plan.memory_of_stages(searching, sizes) if stage.name == "unlearn") >= sum(
        stage.total for stage in plan.memory_of_stages(given, sizes) if stage.name == "unlearn"
    )


def test_without_network_the_message_says_what_is_needed(tmp_path, offline):
    with pytest.raises(RecipeError, match="model.name: the configuration of no-such/model could not be .* network"):
        plan.model_sizes(recipe(tmp_path, "no-such/model"))


def test_the_command_runs_on_the_embedded_model(tmp_path):
    from click.testing import CliRunner

    from relearn_lite.cli.commands import cli

    recipe(tmp_path)
    shown = CliRunner().invoke(cli, ["plan", str(tmp_path / "recipe.yaml")], catch_exceptions=False)
    assert shown.exit_code == 0 and "2,347,200 parameters" in shown.output and "  6 GB card: fits" in shown.output


@pytest.mark.parametrize("bits", [4, 8])
def test_weights_that_are_quantized_already_are_counted_so(real, tmp_path, bits):
    """The recipe's word was believed against the weights."""
    folder = Path(real[1].name)
    config = json.loads((folder / "config.json").read_text())
    own = {"quant_method": "bitsandbytes", f"load_in_{bits}bit": True}
    (folder / "config.json").write_text(json.dumps(config | {"quantization_config": own}))
    lines = []
    plan.plan(recipe(tmp_path, folder, **{"model.quantization": "none"}), lines.append)
    assert lines[0].endswith(f"parameters, {bits}bit")
