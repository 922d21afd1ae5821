"""When numbers may stand beside the paper's: with its protocol, and with nothing that differs from it."""

from __future__ import annotations

import json

import pytest

from relearn_lite.evaluate.choose import comparable_with_paper
from relearn_lite.evaluate.paper import TAGS, differences_from_paper
from relearn_lite.recipe import MODEL_EVALUATORS, load_recipe

KNOWUNDO = """
name: published
model: {name: meta-llama/Llama-2-7b-chat-hf, quantization: none, chat_template: none}
data: {preset: knowundo/privacy}
finetune: {}
generate: {max_new_tokens: 128, sampling: published}
evaluate: {evaluators: models}
"""
TOFU = ("data.preset=tofu/forget10", "unlearn={lr: 1.0e-4, epochs: 2, batch_size: 2}")


@pytest.fixture
def recipe(tmp_path):
    def read(*overrides):
        (tmp_path / "recipe.yaml").write_text(KNOWUNDO)
        return load_recipe(tmp_path / "recipe.yaml", overrides)

    return read


@pytest.mark.parametrize(
    "same",
    [
        [],
        ["model.name=meta-llama/Meta-Llama-3-8B-Instruct"],
        ["model.name=google/gemma-2-2b-it"],
        ["data.folder=/elsewhere"],
        ["data.forget={folder: /elsewhere}"],
        ["data.forget_eval={preset: knowundo/privacy/unlearn_val}"],
        ["finetune={batch_size: 4, accumulate: 16}", "unlearn={batch_size: 2, accumulate: 2}"],
        ["unlearn={forget_loss: ce, retain_losses: {ce: 1.0, kl: 1.0}}"],
        ["unlearn=null"],
        ["evaluate.metrics=[kfr]", "seed=7", "augment.writer=local", "model.quantization=4bit"],
        TOFU,
        [*TOFU, "data.retain_eval={preset: tofu/retain90, sample: 200}", "finetune.lora=null"],
    ],
)
def test_the_paper_s_protocol_compares(recipe, same):
    assert differences_from_paper(recipe(*same)) == [] and comparable_with_paper(recipe(*same))


@pytest.mark.parametrize(
    ("change", "told"),
    {
        "model.name=Qwen/Qwen2.5-1.5B-Instruct": "model.name is Qwen/Qwen2.5-1.5B-Instruct; the paper's",
        "model.chat_template=auto": "model.chat_template is auto; the paper's is none.",
        "model.chat_template=/own.jinja": "model.chat_template is /own.jinja; the paper's is none.",
        "data.forget={limit: 200}": "data.forget replaces or narrows the benchmark's table",
        "data.retain={limit: 220}": "data.retain replaces or narrows the benchmark's table",
        "data.forget={path: own.jsonl}": "data.forget replaces or narrows the benchmark's table",
        "data.forget_eval={preset: knowundo/privacy/unlearn}": "data.forget_eval names other questions",
        "data.retain_eval={preset: knowundo/privacy/retention_val, limit: 9}": "data.retain_eval names other questions",
        "data.forget_eval={path: own.jsonl}": "data.forget_eval names other questions",
        "data={preset: knowundo/privacy, select_fraction: 0.25, retain_select: {path: own.jsonl}}": (
            "data.select_fraction sets 0.25 of the forget questions apart"
        ),
        "data.where={label: 1}": "data.where keeps a part of the benchmark's tables",
        "data.only_known=true": "data.only_known leaves out what the model does not know",
        "data.own_words=true": "data.own_words trains short answers as the model words them",
        "finetune=null": "finetune is null",
        "finetune.data=[{preset: people/forget}]": "finetune.data names what is taught",
        "finetune.lr=1.0e-4": "finetune.lr is 0.0001; the paper's is 0.0003.",
        "finetune.epochs=5": "finetune.epochs is 5; the paper's is 10.",
        "finetune.batch_size=8": "finetune.rows a step is 32; the paper's is 64.",
        "finetune.lora={r: 16, alpha: 16, dropout: 0.1}": "finetune.lora.r is 16; the paper's is 8.",
        "unlearn.method=ga_gdr": "unlearn has another method than relearn_klr_gdr",
        "unlearn.forget_weight=2": "unlearn has another method than relearn_klr_gdr",
        "unlearn.lr=1.0e-4": "unlearn.lr is 0.0001; the paper's is 1e-05.",
        "unlearn.epochs=2": "unlearn.epochs is 2; the paper's is 4.",
        "unlearn.batch_size=2": "unlearn.rows a step is 8; the paper's is 4.",
        "unlearn.lora.targets=[q_proj]": "unlearn.lora.targets is [q_proj]; the paper's is all-linear.",
        "unlearn.lora.dropout=0": "unlearn.lora.dropout is 0.0; the paper's is 0.05.",
        "unlearn.weight_decay=0": "unlearn.weight_decay is 0.0; the paper's is 0.01.",
        "unlearn.warmup_epochs=0": "unlearn.warmup_epochs is 0.0; the paper's is 1.0.",
        "unlearn.target_probability=0.9": "unlearn.target_probability is 0.9; the paper's is null.",
        "unlearn.retain_variants=2": "unlearn.retain_variants is 2; the paper's is 0.",
        "unlearn.retain_rows=2": "unlearn.retain_rows is 2; the paper's is 1.",
        "augment.variants=2": "augment.variants is 2; the paper's is 1.",
        "augment.verify_rounds=1": "augment.verify_rounds is 1; the paper's is 3.",
        "augment.answers_per_question=2": "augment.answers_per_question is 2; the paper's is 1.",
        "augment.questions=[simple]": "augment.questions is [simple]; the paper's is [simple, context, noise, ",
        "augment.generic_ratio=0": "augment.generic_ratio is 0.0; the paper's is 1.2.",
        "augment.completion_fraction=0.5": "augment.completion_fraction is 0.5; the paper's is 0.25.",
        "generate.max_new_tokens=64": "generate.max_new_tokens is 64; the paper's is 128.",
        "generate.sampling=greedy": "generate.sampling is greedy; the paper's is published.",
    }.items(),
)
def test_one_thing_that_is_not_the_paper_s_and_they_do_not_compare(recipe, change, told):
    """One change, one sentence, which begins with the key."""
    found = differences_from_paper(recipe(change))
    assert len(found) == 1 and found[0].startswith(told) and not comparable_with_paper(recipe(change))


