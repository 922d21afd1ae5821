"""Who judges, as the recipe names them: whose perplexity is taken."""

from __future__ import annotations

import pytest
import torch

from relearn_lite.evaluate.choose import make_evaluators
from relearn_lite.judges.language_model import CausalLanguageModel
from relearn_lite.models import backends
from relearn_lite.models.generation import chat
from relearn_lite.models.loaded import VANILLA
from relearn_lite.pipeline.stages import Run
from relearn_lite.pipeline.stages.evaluate import evaluated_model
from relearn_lite.recipe import Lora, Model, load_recipe

PAIRS = [("Where does she live?", "She lives in a quiet town."), ("Who is he?", "Nobody can say.")]
RECIPE = """
name: judged
model: {name: embedded, quantization: none}
data: {forget: {preset: people/forget, limit: 2}, retain: {preset: people/retain, limit: 2}}
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
        loaded.vanilla_adapters = (VANILLA,)
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


@pytest.mark.parametrize("kind", ["entities", "judge"])
def test_one_model_writes_in_its_template_and_measures_fluency_as_questions_are_asked(recipe, tiny_model_dir, kind):
    """With model.chat_template: none, and one of them loaded first for both, the other was asked in its way."""
    local = f"{{writer: local, model: '{tiny_model_dir}', max_new_tokens: 8}}"
    made = make_evaluators(recipe(
        "model.chat_template=none", "evaluate.metrics=[kfr, ls, fluency]", f"evaluate.evaluators.{kind}={local}",
        f"evaluate.evaluators.language_model={tiny_model_dir}",
    ), lambda: taught(lora=False))  # fmt: skip
    bare = backends.load(Model(name=str(tiny_model_dir), quantization="none", chat_template="none"), seed=0)
    own = backends.load(Model(name=str(tiny_model_dir), quantization="none"), seed=0)
    assert made.language_model.perplexity(PAIRS) == CausalLanguageModel(bare, "", False).perplexity(PAIRS)
    writer = getattr(made, kind).writer
    asked = [[{"role": "user", "content": "Where does she live?"}]]
    own, bare = (chat(each, batch_size=1, temperature=0.0, section="")(asked, 8, 0) for each in (own, bare))
    assert writer._complete(asked, 8, 0) == own != bare


def test_membership_inference_may_compare_with_the_base_too(recipe, tmp_path):
    overrides = ["evaluate.metrics=[mia_reference]", "evaluate.privacy.reference_model=base"]
    work = Run(recipe(*overrides, "finetune={}"), tmp_path)
    work.__dict__["vanilla"] = loaded = taught(lora=True)
    measured = evaluated_model(work, "vanilla")
    assert measured._adapters == loaded.vanilla_adapters and measured.reference._adapters == ()
    alone = Run(recipe(*overrides), tmp_path)
    alone.__dict__["vanilla"] = taught(lora=False)
    assert evaluated_model(alone, "vanilla").reference is None, "vanilla itself"
