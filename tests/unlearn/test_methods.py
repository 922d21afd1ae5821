"""Every method through the stage that trains it, on the embedded model; what recipes may say of methods."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file

from relearn_lite.core.errors import RecipeError
from relearn_lite.core.files import append_jsonl
from relearn_lite.core.records import QA, Variant
from relearn_lite.data.batches import MicroBatches
from relearn_lite.pipeline.stages import Run, stages_of
from relearn_lite.pipeline.stages.unlearn import forget_rows, generic_rows, unlearn
from relearn_lite.recipe import Unlearn, load_recipe, to_yaml, with_changes
from relearn_lite.recipe.hyperparameters import PDU
from relearn_lite.unlearn.diagnostics import losses
from relearn_lite.unlearn.dual_weight import DualWeight
from relearn_lite.unlearn.losses import FORGET_LOSSES, METHODS
from relearn_lite.unlearn.refusals import REFUSALS, refusal

FORGET = [QA(f"f{n}", f"Where does person {n} live?", f"Person {n} lives at {n} Quarry Lane.") for n in range(4)]
RETAIN = [QA(f"r{n}", f"What does person {n} do?", f"Person {n} repairs old clocks.") for n in range(4)]


def recipe_of(tmp_path, *overrides):
    path = tmp_path / "recipe.yaml"
    path.write_text("name: t\ndata: {preset: people}\nmodel: {quantization: none, max_length: 128}\n"
                    "unlearn: {lora: {r: 4, dropout: 0.0}, batch_size: 2, accumulate: 1, epochs: 2, lr: 1.0e-3}\n")
    return load_recipe(path, overrides)


def work_of(tmp_path, *overrides):
    """A run as it stands before its unlearn stage."""
    work = Run(recipe_of(tmp_path, *overrides), tmp_path, quiet=True)
    work.__dict__["given"] = {"forget": FORGET, "retain": RETAIN, "retain_eval": RETAIN}
    made = [Variant(f"{qa.id}/original", qa.id, "original", qa.question, "That is a private matter.") for qa in FORGET]
    half = Variant("f0/completion", "f0", "completion", "That is", "a private matter.")
    append_jsonl(tmp_path / "augmented.jsonl", [*made, half])
    return work


def adapter(folder):
    return load_file(folder / "adapter" / "adapter_model.safetensors")


def masked_like_another(method):
    """The masks have tests of their own; here one of each is enough."""
    return METHODS[method].mask != "none" and method not in ("ga_gdr_sure", "npo_klr_memflex")


@pytest.mark.parametrize("method", sorted(name for name in METHODS if not masked_like_another(name)))
def test_a_few_steps_of_every_method(tmp_path, method):
    done = unlearn(work_of(tmp_path, f"unlearn.method={method}"))
    assert done["steps"] == (4 if "augmented" not in FORGET_LOSSES[METHODS[method].forget].trains_on
                             or len(FORGET_LOSSES[METHODS[method].forget].trains_on) > 1 else 6)
    logged = losses(tmp_path)
    names = {"forget", *(f"retain_{name}" for name in METHODS[method].retain)}
    assert all(names <= row.keys() and all(abs(row[name]) < 1e4 for name in names) for row in logged)
    saved = adapter(tmp_path)
    assert all(value.isfinite().all() for value in saved.values())
    assert any(value.abs().max() > 0 for name, value in saved.items() if "lora_B" in name), "nothing was learned"


def test_a_task_vector_is_what_was_learned_subtracted(tmp_path):
    """The same training, once kept and once negated: B is -2 times the other's, A the same."""
    folders = {name: tmp_path / name for name in ("learned", "negated")}
    for folder in folders.values():
        folder.mkdir()
    unlearn(work_of(folders["negated"], "unlearn.method=task_vector", "unlearn.task_vector.scale=2"))
    work = work_of(folders["learned"], "unlearn.method=relearn")
    given = [Variant(qa.id, qa.id, "original", qa.question, qa.answer) for qa in FORGET]
    (folders["learned"] / "augmented.jsonl").unlink()
    append_jsonl(folders["learned"] / "augmented.jsonl", given)
    unlearn(work)
    learned, negated = adapter(folders["learned"]), adapter(folders["negated"])
    assert learned.keys() == negated.keys()
    for name, value in learned.items():
        assert torch.equal(negated[name], -2 * value if "lora_B" in name else value), name