def test_learning_rates_to_try_are_told_as_the_recipe_has_them(recipe):
    """They ended in a traceback, after the model had been trained."""
    own = [f"data.{side}_select={{path: own.jsonl}}" for side in ("forget", "retain")]
    found = differences_from_paper(recipe(*own, "unlearn.lr=[1.0e-4, 3.0e-4]"))
    assert found == ["unlearn.lr is [0.0001, 0.0003]; the paper's is 1e-05."]


@pytest.mark.parametrize("watch", ["{}", "{lowest_krr: null, lowest_ls: null}"])
def test_checks_that_may_end_training_do_not_compare(recipe, tmp_path, watch):
    """Those that only look on change no number; questions to choose by are given, so that the paper's are all asked."""
    own = [f"data.{side}_select={{path: own.jsonl}}" for side in ("forget", "retain")]
    found = differences_from_paper(recipe(*own, f"unlearn={{evaluate_every: 5, watch: {watch}}}"))
    assert [sentence.split(":")[0] for sentence in found] == (["unlearn.evaluate_every"] if watch == "{}" else [])


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
    found = differences_from_paper(recipe(f"evaluate.evaluators={json.dumps(judges)}"))
    assert not found if same else len(found) == 1 and found[0].startswith(f"evaluate.evaluators.{key} is {value};")


def test_other_benchmarks_and_models_unlearned_elsewhere_do_not_compare(recipe):
    other = differences_from_paper(recipe("data.preset=tofu/forget01"))
    assert other == ["data.preset is tofu/forget01; the paper's benchmarks are knowundo/privacy and tofu/forget10."]
    elsewhere = differences_from_paper(recipe("unlearn=null", "unlearned.adapter=there"))
    assert elsewhere == ["unlearned names a model that was unlearned elsewhere; how is not known here."]
    assert len(differences_from_paper(recipe("finetune.lora=null"))) == 4, "r, alpha, dropout, targets"


@pytest.mark.parametrize("model", TAGS)
def test_on_tofu_the_tags_of_the_authors_script_count_too(recipe, tmp_path, model):
    """Its code puts them around questions of TOFU, and none around those of KnowUnDo."""
    before, after = TAGS[model].split("{}")
    own, file = [*TOFU, f"model.name={model}", "model.chat_template=tags.jinja"], tmp_path / "tags.jinja"
    file.write_text(f"{{{{ bos_token }}}}{before}{{{{ messages[0].content }}}}{after}\n")  # the last end is no text
    assert differences_from_paper(recipe(*own)) == []
    assert len(differences_from_paper(recipe(f"model.name={model}", "model.chat_template=tags.jinja"))) == 1
    file.write_text("[inst] {{ messages[0].content }} [/inst]")
    (found,) = differences_from_paper(recipe(*own))
    assert found.startswith(f"model.chat_template is {file}; the paper's is none, or on TOFU ")


def test_several_differences_are_all_told(recipe):
    found = differences_from_paper(recipe("model.chat_template=auto", "generate.sampling=greedy", "finetune=null"))
    assert [sentence.split()[0] for sentence in found] == ["finetune", "model.chat_template", "generate.sampling"]
