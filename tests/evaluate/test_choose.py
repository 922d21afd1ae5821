"""Who judges, as the recipe names them: whose perplexity is taken, and when numbers may stand beside the paper's."""

from __future__ import annotations

import json

import pytest
import torch

from relearn_lite.evaluate.choose import comparable_with_paper, make_evaluators
from relearn_lite.judges.language_model import CausalLanguageModel
from relearn_lite.models import backends
from relearn_lite.models.loaded import VANILLA
from relearn_lite.pipeline.stages import Run
from relearn_lite.pipeline.stages.evaluate import evaluated_model
from relearn_lite.recipe import MODEL_EVALUATORS, Lora, Model, load_recipe

PAIRS = [("Where does she live?", "She lives in a quiet town."), ("Who is he?", "Nobody can say.")]
RECIPE = """
name: judged
model: {name: embedded, quantization: none}
data: {forget: {preset: people/forget, limit: 2}, retain: {preset: people/retain, limit: 2}}
"""
PUBLISHED = """
name: published
model: {name: meta-llama/Llama-2-7b-chat-hf, quantization: 4bit}
data: {preset: knowundo/privacy}
finetune: {}
generate: {max_new_tokens: 128, sampling: published}
evaluate: {evaluators: models}
"""


@pytest.fixture
def recipe(tmp_path):
    def read(*overrides, text=RECIPE):
        (tmp_path / "recipe.yaml").write_text(text)
        return load_recipe(tmp_path / "recipe.yaml", overrides)

    return read


def taught(lora: bool) -> backends.Loaded:
    """The embedded model after something was taught to it: by an adapter, or in its own weights."""
    loaded = backends.load(Model(quantization="none"), seed=0)
    if lora:
        backends.add_adapter(loaded, VANILLA, Lora(r=2, dropout=0.0), seed=0)
        loaded.vanilla = (VANILLA,)
    torch.manual_seed(0)
    with torch.no_grad():
        for name, weight in loaded.model.named_parameters():
            if "lora_B" in name or (not lora and weight.dim() > 1):
                weight.add_(0.05 * torch.randn_like(weight))
    return loaded


@pytest.fixture(scope="module")
def base():
    """Perplexities under the embedded model as it comes."""
    return CausalLanguageModel(backends.load(Model(quantization="none"), seed=0), "base", True).perplexity(PAIRS)


@pytest.mark.parametrize(("finetune", "lora"), [("{}", True), ("{lora: null}", False)])
def test_fluency_is_judged_by_the_model_before_it_was_taught(recipe, base, finetune, lora):
    """The taught one knows the original answers by heart, and finds any other sentence unlikely."""
    loaded, override = taught(lora), f"finetune={finetune}"
    judge = make_evaluators(recipe(override), lambda: loaded).language_model
    assert judge.name == "base model (embedded)" and judge.perplexity(PAIRS) == pytest.approx(base, rel=1e-4)
    asked = make_evaluators(recipe(override, "evaluate.evaluators.language_model=vanilla"), lambda: loaded)
    assert asked.language_model.name == "vanilla (embedded)"
    assert asked.language_model.perplexity(PAIRS) != pytest.approx(base, rel=1e-2)


def test_the_evaluators_of_the_paper_have_the_base_model_too(recipe):
    assert recipe("evaluate.evaluators=models").evaluate.evaluators.language_model == "base"


@pytest.mark.parametrize("overrides", [[], ["finetune={lora: null}", "model.init=random"]])
def test_where_nothing_was_taught_or_to_random_weights_base_is_vanilla(recipe, base, overrides):
    loaded = taught(lora=False)
    judge = make_evaluators(recipe(*overrides), lambda: loaded).language_model
    assert judge.name == "vanilla (embedded)" and judge.perplexity(PAIRS) != pytest.approx(base, rel=1e-2)


def test_membership_inference_may_compare_with_the_base_too(recipe, tmp_path):
    overrides = ["evaluate.metrics=[mia_reference]", "evaluate.privacy.reference_model=base"]
    work = Run(recipe(*overrides, "finetune={}"), tmp_path)
    work.__dict__["vanilla"] = loaded = taught(lora=True)
    measured = evaluated_model(work, "vanilla")
    assert measured._adapters == loaded.vanilla and measured.reference._adapters == ()
    alone = Run(recipe(*overrides), tmp_path)
    alone.__dict__["vanilla"] = taught(lora=False)
    assert evaluated_model(alone, "vanilla").reference is None, "vanilla itself"


def test_published_settings_compare_with_the_paper(recipe):
    assert comparable_with_paper(recipe(text=PUBLISHED))
    assert comparable_with_paper(recipe("data.preset=tofu/forget10", "model.name=google/gemma-2-2b-it", text=PUBLISHED))
    assert comparable_with_paper(recipe("data.folder=/elsewhere", text=PUBLISHED)), "a copy of the same tables"


@pytest.mark.parametrize(
    "override",
    [
        "model.name=Qwen/Qwen2.5-1.5B-Instruct",
        "model.name=embedded",
        "data.preset=tofu/forget01",
        "data.forget={limit: 200}",
        "data.retain={limit: 220}",
        "data.forget={path: own.jsonl}",
        "data.retain_eval={preset: knowundo/privacy/retention, limit: 400}",
        "data.forget_eval={path: own.jsonl}",
        "finetune=null",
        "finetune.data=[{preset: people/forget}]",
        "generate.max_new_tokens=64",
        "generate.sampling=greedy",
        "evaluate.evaluators=embedded",
    ],
)
def test_one_thing_that_is_not_the_paper_s_and_they_do_not_compare(recipe, override):
    assert not comparable_with_paper(recipe(override, text=PUBLISHED))


@pytest.mark.parametrize(
    ("key", "value", "same"),
    [
        ("language_model", "base", True),
        ("language_model", "meta-llama/Llama-2-7b-chat-hf", True),
        ("language_model", "vanilla", False),
        ("language_model", "none", False),
        ("language_model", "gpt2", False),
        ("entities", "embedded", False),
        ("embeddings", "embedded", False),
        ("nli", "embedded", False),
    ],
)
def test_they_compare_where_each_judge_is_the_paper_s(recipe, key, value, same):
    judges = MODEL_EVALUATORS | {key: value}
    assert comparable_with_paper(recipe(f"evaluate.evaluators={json.dumps(judges)}", text=PUBLISHED)) is same
