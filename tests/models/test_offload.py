"""Input embeddings in main memory: the same numbers, nothing of them on the card, and where that cannot be."""

import pytest
import torch
from trial import LORA, a_few_steps, adapter_bytes, logits, shake

from relearn_lite.attacks.precision import AttackedModel, loaded_in
from relearn_lite.core.errors import RecipeError
from relearn_lite.models import backends
from relearn_lite.models.loaded import UNLEARNED, VANILLA
from relearn_lite.recipe import Lora, Model, load_recipe


@pytest.fixture(scope="module")
def untied(tiny_model_dir, tmp_path_factory):
    """The tiny model with an output layer of its own."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = tmp_path_factory.mktemp("untied")
    model = AutoModelForCausalLM.from_pretrained(tiny_model_dir)
    model.config.tie_word_embeddings = False
    model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.detach().flip(0).clone())
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(tiny_model_dir).save_pretrained(folder)
    return folder


def settings(folder, **keys):
    return Model(name=str(folder), backend="transformers", max_length=64, offload_embeddings=True, **keys)


def taught(model):
    loaded = backends.load(model, 7)
    backends.add_adapter(loaded, VANILLA, LORA, 7)
    shake(loaded, VANILLA, 1)
    loaded.vanilla_adapters = (VANILLA,)
    backends.add_adapter(loaded, UNLEARNED, LORA, 7)
    return loaded


@pytest.mark.parametrize("quantization", ["none", "4bit"])
def test_the_same_answers_and_the_same_training(untied, tmp_path, quantization):
    offloaded = settings(untied, quantization=quantization)
    found = {}
    for name, model in {"on": offloaded, "off": offloaded.model_copy(update={"offload_embeddings": False})}.items():
        loaded = taught(model)
        a_few_steps(loaded, tmp_path / name)
        found[name] = logits(loaded), adapter_bytes(loaded, UNLEARNED)
    (answers, trained), others = found["on"], found["off"]
    assert torch.equal(answers, others[0]) and trained and trained == others[1]


def test_an_adapted_output_layer_of_its_own_comes_back(untied, tmp_path):
    """peft saved the layer's own weights too, which have no place among an adapter's: the run failed once trained."""
    plain = settings(untied, quantization="none").model_copy(update={"offload_embeddings": False})
    loaded, again = backends.load(plain, 7), backends.load(plain, 7)
    backends.add_adapter(loaded, UNLEARNED, Lora(r=2, targets=["q_proj", "lm_head"]), 7)
    shake(loaded, UNLEARNED, 1)
    backends.save_adapter(loaded, UNLEARNED, tmp_path / "adapter")
    before = logits(again)
    backends.load_adapter(again, UNLEARNED, tmp_path / "adapter")
    assert torch.equal(logits(again), logits(loaded)) and not torch.allclose(logits(again), before, atol=1e-3)
    again.model = again.model.merge_and_unload()
    torch.testing.assert_close(logits(again), logits(loaded), rtol=0, atol=1e-4)


def test_the_table_stays_behind_when_the_model_moves(untied):
    """As Lightning moves a model to the card. A module's device is that of its first parameter."""
    loaded = taught(settings(untied, quantization="none"))
    table = loaded.model.get_input_embeddings().weight
    loaded.model.to("meta")
    assert {p.device.type for p in loaded.model.parameters()} == {"meta"} == {loaded.device.type}
    assert table.device.type == "cpu" and not table.requires_grad


def test_where_the_output_layer_shares_the_table_nothing_would_be_saved(tiny_model_dir):
    with pytest.raises(RecipeError, match=r"^model.offload_embeddings: .* has one table .* set it to false$"):
        backends.load(settings(tiny_model_dir), 7)


def test_embeddings_cannot_be_trained_there(untied):
    loaded = backends.load(settings(untied), 7)
    with pytest.raises(RecipeError, match="^lora.targets: .*embed_tokens is its table"):
        backends.add_adapter(loaded, UNLEARNED, Lora(r=2, alpha=2, targets=["embed_tokens"]), 7)


def test_gradients_of_embeddings_are_refused_beforehand(tmp_path):
    (tmp_path / "recipe.yaml").write_text("name: t\ndata: {preset: people}\n")
    with pytest.raises(RecipeError, match="model.offload_embeddings: true, and mia_gradnorm"):
        load_recipe(tmp_path / "recipe.yaml", ["model.offload_embeddings=true", "evaluate.metrics=[kfr,mia_gradnorm]"])


def test_all_weights_are_taught_with_the_table_on_the_card(untied):
    loaded = backends.load(settings(untied, quantization="none"), 7, full_precision=True)
    assert "model.embed_tokens.weight" in dict(loaded.model.named_parameters())


@pytest.mark.parametrize("way", ["bf16", "merged_then_4bit"])
def test_attacked_in_another_precision_the_model_is_whole(untied, tmp_path, way):
    loaded = taught(settings(untied))
    (tmp_path / "adapter").mkdir()
    backends.save_adapter(loaded, UNLEARNED, tmp_path / "adapter")
    attacked = AttackedModel(settings(untied), {UNLEARNED: tmp_path / "adapter"}, 0, tmp_path / "scratch")
    with loaded_in(way, attacked) as (held, _):
        assert torch.isfinite(held.model(input_ids=torch.arange(8, 24)[None]).logits).all()
