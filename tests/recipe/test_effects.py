"""Which keys change results: every key of the schema, one by one, and those of which it depends on others."""

from __future__ import annotations

from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from pydantic import BaseModel

from relearn_lite.recipe import Recipe, load_recipe, result_keys, sampling_keys
from relearn_lite.recipe.effects import NO_EFFECT

# Every section that there is, each with settings under which the most keys matter.
WHOLE = """\
name: whole
model: {revision: main}
collect: {neighbours: [Bo Lind], first_sentence: true}
data:
  preset: people
  generic: &source {path: a.jsonl, question: q, answer: a, limit: 3}
  forget_eval: {dataset: a/b, config: c, revision: main, paraphrase: p, paraphrased_answer: p, wrong_answers: w}
finetune: {data: [*source], optimizer: adamw_8bit}
augment: {writer: local, model: org/name, semantic: {}, prompts: p.yaml, from: f.jsonl, opening: name}
unlearn:
  forget_loss: simnpo
  retain_losses: {kl: 1.0}
  forget_weight: 0.5
  evaluate_every: 5
  keep_best: harmonic
  optimizer: adamw_8bit
generate: {sampling: published}
evaluate:
  evaluators:
    entities: {writer: server, base_url: 'http://127.0.0.1:1', model: m, api_key_env: KEY}
    judge: {writer: local, model: org/name, temperature: 0.5}
  retain_model_results: r.json
  general: {tasks: [mmlu], include_path: tasks, shots: 5}
analyze: {}
attacks: {}
compare: {methods: [{name: one, optimizer: adamw_8bit}], sweep: {lr: [1e-5], epochs: [1]}}
"""
ALONE = """\
name: alone
collect: {neighbours: [Bo Lind], first_sentence: true}
data: {forget: {preset: people/forget}, retain: {preset: people/retain}}
unlearn: null
unlearned: {adapter: folder}
"""
WITHOUT_EFFECT = {  # of the two recipes above
    "name", "model.max_length", "model.gradient_checkpointing", "model.offload_embeddings",
    "finetune.checkpoint_every", "compare.questions",
    "trainer.logger", "data.nothing_known", "evaluate.general.batch_size",
    "unlearned.api_key_env", "unlearned.timeout_s",
    *(f"augment.{key}" for key in ("api_key_env", "concurrency", "timeout_s", "base_url")),
    *(f"evaluate.evaluators.entities.{key}" for key in ("api_key_env", "concurrency", "timeout_s", "batch_size")),
    *(f"evaluate.evaluators.judge.{key}" for key in ("api_key_env", "concurrency", "timeout_s", "base_url")),
    *(
        f"{section}.{key}" for section in ("unlearn", "compare.methods.0")
        for key in (
            "checkpoint_every", "budget", "generic_weight", "target_probability", "beta", "undial.strength", "wga.beta",
            "satimp.beta1", "satimp.beta2", "ceu.skip", "pdu.bound", "pdu.start", "pdu.step", "pdu.warmup", "rmu.layer",
            "rmu.steering", "task_vector.scale", "sure.percentile", "memflex.similarity", "memflex.gradient",
            "memflex.forget_weight", "memflex.retain_weight",
        )
    ),
}  # fmt: skip


def load(tmp_path: Path, text: str, *overrides: str) -> Recipe:
    (tmp_path / "recipe.yaml").write_text(text)
    return load_recipe(tmp_path / "recipe.yaml", overrides)


def keys_of(value: Any, key: str = "") -> set[str]:
    """Every key of a section and those in it, down to values; a list of sections by number."""
    if isinstance(value, list) and value and isinstance(value[0], BaseModel):
        value = dict(enumerate(value))
    if isinstance(value, BaseModel):
        value = {info.alias or name: getattr(value, name) for name, info in type(value).model_fields.items()}
    elif not (isinstance(value, dict) and any(isinstance(each, BaseModel) for each in value.values())):
        return {key}
    return {k for name, inner in value.items() for k in keys_of(inner, f"{key}.{name}".lstrip("."))}


def sections_of(section: BaseModel) -> list[BaseModel]:
    inner = [getattr(section, name) for name in type(section).model_fields]
    inner = [each for value in inner for each in (value if isinstance(value, list) else [value])]
    return [section, *(s for each in inner if isinstance(each, BaseModel) for s in sections_of(each))]