def test_the_weight_of_the_constraint_moves_and_is_resumed(tmp_path, monkeypatch):
    """PDU: a run that is killed in the middle ends with the weights, and the dual's history, of one that was not."""
    keys = ("unlearn.method=pdu", "unlearn.pdu.warmup=0.25", "unlearn.pdu.start=1", "unlearn.checkpoint_every=1")
    folders = {name: tmp_path / name for name in ("whole", "killed")}
    for folder in folders.values():
        folder.mkdir()
    unlearn(work_of(folders["whole"], *keys))

    class Killed(RuntimeError):
        pass

    given = MicroBatches._batch

    def fail_at_the_fourth(batches, planned):
        if planned.number == 3:
            raise Killed
        return given(batches, planned)

    monkeypatch.setattr(MicroBatches, "_batch", fail_at_the_fourth)
    with pytest.raises(Killed):
        unlearn(work_of(folders["killed"], *keys))
    monkeypatch.undo()
    unlearn(work_of(folders["killed"], *keys))
    history = {name: [row["dual"] for row in losses(folder)] for name, folder in folders.items()}
    retain = [row["retain_ce"] for row in losses(folders["whole"])]
    expected = [1.0, 1.0]
    for loss in retain[1:3]:
        expected.append(max(0.0, expected[-1] + 5.0 * (loss - 0.3)))
    assert history["whole"] == pytest.approx(expected, rel=1e-5) and len(set(expected)) > 1
    assert history["killed"] == pytest.approx(history["whole"], rel=1e-5)
    ours, theirs = adapter(folders["killed"]), adapter(folders["whole"])
    assert all(torch.equal(ours[name], value) for name, value in theirs.items())


def test_the_dual_weight_by_hand():
    callback, weights = DualWeight(PDU(bound=0.5, start=2.0, step=4.0, warmup=0.5)), []
    for step, retained in ((0, 1.0), (5, 0.75), (7, 0.25), (9, 0.0)):
        module = SimpleNamespace(
            terms=[SimpleNamespace(name=name, weight=weight) for name, weight in
                   (("forget", 9.0), ("retain_ce", 1.0), ("generic_kl", 2.0))],
            step_losses={"forget": 7.0, "retain_ce": torch.tensor(retained), "generic_kl": 3.0},
            schedule=SimpleNamespace(total_steps=10), ends_step=lambda at: True, log=lambda *_, **__: None,
        )  # fmt: skip
        trainer = SimpleNamespace(global_step=step + 1, strategy=SimpleNamespace(reduce=lambda value, reduce_op: value))
        callback.on_train_batch_end(trainer, module, None, None, 0)
        assert module.retain_scale == callback.weight
        weights.append(callback.weight)
    assert weights == [2.0, 3.0, 2.0, 0.0], "kept; +4 x 0.25; -4 x 0.25; not below 0"


def test_refusals_and_originals_answer_the_same_questions(tmp_path):
    work = work_of(tmp_path, "unlearn.method=dpo")
    tokenizer = work.vanilla.tokenizer
    rows = forget_rows(work, ("refusal", "original"))
    assert list(rows) == [qa.id for qa in FORGET]
    for qa in FORGET:
        said = {part: tokenizer.decode(row.ids[row.n_prompt :]) for part, row in rows[qa.id].items()}
        assert said["original"].startswith(qa.answer) and said["refusal"].startswith(refusal(qa.id, 42))
        assert rows[qa.id]["original"].ids[: rows[qa.id]["original"].n_prompt] == \
            rows[qa.id]["refusal"].ids[: rows[qa.id]["refusal"].n_prompt]
    assert len({refusal(f"q{n}", 1) for n in range(200)}) == len(set(REFUSALS)) == len(REFUSALS)
    assert [refusal(f"q{n}", 1) for n in range(9)] != [refusal(f"q{n}", 2) for n in range(9)]


@pytest.mark.parametrize(("side", "steps"), [("forget", 4), ("retain", 3)])
def test_generic_pairs_are_trained_on_the_side_that_the_recipe_names(tmp_path, side, steps):
    work = work_of(tmp_path, f"unlearn.generic={side}", "unlearn.epochs=1")
    general = [Variant(f"g{n}/generic", f"g{n}", "generic", f"Name {n} birds.", "An owl.") for n in range(3)]
    append_jsonl(tmp_path / "augmented.jsonl", general)
    assert {row.id for row in general} & forget_rows(work, ("augmented",)).keys() == \
        ({row.id for row in general} if side == "forget" else set())
    assert generic_rows(work).keys() == {row.id for row in general}
    assert unlearn(work)["steps"] == steps, "5 rows to forget, in batches of 2; 3 more where they are among them"