def another(annotation: Any, value: Any) -> Any:
    """A value other than this one that the key could have; None where it is a section that is left out."""
    origin, options = get_origin(annotation), [each for each in get_args(annotation) if each is not type(None)]
    if origin is Literal:
        return next((each for each in options if each != value), None)
    if origin in (UnionType, Union, Annotated):
        return another(options[0], value)
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float) or value is None and annotation in (int, float):
        return (value or 0) + 1
    if isinstance(value, list):
        return value[:-1] if value else ["other"]
    if isinstance(value, dict) or origin is dict:
        return {"ce": 3.0}
    return None if origin is list or issubclass(annotation, BaseModel) else "other"


def test_every_key_counts_or_stands_in_the_table(tmp_path):
    """A new key counts by itself; one that is to be left out must be added to the table, and here."""
    whole, alone = load(tmp_path, WHOLE), load(tmp_path, ALONE)
    counted = {key.removesuffix(".kl") for key in result_keys(whole) | result_keys(alone)}
    assert (keys_of(whole) | keys_of(alone)) - counted == WITHOUT_EFFECT
    missing = {name for name in Recipe.model_fields if getattr(whole, name) is None and getattr(alone, name) is None}
    assert not missing, "these recipes have every section"


@pytest.mark.parametrize("text", [WHOLE, ALONE], ids=["whole", "alone"])
def test_a_changed_key_changes_the_result_keys_unless_the_table_says_otherwise(tmp_path, text):
    for section in sections_of(load(tmp_path, text)):
        for name, info in type(section).model_fields.items():
            value = getattr(section, name)
            if isinstance(value, BaseModel) or isinstance(value, list) and value and isinstance(value[0], BaseModel):
                continue  # its own keys have their turn
            other = another(info.annotation, value)
            if other is None or name == "method":  # a method counts by its losses, see below
                continue
            changed = section.model_copy(update={name: other})
            reasons = [NO_EFFECT[each][name] for each in type(section).__mro__ if name in NO_EFFECT.get(each, {})]
            excused = any(reason.when(section) and reason.when(changed) for reason in reasons)
            assert (result_keys(changed) == result_keys(section)) == excused, (type(section).__name__, name)


def test_the_table_names_keys_that_there_are_and_says_why():
    for section, keys in NO_EFFECT.items():
        assert keys.keys() <= section.model_fields.keys()
        assert all(len(each.why) > 15 for each in keys.values())


RECIPE = "name: t\ndata: {preset: people}\n"


def same(tmp_path: Path, section: str, before: list[str], after: list[str]) -> bool:
    one, two = (getattr(load(tmp_path, RECIPE, *overrides), section) for overrides in (before, after))
    return result_keys(one, section) == result_keys(two, section)


@pytest.mark.parametrize(
    ("before", "after", "alike"),
    [
        # A method counts by what it stands for.
        ([], ["unlearn.method=relearn_klr_gdr"], True),
        ([], ["unlearn={forget_loss: ce, retain_losses: {kl: 1, ce: 1}}"], True),
        (["unlearn.method=npo_klr_memflex"], ["unlearn.method=npo_klr", "unlearn.gradient_mask=memflex"], True),
        (["unlearn.method=satimp_gdr"], ["unlearn.method=satimp_gdr", "unlearn.forget_weight=0.1"], True),
        (["unlearn.method=npo_klr"], ["unlearn.method=npo_gdr"], False),
        ([], ["unlearn.forget_weight=2"], False),
        # Hyper-parameters count where they are read.
        ([], ["unlearn.beta=0.2", "unlearn.rmu.layer=1", "unlearn.sure.percentile=90", "unlearn.pdu.bound=1"], True),
        (["unlearn.method=npo"], ["unlearn.method=npo", "unlearn.beta=0.2"], False),
        (["unlearn.method=rmu"], ["unlearn.method=rmu", "unlearn.rmu.layer=1"], False),
        (["unlearn.gradient_mask=sure"], ["unlearn.gradient_mask=sure", "unlearn.sure.percentile=90"], False),
        (["unlearn.method=npo_klr_memflex"], ["unlearn.method=npo_klr_memflex", "unlearn.memflex.gradient=1"], False),
        (["unlearn={forget_loss: ce, retain_losses: {layer: 1}}"],
         ["unlearn={forget_loss: ce, retain_losses: {layer: 1}, rmu: {layer: 1}}"], False),
        # Checks count where they decide something.
        ([], ["unlearn.watch={questions: 3, lowest_krr: 0.9}"], True),
        ([], ["unlearn={evaluate_every: 5, watch: {questions: 3, lowest_krr: null, lowest_ls: null}}"], True),
        ([], ["unlearn.evaluate_every=5"], False),
        ([], ["unlearn={evaluate_every: 5, keep_best: harmonic, watch: {lowest_krr: null, lowest_ls: null}}"], False),
        (["unlearn.evaluate_every=5"], ["unlearn={evaluate_every: 5, watch: {questions: 3}}"], False),
        # A search.
        ([], ["unlearn.epochs=auto"], False),
        (["unlearn.epochs=auto"], ["unlearn={epochs: auto, budget: 200}"], False),
        (["unlearn.lr=auto"], ["unlearn={lr: auto, watch: {questions: 3}}"], False),
        # The rest.
        ([], ["unlearn.checkpoint_every=1"], True),
        ([], ["unlearn.reference=cached"], False),
        ([], ["unlearn.gradient_clip=null"], False),
        ([], ["unlearn.optimizer=adamw_8bit"], False),
        ([], ["unlearn.optimizer=adamw"], True),
        ([], ["unlearn.batch_size=2", "unlearn.accumulate=2"], False),
    ],
)  # fmt: skip
def test_keys_of_unlearn(tmp_path, before, after, alike):
    assert same(tmp_path, "unlearn", before, after) == alike