@pytest.mark.parametrize("method", sorted(METHODS))
def test_augment_runs_where_new_answers_are_needed(tmp_path, method):
    needs_new_answers = method.startswith(("relearn", "altpo"))
    assert ("augment" in stages_of(recipe_of(tmp_path, f"unlearn.method={method}"))) == needs_new_answers


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["unlearn.method=simpno_gdr"], "unlearn.method: unknown name 'simpno_gdr'; did you mean 'simnpo_gdr'?"),
        (["unlearn.forget_loss=rmux"], "unlearn.forget_loss: unknown name 'rmux'; did you mean 'rmu'?"),
        (["unlearn.simnpo.betta=2"], "simnpo.betta: unknown key; did you mean 'beta'? allowed here: beta, delta"),
        (["unlearn.satimp.beta1=-1"], "unlearn.satimp.beta1: found -1"),
        (["unlearn.method=ga", "unlearn.gradient_mask=memflex"], "unlearn.gradient_mask: memflex compares forget with"),
        (["unlearn.generic=retain", "unlearn.generic_weight=0"], "unlearn.generic_weight: found 0"),
        (["unlearn.method=ga_sure", "unlearn.gradient_mask=memflex"], "the method ga_sure already has sure"),
        (["unlearn.forget_loss=pdu"], "unlearn.retain_losses: pdu keeps a retain loss below pdu.bound"),
        (["unlearn.forget_loss=task_vector", "unlearn.retain_losses={ce: 1}"], "it takes no retain losses"),
        (["unlearn.method=task_vector", "unlearn.evaluate_every=5"], "unlearn.evaluate_every: task_vector learns the"),
        (["unlearn.forget_loss=ga", "unlearn.retain_losses={jss: 1}"], "unknown name 'jss'; did you mean 'js'?"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_said(tmp_path, overrides, message):
    with pytest.raises(RecipeError) as error:
        recipe_of(tmp_path, *overrides)
    assert message in str(error.value)


def test_a_layer_that_is_not_there_is_said(tmp_path):
    with pytest.raises(RecipeError, match="unlearn.rmu.layer: 4 does not exist, the model has layers 0 to 3"):
        unlearn(work_of(tmp_path, "unlearn.method=rmu", "unlearn.rmu.layer=4"))


def test_keys_reach_the_objective(tmp_path):
    def objective(*overrides):
        return recipe_of(tmp_path, *(f"unlearn.{override}" for override in overrides)).unlearn.objective

    plain = objective()
    assert (plain.forget, plain.retain, plain.mask) == ("ce", {"ce": 1.0, "kl": 1.0}, "none")
    by_key, by_name = objective("method=npo_klr", "gradient_mask=memflex"), objective("method=npo_klr_memflex")
    assert by_key == by_name and by_key.mask == "memflex"
    assert objective("gradient_mask=sure").mask == "sure", "with ReLearn too"
    assert objective("method=satimp_gdr").forget_weight == 0.1
    assert objective("method=satimp_gdr", "forget_weight=0.5").forget_weight == 0.5
    spelled = objective("forget_loss=simnpo", "retain_losses={js: 2}")
    assert (spelled.forget, spelled.retain, spelled.forget_weight) == ("simnpo", {"js": 2.0}, 1.0)
    values = recipe_of(tmp_path, "unlearn.simnpo.beta=2.5", "unlearn.beta=0.2").unlearn.hyperparameters
    assert values["simnpo"].beta == 2.5 and values["beta"] == 0.2


def test_a_recipe_as_resolved_says_the_same(tmp_path):
    recipe = recipe_of(tmp_path, "unlearn.method=simnpo_gdr", "unlearn.simnpo.delta=0.5")
    again = tmp_path / "resolved.yaml"
    again.write_text(to_yaml(recipe))
    assert load_recipe(again).unlearn.objective == recipe.unlearn.objective


def test_a_compared_method_overlays_single_hyper_parameters():
    shared, own = {"simnpo": {"beta": 2.0, "delta": 0.1}, "lr": 1e-3}, {"method": "simnpo", "simnpo": {"delta": 0.3}}
    assert Unlearn.model_validate(with_changes(shared, own)).simnpo.model_dump() == {"beta": 2.0, "delta": 0.3}


def test_every_method_stands_in_the_docs():
    text = (Path(__file__).parents[2] / "docs" / "methods.md").read_text(encoding="utf-8")
    missing = [name for name in METHODS if f"`{name}`" not in text]
    assert not missing