SERVER = "augment={{writer: server, base_url: 'http://127.0.0.1:1', model: m, {}}}"


@pytest.mark.parametrize(
    ("section", "before", "after", "alike"),
    [
        ("generate", [], ["generate.batch_size=3"], True),
        ("generate", ["generate.sampling=published"], ["generate.sampling=published", "generate.batch_size=3"], False),
        ("generate", [], ["generate.batch_size=auto"], True),
        ("augment", ["augment={writer: local, temperature: 0}"],
         ["augment={writer: local, temperature: 0, batch_size: auto}"], True),
        ("augment", [], ["augment.batch_size=3", "augment.temperature=0.1", "augment.max_new_tokens=9"], True),
        ("augment", ["augment.writer=local"], ["augment.writer=local", "augment.batch_size=3"], False),
        ("augment", ["augment={writer: local, temperature: 0}"],
         ["augment={writer: local, temperature: 0, batch_size: 3}"], True),
        ("augment", [SERVER.format("concurrency: 2")],
         [SERVER.format("concurrency: 3, timeout_s: 9, api_key_env: OTHER, batch_size: 1")], True),
        ("augment", [SERVER.format("temperature: 0.1")], [SERVER.format("temperature: 0.2")], False),
        ("analyze", ["analyze.batch_size=2"], ["analyze.batch_size=3"], False),  # circuits: auto goes by it
        ("analyze", ["analyze={circuits: none, batch_size: 2}"], ["analyze={circuits: none, batch_size: 3}"], True),
        ("model", [], ["model.max_length=64", "model.gradient_checkpointing=off", "model.offload_embeddings=on"], True),
        ("model", [], ["model.backend=transformers"], False),
        ("trainer", [], ["trainer.logger=none"], True),
        ("trainer", [], ["trainer.accelerator=cpu"], False),
        ("report", [], ["report.mask=true"], False),
    ],
)  # fmt: skip
def test_keys_of_other_sections(tmp_path, section, before, after, alike):
    assert same(tmp_path, section, before, after) == alike


def test_keys_are_flat_json_by_their_names_in_the_recipe(tmp_path):
    keys = result_keys(load(tmp_path, RECIPE, "augment.from=a.jsonl").augment, "augment")
    assert keys["augment.from"] == str(tmp_path / "a.jsonl") and keys["augment.semantic"] is None
    assert keys["augment.questions"] == ["simple", "context", "noise", "logical"]
    taught = load(tmp_path, RECIPE, "finetune.data=[{preset: people/lessons, repeat: 4}]").finetune
    assert result_keys(taught)["data.0.repeat"] == 4 and result_keys(taught)["lora.targets"] == "all-linear"


def test_draws_go_by_the_batch_however_answers_are_sampled(tmp_path):
    plain = load(tmp_path, RECIPE)
    drawn = load(tmp_path, RECIPE, "evaluate.metrics=[leak_at_k]", "attacks={}", "generate.batch_size=3")
    assert sampling_keys(plain, "evaluate") == sampling_keys(plain, "attack") == sampling_keys(drawn, "generate") == {}
    assert sampling_keys(drawn, "evaluate") == sampling_keys(drawn, "attack") == {"generate.batch_size": 3}
